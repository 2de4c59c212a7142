// Sleeping until a frame comes: by FI_WAIT_FD and in fi_cq_sread. The NIC's interrupt ends it, not a timer.
#define _GNU_SOURCE
#include "pair.h"
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ROUNDS = 200 };

static struct rusage usage(void) {
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    return usage;
}

static double cpu(struct rusage u) {
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static struct pair p;
static double sent_at[ROUNDS];

// Each side belongs to one thread: the other one sends, now and then, and makes progress meanwhile.
static void *sender(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        double end = seconds() + 0.003;
        while (seconds() < end) {
            fi_cq_read(p.a.tx, NULL, 0);
            usleep(200);
        }
        sent_at[i] = seconds();
        CALL(fi_tinject(p.a.ep, "wake up", 8, p.a.peer, 1));
    }
    double end = seconds() + 0.3;
    while (seconds() < end) {
        fi_cq_read(p.a.tx, NULL, 0);
        usleep(200);
    }
    return NULL;
}

// Returns how often it slept.
static int receive(struct fid_cq *queue, int descriptor) {
    struct fi_cq_tagged_entry entry;
    int sleeps = 0;
    double end = seconds() + 10;
    for (;;) {
        long result = descriptor < 0 ? fi_cq_sread(queue, &entry, 1, NULL, 10000) : fi_cq_read(queue, &entry, 1);
        if (result == 1) return sleeps;
        CHECK(result == -FI_EAGAIN && seconds() < end);
        struct fid *waited = &queue->fid;
        if (descriptor >= 0 && fi_trywait(p.fabric, &waited, 1) == 0) {
            struct pollfd one = {.fd = descriptor, .events = POLLIN};
            sleeps++;
            CHECK(poll(&one, 1, 10000) == 1);
        }
    }
}

static void wakes(bool by_descriptor) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE, .wait = by_descriptor ? FI_WAIT_FD : FI_WAIT_UNSPEC};
    open_pair(&p, &choice);
    int descriptor = -1;
    if (by_descriptor) CALL(fi_control(&p.b.rx->fid, FI_GETWAIT, &descriptor));
    char place[8];
    double delays[ROUNDS];
    int sleeps = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sender, NULL) == 0);
    struct rusage before = usage();
    double start = seconds();
    for (int i = 0; i < ROUNDS; i++) {
        CALL(fi_trecv(p.b.ep, place, 8, NULL, p.b.peer, 1, 0, NULL));
        sleeps += receive(p.b.rx, descriptor);
        delays[i] = seconds() - sent_at[i];
    }
    double busy = (cpu(usage()) - cpu(before)) / (seconds() - start);
    qsort(delays, ROUNDS, sizeof *delays, by_time);
    printf("waits: %s: median %.0f us, %d sleeps, %.1f %% CPU\n", by_descriptor ? "FI_WAIT_FD" : "fi_cq_sread", delays[ROUNDS / 2] * 1e6, sleeps,
        busy * 100);
    // A timer of a millisecond would have 500 us.
    CHECK(delays[ROUNDS / 2] < 350e-6);
    // One for the frame, one for its acknowledgement's timer; a timer would have three for each.
    CHECK(!by_descriptor || sleeps <= ROUNDS * 5 / 2);
    CHECK(busy < 0.2);

    // Nothing comes: it sleeps on, and costs nothing.
    before = usage();
    start = seconds();
    struct fi_cq_tagged_entry entry;
    if (by_descriptor) {
        sleeps = 0;
        while (seconds() < start + 0.3) {
            CHECK(fi_cq_read(p.b.rx, &entry, 1) == -FI_EAGAIN);
            struct fid *waited = &p.b.rx->fid;
            if (fi_trywait(p.fabric, &waited, 1) != 0) continue;
            struct pollfd one = {.fd = descriptor, .events = POLLIN};
            sleeps++;
            poll(&one, 1, 300);
        }
        CHECK(sleeps <= 10);
    } else {
        CHECK(fi_cq_sread(p.b.rx, &entry, 1, NULL, 300) == -FI_EAGAIN);
    }
    CHECK(seconds() - start >= 0.29);
    CHECK(cpu(usage()) - cpu(before) < 0.03);
    CHECK(pthread_join(thread, NULL) == 0);
    close_pair(&p);
}

static void *signals(void *unused) {
    (void)unused;
    usleep(50000);
    CALL(fi_cq_signal(p.b.rx));
    return NULL;
}

static void signal_ends_a_wait(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE};
    open_pair(&p, &choice);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, signals, NULL) == 0);
    struct fi_cq_tagged_entry entry;
    double start = seconds();
    CHECK(fi_cq_sread(p.b.rx, &entry, 1, NULL, 10000) == -FI_EAGAIN);
    CHECK(seconds() - start < 0.9);
    CHECK(pthread_join(thread, NULL) == 0);
    close_pair(&p);
}

int main(void) {
    wakes(true);
    wakes(false);
    signal_ends_a_wait();
    puts("waits: ok");
    return 0;
}
