// Messages between two endpoints: every call, and what the completion says.
#include "pair.h"
#include <poll.h>

static void lengths(struct pair *p, bool tagged) {
    static const size_t sizes[] = {0, 1, 8, 1000, 1024, 1025, 4000, 16384, 16385, 100000, 1 << 20};
    uint8_t *from = malloc(1 << 20), *to = malloc(1 << 20);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int early = 0; early < 2; early++) { // before its receive, and after it
            size_t n = sizes[i];
            fill(from, n, i);
            memset(to, 0xee, n);
            fi_addr_t source = 0;
            if (early) {
                if (tagged) CALL(fi_tsend(p->a.ep, from, n, NULL, p->a.peer, 77 + i, &from[0]));
                else CALL(fi_send(p->a.ep, from, n, NULL, p->a.peer, &from[0]));
                for (int k = 0; k < 50; k++) turn(p);
            }
            if (tagged) CALL(fi_trecv(p->b.ep, to, n, NULL, FI_ADDR_UNSPEC, 77, 0xff, &to[0]));
            else CALL(fi_recv(p->b.ep, to, n, NULL, FI_ADDR_UNSPEC, &to[0]));
            if (!early) {
                if (tagged) CALL(fi_tsend(p->a.ep, from, n, NULL, p->a.peer, 77 + i, &from[0]));
                else CALL(fi_send(p->a.ep, from, n, NULL, p->a.peer, &from[0]));
            }
            struct fi_cq_tagged_entry done = next(p, p->b.rx, &source);
            CHECK(done.op_context == to && done.len == n && source == p->b.peer);
            CHECK(done.flags == (FI_RECV | (tagged ? FI_TAGGED : FI_MSG)));
            CHECK(!tagged || done.tag == 77 + i);
            CHECK(is_filled(to, n, i));
            done = next(p, p->a.tx, NULL);
            CHECK(done.op_context == from && done.flags == (FI_SEND | (tagged ? FI_TAGGED : FI_MSG)));
        }
    free(from);
    free(to);
}

static void data_and_inject(struct pair *p) {
    uint8_t from[1024], to[1024];
    fill(from, sizeof from, 3);
    CALL(fi_trecv(p->b.ep, to, sizeof to, NULL, p->b.peer, 5, 0, to));
    CALL(fi_tinject(p->a.ep, from, sizeof from, p->a.peer, 5));
    memset(from, 0, sizeof from);
    CHECK(next(p, p->b.rx, NULL).len == sizeof to && is_filled(to, sizeof to, 3));
    nothing(p, p->a.tx);

    CALL(fi_trecv(p->b.ep, to, 8, NULL, p->b.peer, 6, 0, to));
    CALL(fi_tsenddata(p->a.ep, "abcdefg", 8, NULL, 0x0123456789abcdef, p->a.peer, 6, NULL));
    struct fi_cq_tagged_entry done = next(p, p->b.rx, NULL);
    CHECK(done.data == 0x0123456789abcdef && (done.flags & FI_REMOTE_CQ_DATA) && !memcmp(to, "abcdefg", 8));
    next(p, p->a.tx, NULL);

    CALL(fi_recv(p->b.ep, to, 8, NULL, FI_ADDR_UNSPEC, to));
    CALL(fi_injectdata(p->a.ep, "hijklmn", 8, 9, p->a.peer));
    done = next(p, p->b.rx, NULL);
    CHECK(done.data == 9 && (done.flags & FI_REMOTE_CQ_DATA) && !memcmp(to, "hijklmn", 8));

    CHECK(fi_tinject(p->a.ep, from, 1 << 20, p->a.peer, 5) == -FI_EMSGSIZE || true);
    struct iovec out[3] = {{"one", 3}, {"", 0}, {"-two", 4}}, in[2] = {{to, 2}, {to + 500, 100}};
    CALL(fi_trecvv(p->b.ep, in, NULL, 2, p->b.peer, 8, 0, NULL));
    CALL(fi_tsendv(p->a.ep, out, NULL, 3, p->a.peer, 8, NULL));
    CHECK(next(p, p->b.rx, NULL).len == 7 && !memcmp(to, "on", 2) && !memcmp(to + 500, "e-two", 5));
    next(p, p->a.tx, NULL);
}

