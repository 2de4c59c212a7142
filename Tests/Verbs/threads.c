// Verbs objects are any thread's: two threads with a connection each, and two that share one, all on one device.
#include "pair.h"
#include <pthread.h>

enum { rounds = 1500, size = 1024 };
static uint8_t *memory;
static struct ibv_mr *mr;
static struct ibv_qp *qps[3];
static struct ibv_cq *cqs[3];

static struct ibv_wc next(struct ibv_cq *queue) {
    struct ibv_wc wc;
    uint64_t end = milliseconds() + 30000;
    int count;
    while ((count = ibv_poll_cq(queue, 1, &wc)) == 0) CHECK(milliseconds() < end);
    CHECK(count == 1 && wc.status == IBV_WC_SUCCESS);
    return wc;
}

static int post(struct ibv_qp *qp, uint64_t id, void *address) {
    struct ibv_sge piece = {.addr = (uintptr_t)address, .length = size, .lkey = mr->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &piece, .num_sge = 1, .opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SIGNALED};
    struct ibv_send_wr *bad = NULL;
    return ibv_post_send(qp, &request, &bad);
}

// To and fro on a connection of its own.
static void *alone(void *argument) {
    long index = (long)argument;
    uint8_t *out = memory + index * 2 * size, *in = out + size;
    for (unsigned round = 0; round < rounds; round++) {
        CHECK(receive(qps[index], 1, in, size, mr) == 0);
        if (side == 0) {
            fill(out, size, round);
            CHECK(post(qps[index], 2, out) == 0);
        }
        bool received = false, sent = false;
        while (!received || (side == 0 && !sent)) {
            struct ibv_wc wc = next(cqs[index]);
            if (wc.wr_id == 1) received = true; else sent = true;
        }
        CHECK(is_filled(in, size, round));
        if (side == 1) {
            fill(out, size, round);
            CHECK(post(qps[index], 2, out) == 0 && next(cqs[index]).wr_id == 2);
        }
    }
    return NULL;
}

// Half of the shared connection's messages, and whatever completions come along.
static long completed;
static void *shared(void *argument) {
    uint8_t *mine = memory + 8 * size + (long)argument * size;
    for (int posted = 0; posted < rounds || __atomic_load_n(&completed, __ATOMIC_RELAXED) < 2 * rounds;) {
        if (posted < rounds) {
            int code = side == 0 ? post(qps[2], 3, mine) : receive(qps[2], 3, mine, size, mr);
            CHECK(code == 0 || code == ENOMEM);
            if (code == 0) posted++;
        }
        struct ibv_wc wc[4];
        int count = ibv_poll_cq(cqs[2], 4, wc);
        CHECK(count >= 0);
        for (int i = 0; i < count; i++) CHECK(wc[i].status == IBV_WC_SUCCESS && wc[i].wr_id == 3);
        __atomic_fetch_add(&completed, count, __ATOMIC_RELAXED);
    }
    return NULL;
}

int main(void) {
    start();
    memory = aligned_alloc(4096, 16 * size);
    CHECK(memory);
    mr = ibv_reg_mr(pd, memory, 16 * size, IBV_ACCESS_LOCAL_WRITE);
    CHECK(mr);
    struct ibv_cq *own = cq;
    for (int i = 0; i < 3; i++) {
        cq = cqs[i] = ibv_create_cq(context, 256, NULL, NULL, 0);
        CHECK(cqs[i]);
        qps[i] = make_qp(IBV_QPT_RC);
        CHECK(to_init(qps[i], 0) == 0);
        struct place peer = meet((struct place){.qpn = qps[i]->qp_num});
        CHECK(to_receive(qps[i], peer.qpn) == 0 && to_send(qps[i]) == 0);
    }
    cq = own;
    pthread_t threads[4];
    for (long i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, i < 2 ? alone : shared, (void *)(i & 1)) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(completed == 2 * rounds);
    together();
    for (int i = 0; i < 3; i++) CHECK(ibv_destroy_qp(qps[i]) == 0 && ibv_destroy_cq(cqs[i]) == 0);
    CHECK(ibv_dereg_mr(mr) == 0);
    return finish("threads");
}
