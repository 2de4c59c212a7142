// Counters, and completions that come late or of which there is a level: what fi_cntr(3) and fi_cq(3) promise.
#include "pair.h"
#include <pthread.h>
#include <unistd.h>

static void drive(struct fid_cq *queue) {
    double end = seconds() + 0.05;
    while (seconds() < end) fi_cq_read(queue, NULL, 0);
}

// The wait's own first look brings the error.
static void error_ends_a_wait(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .counters = true};
    struct pair p;
    open_pair(&p, &choice);
    char small[4];
    CALL(fi_trecv(p.b.ep, small, 4, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
    CALL(fi_tinject(p.a.ep, "too long", 9, p.a.peer, 1));
    drive(p.a.tx);
    double start = seconds();
    CHECK(fi_cntr_wait(p.b.received, 1, 5000) == -FI_EAVAIL);
    CHECK(seconds() - start < 4 && fi_cntr_read(p.b.received) == 0 && fi_cntr_readerr(p.b.received) == 1);
    // One that was counted before the wait ends none.
    CHECK(fi_cntr_wait(p.b.received, 1, 50) == -FI_ETIMEDOUT);
    CHECK(next_error(&p, p.b.rx).err == FI_ETRUNC);
    close_pair(&p);
}

static long send_with(struct pair *p, uint64_t flags, void *context) {
    struct iovec piece = {"letter", 7};
    struct fi_msg_tagged letter = {.msg_iov = &piece, .iov_count = 1, .addr = p->a.peer, .tag = 1, .context = context};
    return fi_tsendmsg(p->a.ep, &letter, FI_COMPLETION | flags);
}

static bool is_over(struct pair *p, void *context) {
    struct fi_cq_tagged_entry entry;
    double end = seconds() + 0.3;
    while (seconds() < end) {
        long result = fi_cq_read(p->a.tx, &entry, 1);
        CHECK(result == 1 || result == -FI_EAGAIN);
        if (result == 1) CHECK(entry.op_context == context && (entry.flags & FI_SEND));
        if (result == 1) return true;
    }
    return false;
}

// FI_INJECT_COMPLETE: on its way. FI_TRANSMIT_COMPLETE: the peer's endpoint has it, though no receive does.
static void levels(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .counters = true};
    struct pair p;
    open_pair(&p, &choice);
    char one, two, three[2000], got[8] = "";
    CALL(send_with(&p, FI_INJECT_COMPLETE, &one));
    CHECK(is_over(&p, &one) && fi_cntr_read(p.a.sent) == 1);
    CALL(send_with(&p, FI_TRANSMIT_COMPLETE, &two));
    // The peer makes no progress.
    CHECK(!is_over(&p, &two) && fi_cntr_read(p.a.sent) == 1);
    struct fi_cq_tagged_entry done = next(&p, p.a.tx, NULL);
    CHECK(done.op_context == &two && done.flags == (FI_SEND | FI_TAGGED) && fi_cntr_read(p.a.sent) == 2);
    for (int i = 0; i < 2; i++) {
        CALL(fi_trecv(p.b.ep, got, 8, NULL, p.b.peer, 1, 0, NULL));
        CHECK(next(&p, p.b.rx, NULL).len == 7 && !strcmp(got, "letter"));
    }
    // More than are waited for: who asks for more is told to come again, and all are over when the peer is there.
    int begun = 0, ended = 0;
    long result = 0;
    for (; begun < 20000 && (result = send_with(&p, FI_TRANSMIT_COMPLETE, three)) == 0; begun++) continue;
    CHECK(result == -FI_EAGAIN && begun > 0);
    for (; ended < begun; ended++) CHECK(next(&p, p.a.tx, NULL).op_context == three);
    for (int i = 0; i < begun; i++) {
        CALL(fi_trecv(p.b.ep, got, 8, NULL, p.b.peer, 1, 0, NULL));
        next(&p, p.b.rx, NULL);
    }
    // The peer is gone: an error, not silence.
    CALL(send_with(&p, FI_TRANSMIT_COMPLETE, &two));
    CHECK(!is_over(&p, &two));
    CALL(fi_close(&p.b.ep->fid));
    double end = seconds() + 10;
    struct fi_cq_err_entry error = {0};
    while (seconds() < end && (result = fi_cq_read(p.a.tx, &done, 1)) == -FI_EAGAIN) continue;
    CHECK(result == -FI_EAVAIL && fi_cq_readerr(p.a.tx, &error, 0) == 1);
    CHECK(error.err == FI_ECONNRESET && error.op_context == &two && fi_cntr_readerr(p.a.sent) == 1);
    CALL(fi_endpoint(p.b.domain, p.info, &p.b.ep, NULL));
    CALL(fi_ep_bind(p.b.ep, &p.b.av->fid, 0));
    CALL(fi_ep_bind(p.b.ep, &p.b.tx->fid, FI_TRANSMIT));
    close_pair(&p);
}

static struct pair shared;
static double changed_at;

static void *cancels(void *receive) {
    usleep(30000);
    changed_at = seconds();
    CALL(fi_cancel(&shared.b.ep->fid, receive));
    return NULL;
}

static void *peeks(void *context) {
    usleep(30000);
    struct fi_msg_tagged look = {.addr = FI_ADDR_UNSPEC, .tag = 9, .context = context};
    changed_at = seconds();
    CALL(fi_trecvmsg(shared.b.ep, &look, FI_PEEK));
    return NULL;
}

static int by_time(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Who sleeps on a queue hears of what another thread's call puts there.
static void wakes(void *(*call)(void *), int error) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE};
    open_pair(&shared, &choice);
    char place[8];
    double delays[9];
    for (int i = 0; i < 9; i++) {
        if (call == cancels) CALL(fi_trecv(shared.b.ep, place, 8, NULL, FI_ADDR_UNSPEC, 1, 0, place));
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, call, place) == 0);
        struct fi_cq_tagged_entry entry;
        struct fi_cq_err_entry failed = {0};
        CHECK(fi_cq_sread(shared.b.rx, &entry, 1, NULL, 10000) == -FI_EAVAIL);
        delays[i] = seconds() - changed_at;
        CHECK(fi_cq_readerr(shared.b.rx, &failed, 0) == 1 && failed.err == error && failed.op_context == place);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    qsort(delays, 9, sizeof *delays, by_time);
    printf("counters: a sleeper hears of it after %.1f ms\n", delays[4] * 1e3);
    CHECK(delays[4] < 0.03);
    close_pair(&shared);
}

int main(void) {
    error_ends_a_wait();
    levels();
    wakes(cancels, FI_ECANCELED);
    wakes(peeks, FI_ENOMSG);
    puts("counters: ok");
    return 0;
}
