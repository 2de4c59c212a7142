// Counters: what fi_cntr(3) promises.
#include "pair.h"

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

int main(void) {
    error_ends_a_wait();
    puts("counters: ok");
    return 0;
}