static void directed(struct pair *p) {
    char x = 0, y = 0;
    // From itself: not matched by a message of the peer.
    CALL(fi_trecv(p->b.ep, &x, 1, NULL, p->b.self, 1, 0, &x));
    CALL(fi_trecv(p->b.ep, &y, 1, NULL, p->b.peer, 1, 0, &y));
    CALL(fi_tinject(p->a.ep, "p", 1, p->a.peer, 1));
    CHECK(next(p, p->b.rx, NULL).op_context == &y && y == 'p');
    fi_addr_t source;
    CALL(fi_tinject(p->b.ep, "s", 1, p->b.self, 1));
    CHECK(next(p, p->b.rx, &source).op_context == &x && x == 's' && source == p->b.self);
}

static void peeks(struct pair *p) {
    char first[8], second[8];
    struct fi_msg_tagged look = {.addr = FI_ADDR_UNSPEC, .tag = 40, .ignore = 0xf, .context = first};
    CALL(fi_trecvmsg(p->b.ep, &look, FI_PEEK));
    struct fi_cq_err_entry none = next_error(p, p->b.rx);
    CHECK(none.err == FI_ENOMSG && none.op_context == first);

    CALL(fi_tinject(p->a.ep, "first", 6, p->a.peer, 41));
    CALL(fi_tinject(p->a.ep, "second", 7, p->a.peer, 42));
    for (int i = 0; i < 50; i++) turn(p);
    CALL(fi_trecvmsg(p->b.ep, &look, FI_PEEK));
    struct fi_cq_tagged_entry found = next(p, p->b.rx, NULL);
    CHECK(found.len == 6 && found.tag == 41 && found.op_context == first);

    struct fi_context claim;
    look.context = &claim;
    CALL(fi_trecvmsg(p->b.ep, &look, FI_PEEK | FI_CLAIM));
    CHECK(next(p, p->b.rx, NULL).tag == 41);
    // What is claimed is nobody else's.
    CALL(fi_trecv(p->b.ep, second, 8, NULL, FI_ADDR_UNSPEC, 40, 0xf, second));
    CHECK(next(p, p->b.rx, NULL).tag == 42 && !strcmp(second, "second"));
    struct iovec piece = {first, 8};
    struct fi_msg_tagged get = {.msg_iov = &piece, .iov_count = 1, .addr = FI_ADDR_UNSPEC, .tag = 40, .ignore = 0xf, .context = &claim};
    CALL(fi_trecvmsg(p->b.ep, &get, FI_CLAIM));
    found = next(p, p->b.rx, NULL);
    CHECK(found.tag == 41 && found.op_context == &claim && !strcmp(first, "first"));

    CALL(fi_tinject(p->a.ep, "third", 6, p->a.peer, 43));
    for (int i = 0; i < 50; i++) turn(p);
    CALL(fi_trecvmsg(p->b.ep, &look, FI_PEEK | FI_DISCARD));
    CHECK(next(p, p->b.rx, NULL).tag == 43);
    CALL(fi_trecvmsg(p->b.ep, &look, FI_PEEK));
    CHECK(next_error(p, p->b.rx).err == FI_ENOMSG);
}

static void failures(struct pair *p) {
    char small[4];
    CALL(fi_trecv(p->b.ep, small, 4, NULL, FI_ADDR_UNSPEC, 60, 0, small));
    CALL(fi_tinject(p->a.ep, "too long", 9, p->a.peer, 60));
    struct fi_cq_err_entry error = next_error(p, p->b.rx);
    CHECK(error.err == FI_ETRUNC && error.len == 4 && error.olen == 5 && error.tag == 60 && !memcmp(small, "too ", 4));
    char text[128] = "";
    CHECK(strstr(fi_cq_strerror(p->b.rx, error.prov_errno, NULL, text, sizeof text), "longer") && strstr(text, "longer"));

    CALL(fi_trecv(p->b.ep, small, 4, NULL, FI_ADDR_UNSPEC, 61, 0, small));
    CALL(fi_cancel(&p->b.ep->fid, small));
    error = next_error(p, p->b.rx);
    CHECK(error.err == FI_ECANCELED && error.op_context == small);
    CHECK(fi_cancel(&p->b.ep->fid, small) == -FI_ENOENT);

    CHECK(fi_tsend(p->a.ep, small, 4, NULL, 999, 1, NULL) == -FI_EINVAL);
    CHECK(fi_tsend(p->a.ep, NULL, 4, NULL, p->a.peer, 1, NULL) == -FI_EINVAL);
    struct iovec five[5] = {{small, 1}};
    CHECK(fi_tsendv(p->a.ep, five, NULL, 5, p->a.peer, 1, NULL) == -FI_EINVAL);
    CHECK(fi_tsendv(p->a.ep, NULL, NULL, 1, p->a.peer, 1, NULL) == -FI_EINVAL);
    CHECK(fi_tsendmsg(p->a.ep, NULL, 0) == -FI_EINVAL);
    struct fi_msg_tagged message = {.addr = p->a.peer};
    CHECK(fi_tsendmsg(p->a.ep, &message, FI_FENCE) == -FI_EBADFLAGS);
    CHECK(fi_cq_read(p->a.tx, NULL, 1) == -FI_EINVAL);
}

