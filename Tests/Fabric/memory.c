// Remote memory, counters, selective completion.
#include "pair.h"

static void remote_memory(struct pair *p) {
    enum { SIZE = 300000 };
    uint8_t *remote = malloc(SIZE), *local = malloc(SIZE);
    struct fid_mr *mr, *other;
    CALL(fi_mr_reg(p->b.domain, remote, SIZE, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, 0xfeed, 0, &mr, NULL));
    CHECK(fi_mr_key(mr) == 0xfeed);
    CHECK(fi_mr_reg(p->b.domain, remote, SIZE, FI_REMOTE_READ, 0, 0xfeed, 0, &other, NULL) == -FI_ENOKEY);
    static const size_t sizes[] = {0, 1, 1000, 50000, SIZE - 100};
    for (unsigned i = 0; i < 5; i++) {
        size_t n = sizes[i];
        memset(remote, 0xee, SIZE);
        fill(local, n, i);
        CALL(fi_write(p->a.ep, local, n, NULL, p->a.peer, 100, 0xfeed, local));
        struct fi_cq_tagged_entry done = next(p, p->a.tx, NULL);
        CHECK(done.op_context == local && done.flags == (FI_RMA | FI_WRITE));
        CHECK(is_filled(remote + 100, n, i) && remote[99] == 0xee && (100 + n == SIZE || remote[100 + n] == 0xee));
        memset(local, 0, SIZE);
        CALL(fi_read(p->a.ep, local, n, NULL, p->a.peer, 100, 0xfeed, local));
        done = next(p, p->a.tx, NULL);
        CHECK(done.flags == (FI_RMA | FI_READ) && is_filled(local, n, i));
    }
    CALL(fi_writedata(p->a.ep, "data", 4, NULL, 77, p->a.peer, 0, 0xfeed, NULL));
    next(p, p->a.tx, NULL);
    struct fi_cq_tagged_entry told = next(p, p->b.rx, NULL);
    CHECK(told.data == 77 && told.flags == (FI_RMA | FI_REMOTE_WRITE | FI_REMOTE_CQ_DATA) && !memcmp(remote, "data", 4));

    // Outside of the region, with another key, and with a key that is gone.
    memset(remote, 0x55, SIZE);
    struct { uint64_t at, key; } wrong[] = {{SIZE - 3, 0xfeed}, {UINT64_MAX - 1, 0xfeed}, {SIZE + 1, 0xfeed}, {0, 1}};
    for (unsigned i = 0; i < 4; i++) {
        CALL(fi_write(p->a.ep, "evil", 4, NULL, p->a.peer, wrong[i].at, wrong[i].key, &wrong[i]));
        struct fi_cq_err_entry error = next_error(p, p->a.tx);
        CHECK(error.err == FI_EACCES && error.op_context == &wrong[i]);
        CALL(fi_read(p->a.ep, local, 4, NULL, p->a.peer, wrong[i].at, wrong[i].key, NULL));
        CHECK(next_error(p, p->a.tx).err == FI_EACCES);
    }
    for (size_t i = 0; i < SIZE; i++) CHECK(remote[i] == 0x55);
    CALL(fi_close(&mr->fid));
    CALL(fi_mr_reg(p->b.domain, remote, SIZE, FI_REMOTE_READ, 0, 0xfeed, 0, &mr, NULL));
    CALL(fi_write(p->a.ep, "evil", 4, NULL, p->a.peer, 0, 0xfeed, NULL));
    CHECK(next_error(p, p->a.tx).err == FI_EACCES);
    CALL(fi_close(&mr->fid));
    CALL(fi_read(p->a.ep, local, 4, NULL, p->a.peer, 0, 0xfeed, NULL));
    CHECK(next_error(p, p->a.tx).err == FI_EACCES);
    free(remote);
    free(local);
}

static void reach(struct pair *p, struct fid_cntr *counter, uint64_t value) {
    double end = seconds() + 10;
    while (fi_cntr_read(counter) < value && seconds() < end) turn(p);
    CHECK(fi_cntr_read(counter) == value);
}

