// The device of an endpoint goes away under it: the process that serves it is killed. Everything that waits ends with an error within
// seconds, later calls are refused, and the peers are told.
//     device PATH_OF_UNIC
#include "pair.h"
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/unic-device-XXXXXX", path[64], status_path[80], wire[40];
static pid_t server;

static void end_server(void) {
    if (server > 0) kill(server, SIGKILL);
    unlink(path);
    unlink(status_path);
    rmdir(folder);
}

static void start_server(const char *unic) {
    CHECK(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/nic", folder);
    snprintf(status_path, sizeof status_path, "%s.status", path);
    snprintf(wire, sizeof wire, "device-%d", getpid());
    server = fork();
    CHECK(server >= 0);
    if (server == 0) {
        execl(unic, unic, "serve", "--socket", path, "--wire", wire, (char *)NULL);
        _exit(127);
    }
    atexit(end_server);
    struct stat found;
    for (double end = seconds() + 10; stat(status_path, &found) != 0; usleep(10000)) CHECK(seconds() < end);
}

// A side on a device of its own.
static void open_on(const char *device, struct pair *p, struct side *side) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN};
    CHECK(setenv("UNIC_DEVICES", device, 1) == 0);
    struct fi_info *hints = make_hints();
    hints->domain_attr->threading = choice.threading;
    CHECK(p->info = ask(FI_VERSION(1, 17), hints));
    fi_freeinfo(hints);
    CALL(fi_fabric(p->info->fabric_attr, &p->fabric, NULL));
    open_side(p, side, &choice);
}

static void exchange(struct pair *p) {
    static uint8_t out[100000], in[100000];
    size_t lengths[] = {8, 5000, sizeof out};
    for (int i = 0; i < 3; i++) {
        fill(out, lengths[i], i);
        CALL(fi_trecv(p->b.ep, in, lengths[i], NULL, p->b.peer, 1, 0, in));
        CALL(fi_tsend(p->a.ep, out, lengths[i], NULL, p->a.peer, 1, out));
        next(p, p->b.rx, NULL);
        next(p, p->a.tx, NULL);
        CHECK(is_filled(in, lengths[i], i));
    }
}

static void expect_error(struct pair *p, struct fid_cq *queue, int expected, double start) {
    struct fi_cq_err_entry error = next_error(p, queue);
    CHECK(error.err == expected);
    CHECK(seconds() - start < 4);
    if (expected == FI_ENETDOWN) CHECK(!strcmp(fi_cq_strerror(queue, error.prov_errno, NULL, NULL, 0), "the NIC failed"));
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    start_server(arguments[1]);
    char device[80];
    struct pair served = {0}, p = {0};
    snprintf(device, sizeof device, "vfio-user:%s", path);
    open_on(device, &served, &served.a);
    snprintf(device, sizeof device, "soft:%s", wire);
    open_on(device, &p, &p.b);
    p.a = served.a;
    introduce(&p.a, &p.b, &p.a.peer);
    introduce(&p.b, &p.a, &p.b.peer);
    exchange(&p);

    static char places[4][8], large[200000];
    CALL(fi_trecv(p.a.ep, places[0], 8, NULL, FI_ADDR_UNSPEC, 2, 0, places[0]));
    CALL(fi_trecv(p.a.ep, places[1], 8, NULL, p.a.peer, 3, 0, places[1]));
    CALL(fi_tsend(p.a.ep, large, sizeof large, NULL, p.a.peer, 4, large));
    CALL(fi_trecv(p.b.ep, places[2], 8, NULL, p.b.peer, 5, 0, places[2]));
    // Silence is not death, also where peers are looked after.
    for (double end = seconds() + 1.5; seconds() < end; usleep(1000)) turn(&p);
    struct fi_cq_tagged_entry entry;
    CHECK(fi_cq_read(p.a.rx, &entry, 1) == -FI_EAGAIN && fi_cq_read(p.b.rx, &entry, 1) == -FI_EAGAIN);

    CHECK(kill(server, SIGKILL) == 0);
    int status;
    CHECK(waitpid(server, &status, 0) == server);
    server = 0;
    double start = seconds();
    expect_error(&p, p.a.rx, FI_ENETDOWN, start);
    expect_error(&p, p.a.rx, FI_ENETDOWN, start);
    expect_error(&p, p.a.tx, FI_ENETDOWN, start);
    expect_error(&p, p.b.rx, FI_ECONNRESET, start);
    CHECK(fi_tinject(p.a.ep, "x", 1, p.a.peer, 1) == -FI_ENETDOWN);
    CHECK(fi_trecv(p.a.ep, places[3], 8, NULL, FI_ADDR_UNSPEC, 1, 0, NULL) == -FI_ENETDOWN);
    CHECK(fi_read(p.a.ep, places[3], 8, NULL, p.a.peer, 0, 1, NULL) == -FI_ENETDOWN);
    nothing(&p, p.a.rx);
    // Waiting for what will not come is waiting, and no work.
    clock_t before = clock();
    CHECK(fi_cq_sread(p.a.rx, &entry, 1, NULL, 500) == -FI_EAGAIN);
    CHECK((double)(clock() - before) / CLOCKS_PER_SEC < 0.25);

    start = seconds();
    close_side(&p.a);
    close_side(&p.b);
    CALL(fi_close(&served.fabric->fid));
    CALL(fi_close(&p.fabric->fid));
    CHECK(seconds() - start < 5);
    fi_freeinfo(served.info);
    fi_freeinfo(p.info);
    puts("device: ok");
    return 0;
}