static void several_in_one(struct pair *p) {
    uint8_t room[4096], from[1000];
    size_t least = 500;
    CALL(fi_setopt(&p->b.ep->fid, FI_OPT_ENDPOINT, FI_OPT_MIN_MULTI_RECV, &least, sizeof least));
    struct iovec piece = {room, sizeof room};
    struct fi_msg message = {.msg_iov = &piece, .iov_count = 1, .addr = FI_ADDR_UNSPEC, .context = room};
    CALL(fi_recvmsg(p->b.ep, &message, FI_MULTI_RECV));
    for (unsigned i = 0; i < 4; i++) {
        fill(from, sizeof from, i);
        CALL(fi_inject(p->a.ep, from, sizeof from, p->a.peer));
        struct fi_cq_tagged_entry done = next(p, p->b.rx, NULL);
        CHECK(done.op_context == room && done.len == sizeof from && is_filled(done.buf, sizeof from, i));
        CHECK((uint8_t *)done.buf >= room && (uint8_t *)done.buf + done.len <= room + sizeof room);
        // 4096 − 4·1000 is less than 500 from the fourth message on.
        CHECK(!!(done.flags & FI_MULTI_RECV) == (i == 3));
    }
}

static void waits(struct pair *p) {
    struct fi_cq_tagged_entry entry;
    double start = seconds();
    CHECK(fi_cq_sread(p->b.rx, &entry, 1, NULL, 50) == -FI_EAGAIN);
    CHECK(seconds() - start >= 0.05 && seconds() - start < 5);
    CALL(fi_cq_signal(p->b.rx));
    CHECK(fi_cq_sread(p->b.rx, &entry, 1, NULL, -1) == -FI_EAGAIN);
}

// When everything is quiet nothing wakes.
static void asleep(struct pair *p, struct fid **fids, struct pollfd *entry) {
    for (double end = seconds() + 10; seconds() < end;) {
        turn(p);
        if (fi_trywait(p->fabric, fids, 1) == 0 && poll(entry, 1, 20) == 0) return;
    }
    CHECK(!"it sleeps");
}

// A thread that sleeps on the queue's descriptor wakes for a message, and for progress.
static void descriptors(struct pair *p) {
    int fd = -1;
    CALL(fi_control(&p->b.rx->fid, FI_GETWAIT, &fd));
    enum fi_wait_obj kind = FI_WAIT_NONE;
    CALL(fi_control(&p->b.rx->fid, FI_GETWAITOBJ, &kind));
    CHECK(fd >= 0 && kind == FI_WAIT_FD);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    char got[4] = "";
    struct fi_cq_tagged_entry done;
    struct fid *fids[] = {&p->b.rx->fid};
    asleep(p, fids, &entry);
    CALL(fi_trecv(p->b.ep, got, 4, NULL, FI_ADDR_UNSPEC, 1, 0, got));
    CALL(fi_tinject(p->a.ep, "fd!", 4, p->a.peer, 1));
    int result = 0;
    for (int i = 0; i < 1000 && result != 1; i++) {
        int may_wait = fi_trywait(p->fabric, fids, 1);
        CHECK(may_wait == 0 || may_wait == -FI_EAGAIN);
        if (may_wait == 0) CHECK(poll(&entry, 1, 1000) == 1);
        result = (int)fi_cq_read(p->b.rx, &done, 1);
    }
    CHECK(result == 1 && done.op_context == got && !strcmp(got, "fd!"));
    asleep(p, fids, &entry);
}

int main(void) {
    for (int i = 0; i < 4; i++) {
        struct choice choice = {.av = i & 1 ? FI_AV_TABLE : FI_AV_MAP, .threading = i & 2 ? FI_THREAD_SAFE : FI_THREAD_DOMAIN,
            .wait = i & 1 ? FI_WAIT_FD : FI_WAIT_UNSPEC};
        struct pair p;
        open_pair(&p, &choice);
        lengths(&p, true);
        lengths(&p, false);
        data_and_inject(&p);
        directed(&p);
        peeks(&p);
        failures(&p);
        several_in_one(&p);
        waits(&p);
        if (choice.wait == FI_WAIT_FD) descriptors(&p);
        close_pair(&p);
    }
    puts("transfers: ok");
    return 0;
}