static void counters(void) {
    struct choice choice = {
        .av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .tx_bind = FI_SELECTIVE_COMPLETION, .rx_bind = FI_SELECTIVE_COMPLETION,
        .counters = true};
    struct pair p;
    open_pair(&p, &choice);
    char in[8];
    CALL(fi_trecv(p.b.ep, in, 8, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
    CALL(fi_tsend(p.a.ep, "counted", 8, NULL, p.a.peer, 1, NULL));
    reach(&p, p.b.received, 1);
    reach(&p, p.a.sent, 1);
    CALL(fi_trecv(p.b.ep, in, 8, NULL, FI_ADDR_UNSPEC, 1, 0, NULL));
    CALL(fi_tinject(p.a.ep, "counted", 8, p.a.peer, 1));
    reach(&p, p.b.received, 2);
    reach(&p, p.a.sent, 2);
    // Nobody asked for entries.
    nothing(&p, p.a.tx);
    nothing(&p, p.b.rx);
    struct iovec out = {"entries", 8}, room = {in, 8};
    struct fi_msg_tagged take = {.msg_iov = &room, .iov_count = 1, .addr = FI_ADDR_UNSPEC, .tag = 1, .context = in};
    struct fi_msg_tagged give = {.msg_iov = &out, .iov_count = 1, .addr = p.a.peer, .tag = 1, .context = &out};
    CALL(fi_trecvmsg(p.b.ep, &take, FI_COMPLETION));
    CALL(fi_tsendmsg(p.a.ep, &give, FI_COMPLETION | FI_DELIVERY_COMPLETE));
    CHECK(next(&p, p.b.rx, NULL).op_context == in);
    CHECK(next(&p, p.a.tx, NULL).op_context == &out);
    CHECK(fi_cntr_read(p.b.received) == 3 && fi_cntr_read(p.a.sent) == 3);

    struct fid_mr *mr;
    CALL(fi_mr_reg(p.b.domain, in, 8, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, 5, 0, &mr, NULL));
    CALL(fi_write(p.a.ep, "written", 8, NULL, p.a.peer, 0, 5, NULL));
    reach(&p, p.a.wrote, 1);
    CHECK(!strcmp(in, "written"));
    char back[8];
    CALL(fi_read(p.a.ep, back, 8, NULL, p.a.peer, 0, 5, NULL));
    reach(&p, p.a.read, 1);
    CHECK(!strcmp(back, "written"));
    // The other side counts what was done to it: at the endpoint, and for one region.
    reach(&p, p.b.written, 1);
    reach(&p, p.b.served, 1);
    struct fid_cntr *region;
    struct fi_cntr_attr attr = {.events = FI_CNTR_EVENTS_COMP, .wait_obj = FI_WAIT_UNSPEC};
    CALL(fi_cntr_open(p.b.domain, &attr, &region, NULL));
    CHECK(fi_mr_bind(mr, &region->fid, FI_REMOTE_READ) == -FI_EBADFLAGS);
    CALL(fi_mr_bind(mr, &region->fid, FI_REMOTE_WRITE));
    CALL(fi_inject_write(p.a.ep, "counted", 8, p.a.peer, 0, 5));
    reach(&p, region, 1);
    CALL(fi_write(p.a.ep, "", 0, NULL, p.a.peer, 0, 5, NULL));
    CALL(fi_read(p.a.ep, back, 0, NULL, p.a.peer, 0, 5, NULL));
    reach(&p, region, 2);
    reach(&p, p.b.written, 3);
    reach(&p, p.b.served, 2);
    reach(&p, p.a.wrote, 3);
    reach(&p, p.a.read, 2);
    CHECK(fi_cntr_read(p.a.written) == 0 && fi_cntr_read(p.a.served) == 0);
    nothing(&p, p.b.rx);
    // What fails is counted apart, and has an entry.
    CALL(fi_read(p.a.ep, back, 8, NULL, p.a.peer, 1, 5, NULL));
    CHECK(next_error(&p, p.a.tx).err == FI_EACCES);
    CHECK(fi_cntr_read(p.a.read) == 2 && fi_cntr_read(p.b.served) == 2 && fi_cntr_readerr(p.a.read) == 1);
    CHECK(fi_cntr_wait(p.a.read, 5, 20) == -FI_ETIMEDOUT);
    CALL(fi_cntr_set(p.a.read, 7));
    CALL(fi_cntr_add(p.a.read, 1));
    CHECK(fi_cntr_wait(p.a.read, 8, -1) == 0);
    CHECK(fi_close(&region->fid) == -FI_EBUSY);
    CALL(fi_close(&mr->fid));
    CALL(fi_close(&region->fid));
    close_pair(&p);
}

int main(void) {
    for (int i = 0; i < 2; i++) {
        struct choice choice = {.av = FI_AV_TABLE, .threading = i ? FI_THREAD_SAFE : FI_THREAD_DOMAIN};
        struct pair p;
        open_pair(&p, &choice);
        remote_memory(&p);
        close_pair(&p);
    }
    counters();
    puts("memory: ok");
    return 0;
}
