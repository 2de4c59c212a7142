// A peer's process is killed: who waits for it is told, within seconds and not minutes. On a wire that leads to other machines, after
// UNIC_PEER_TIMEOUT.
//     death [SHORTEST_SECONDS LONGEST_SECONDS]
#include "pair.h"
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static struct pair alone;

static void open_alone(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN};
    struct fi_info *hints = make_hints();
    hints->domain_attr->threading = choice.threading;
    CHECK(alone.info = ask(FI_VERSION(1, 17), hints));
    fi_freeinfo(hints);
    CALL(fi_fabric(alone.info->fabric_attr, &alone.fabric, NULL));
    open_side(&alone, &alone.a, &choice);
}

static void swap_names(int to, int from) {
    uint8_t mine[24], theirs[24];
    size_t length = 24;
    CALL(fi_getname(&alone.a.ep->fid, mine, &length));
    CHECK(write(to, mine, 24) == 24);
    CHECK(read(from, theirs, 24) == 24);
    CHECK(fi_av_insert(alone.a.av, theirs, 1, &alone.a.peer, 0, NULL) == 1);
}

int main(int count, char **arguments) {
    double shortest = count > 2 ? atof(arguments[1]) : 0, longest = count > 2 ? atof(arguments[2]) : 3;
    int down[2], up[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    // Each has a device of its own if UNIC_DEVICES names several.
    CHECK(setenv("OMPI_COMM_WORLD_LOCAL_RANK", child == 0 ? "1" : "0", 1) == 0);
    open_alone();
    if (child == 0) {
        swap_names(up[1], down[0]);
        CALL(fi_tinject(alone.a.ep, "alive", 6, alone.a.peer, 1));
        for (;;) fi_cq_read(alone.a.rx, NULL, 0);
    }
    swap_names(down[1], up[0]);
    char first[6] = "", second[6];
    struct fi_cq_tagged_entry entry;
    CALL(fi_trecv(alone.a.ep, first, 6, NULL, alone.a.peer, 1, 0, first));
    double end = seconds() + 10;
    long result = -FI_EAGAIN;
    while (result == -FI_EAGAIN && seconds() < end) result = fi_cq_read(alone.a.rx, &entry, 1);
    CHECK(result == 1 && !strcmp(first, "alive"));

    CALL(fi_trecv(alone.a.ep, second, 6, NULL, alone.a.peer, 2, 0, second));
    CHECK(kill(child, SIGKILL) == 0);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    double start = seconds();
    while ((result = fi_cq_read(alone.a.rx, &entry, 1)) == -FI_EAGAIN) CHECK(seconds() - start < longest);
    struct fi_cq_err_entry error = {0};
    CHECK(result == -FI_EAVAIL && fi_cq_readerr(alone.a.rx, &error, 0) == 1);
    CHECK(error.err == FI_ECONNRESET && error.op_context == second);
    CHECK(seconds() - start >= shortest && seconds() - start < longest);
    // Nor is anything waited for that is begun now.
    CALL(fi_trecv(alone.a.ep, second, 6, NULL, alone.a.peer, 3, 0, second));
    while ((result = fi_cq_read(alone.a.rx, &entry, 1)) == -FI_EAGAIN) CHECK(seconds() - start < longest + 1);
    CHECK(result == -FI_EAVAIL && fi_cq_readerr(alone.a.rx, &error, 0) == 1 && error.err == FI_ECONNRESET);
    CHECK(fi_tinject(alone.a.ep, "x", 1, alone.a.peer, 1) == -FI_ECONNRESET);
    close_side(&alone.a);
    CALL(fi_close(&alone.fabric->fid));
    fi_freeinfo(alone.info);
    puts("death: ok");
    return 0;
}
