// Progress without the target's calls: with FI_PROGRESS_AUTO, or UNIC_PROGRESS=thread, operations end while the target computes; else
// when it calls.
#include "pair.h"
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LARGE = 1 << 20 };

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

// Drives one side alone.
static bool completes(struct side *side, double within) {
    struct fi_cq_tagged_entry entry;
    double end = seconds() + within;
    do {
        long result = fi_cq_read(side->tx, &entry, 1);
        CHECK(result == 1 || result == -FI_EAGAIN);
        if (result == 1) return true;
    } while (seconds() < end);
    return false;
}

static void target_computes(bool automatic) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .automatic = automatic};
    struct pair p;
    open_pair(&p, &choice);
    CHECK(!automatic || p.info->domain_attr->data_progress == FI_PROGRESS_AUTO);
    uint8_t *remote = calloc(1, LARGE), *local = malloc(LARGE), *place = calloc(1, LARGE);
    fill(local, LARGE, 1);
    struct fid_mr *mr;
    CALL(fi_mr_reg(p.b.domain, remote, LARGE, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
    CALL(fi_trecv(p.b.ep, place, LARGE, NULL, p.b.peer, 1, 0, place));
    // From here on the target calls nothing.
    double patience = automatic ? 10 : 0.3;
    CALL(fi_write(p.a.ep, local, LARGE, NULL, p.a.peer, 0, 5, NULL));
    CHECK(completes(&p.a, patience) == automatic);
    if (!automatic) next(&p, p.a.tx, NULL);
    CHECK(is_filled(remote, LARGE, 1));
    memset(local, 0, LARGE);
    CALL(fi_read(p.a.ep, local, LARGE, NULL, p.a.peer, 0, 5, NULL));
    CHECK(completes(&p.a, patience) == automatic);
    if (!automatic) next(&p, p.a.tx, NULL);
    CHECK(is_filled(local, LARGE, 1));
    CALL(fi_tsend(p.a.ep, local, LARGE, NULL, p.a.peer, 1, NULL));
    CHECK(completes(&p.a, patience) == automatic);
    if (!automatic) next(&p, p.a.tx, NULL);
    struct fi_cq_tagged_entry entry;
    // It is there already; another look makes no progress that matters.
    double end = seconds() + 10;
    long result;
    while ((result = fi_cq_read(p.b.rx, &entry, 1)) == -FI_EAGAIN && !automatic && seconds() < end) turn(&p);
    CHECK(result == 1 && entry.op_context == place && is_filled(place, LARGE, 1));

    // Nothing to do: the threads sleep.
    usleep(10000);
    double used = cpu_seconds(), start = seconds();
    usleep(500000);
    used = (cpu_seconds() - used) / (seconds() - start);
    CHECK(used < 0.05);
    CALL(fi_close(&mr->fid));
    close_pair(&p);
    free(remote);
    free(local);
    free(place);
}

// A waiter is woken by what the thread brings.
static void waits(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE, .automatic = true};
    struct pair p;
    open_pair(&p, &choice);
    char place[8];
    struct fi_cq_tagged_entry entry;
    for (int i = 0; i < 20; i++) {
        CALL(fi_trecv(p.b.ep, place, 8, NULL, p.b.peer, 1, 0, NULL));
        CHECK(fi_cq_sread(p.b.rx, &entry, 1, NULL, 5) == -FI_EAGAIN);
        CALL(fi_tinject(p.a.ep, "awaited", 8, p.a.peer, 1));
        CHECK(fi_cq_sread(p.b.rx, &entry, 1, NULL, 5000) == 1);
    }
    close_pair(&p);
}

// A child has no thread, and the locks are free; the parent goes on.
static void forks(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE, .automatic = true};
    struct pair p;
    open_pair(&p, &choice);
    enum { SIZE = 4 << 20 };
    uint8_t *place = calloc(1, SIZE), *bytes = calloc(1, SIZE);
    for (int i = 0; i < 30; i++) {
        CALL(fi_trecv(p.b.ep, place, SIZE, NULL, p.b.peer, 1, 0, NULL));
        CALL(fi_tsend(p.a.ep, bytes, SIZE, NULL, p.a.peer, 1, NULL));
        // The threads are at it.
        usleep(1500);
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            if (i % 2) close_pair(&p);
            _exit(0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        next(&p, p.b.rx, NULL);
        next(&p, p.a.tx, NULL);
    }
    close_pair(&p);
    free(place);
    free(bytes);
}

int main(void) {
    target_computes(false);
    target_computes(true);
    setenv("UNIC_PROGRESS", "thread", 1);
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN};
    struct pair p;
    open_pair(&p, &choice);
    char place[8] = "";
    struct fid_mr *mr;
    CALL(fi_mr_reg(p.b.domain, place, 8, FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
    CALL(fi_write(p.a.ep, "by rule", 8, NULL, p.a.peer, 0, 5, NULL));
    CHECK(completes(&p.a, 10) && !strcmp(place, "by rule"));
    CALL(fi_close(&mr->fid));
    close_pair(&p);
    unsetenv("UNIC_PROGRESS");
    waits();
    forks();
    puts("progress: ok");
    return 0;
}
