// Reliable connections: messages, immediate data, writes, reads, their order, what is refused, and the end of a peer.
#include "pair.h"

enum { size = 4 << 20, guard = 4096 };
static uint8_t *memory;
static struct ibv_mr *mr;
static struct ibv_qp *qp;
static struct place peer;
static const int every = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ;

// A new connection between both sides. The region starts behind a guard page.
static void connect_qp(int access, struct ibv_mr *shown) {
    qp = make_qp(IBV_QPT_RC);
    CHECK(to_init(qp, access) == 0);
    peer = meet((struct place){.qpn = qp->qp_num, .rkey = shown->rkey, .address = (uintptr_t)shown->addr});
    CHECK(to_receive(qp, peer.qpn) == 0 && to_send(qp) == 0);
    together();
}

static void end_qp(void) {
    together();
    CHECK(ibv_destroy_qp(qp) == 0);
    struct ibv_wc wc;
    while (ibv_poll_cq(cq, 1, &wc) > 0) {}
}

static int post(uint64_t id, enum ibv_wr_opcode opcode, void *address, uint32_t length, uint64_t remote, uint32_t rkey, unsigned flags) {
    struct ibv_sge piece = {.addr = (uintptr_t)address, .length = length, .lkey = mr->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &piece, .num_sge = 1, .opcode = opcode, .send_flags = flags,
        .imm_data = htobe32(0xabcd0000u + (uint32_t)id), .wr.rdma = {.remote_addr = remote, .rkey = rkey}};
    struct ibv_send_wr *bad = NULL;
    int result = ibv_post_send(qp, &request, &bad);
    CHECK(result == 0 || bad == &request);
    return result;
}

static int signaled(uint64_t id, enum ibv_wr_opcode opcode, void *address, uint32_t length, uint64_t remote) {
    return post(id, opcode, address, length, remote, peer.rkey, IBV_SEND_SIGNALED);
}

static void states(void) {
    qp = make_qp(IBV_QPT_RC);
    CHECK(receive(qp, 1, memory, 64, mr) == EINVAL);
    CHECK(to_send(qp) == EINVAL && to_receive(qp, 77) == EINVAL);
    struct ibv_qp_attr attributes = {.qp_state = IBV_QPS_INIT, .port_num = 1};
    CHECK(ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_PORT) == EINVAL);
    CHECK(to_init(qp, 0) == 0);
    CHECK(signaled(1, IBV_WR_SEND, memory, 64, 0) == EINVAL);
    CHECK(receive(qp, 1, memory, 64, mr) == 0);
    CHECK(state_of(qp) == IBV_QPS_INIT && qp->state == IBV_QPS_INIT);
    attributes.qp_state = IBV_QPS_ERR;
    CHECK(ibv_modify_qp(qp, &attributes, IBV_QP_STATE) == 0);
    expect(1, IBV_WC_WR_FLUSH_ERR);
    CHECK(receive(qp, 2, memory, 64, mr) == 0);
    expect(2, IBV_WC_WR_FLUSH_ERR);
    attributes.qp_state = IBV_QPS_RESET;
    CHECK(ibv_modify_qp(qp, &attributes, IBV_QP_STATE) == 0 && state_of(qp) == IBV_QPS_RESET);
    CHECK(ibv_destroy_qp(qp) == 0);
}

static void messages(void) {
    connect_qp(every, mr);
    if (side == 0) {
        fill(memory, size, 1);
        CHECK(post(1, IBV_WR_SEND_WITH_IMM, memory, 50, 0, 0, IBV_SEND_SIGNALED | IBV_SEND_INLINE) == 0);
        memset(memory, 0, 50);
        CHECK(expect(1, IBV_WC_SUCCESS).opcode == IBV_WC_SEND);
        fill(memory, size, 1);
        // Longer and shorter ones, more than have a receive at first, one of each two silent.
        for (uint64_t id = 2; id < 20; id++)
            CHECK(post(id, IBV_WR_SEND, memory, id % 3 ? (uint32_t)id * 999 : 1000000, 0, 0, id % 2 ? IBV_SEND_SIGNALED : 0) == 0);
        for (uint64_t id = 3; id < 20; id += 2) expect(id, IBV_WC_SUCCESS);
        CHECK(post(20, IBV_WR_ATOMIC_FETCH_AND_ADD, memory, 8, peer.address, peer.rkey, IBV_SEND_SIGNALED) == EOPNOTSUPP);
        CHECK(post(21, IBV_WR_SEND, memory, 65, 0, 0, IBV_SEND_INLINE) == EINVAL);
    } else {
        CHECK(receive(qp, 1, memory, 64, mr) == 0);
        struct ibv_wc wc = expect(1, IBV_WC_SUCCESS);
        CHECK(wc.opcode == IBV_WC_RECV && wc.byte_len == 50 && is_filled(memory, 50, 1));
        CHECK(wc.wc_flags == IBV_WC_WITH_IMM && be32toh(wc.imm_data) == 0xabcd0001u && wc.qp_num == qp->qp_num);
        usleep(50000);
        for (uint64_t id = 2; id < 20; id++) {
            CHECK(receive(qp, id, memory, size, mr) == 0);
            wc = expect(id, IBV_WC_SUCCESS);
            CHECK(wc.byte_len == (id % 3 ? id * 999 : 1000000) && wc.wc_flags == 0 && is_filled(memory, wc.byte_len, 1));
        }
    }
    end_qp();
}

static void writes_and_reads(void) {
    connect_qp(every, mr);
    if (side == 0) {
        fill(memory, size, 2);
        // A message behind a long write finds it there.
        CHECK(signaled(1, IBV_WR_RDMA_WRITE, memory, 3000000, peer.address) == 0);
        CHECK(signaled(2, IBV_WR_SEND, memory, 8, 0) == 0);
        CHECK(expect(1, IBV_WC_SUCCESS).opcode == IBV_WC_RDMA_WRITE);
        expect(2, IBV_WC_SUCCESS);
        together();
        CHECK(signaled(3, IBV_WR_RDMA_WRITE_WITH_IMM, memory, 40000, peer.address + 100) == 0);
        CHECK(signaled(4, IBV_WR_SEND, memory, 8, 0) == 0);
        expect(3, IBV_WC_SUCCESS);
        expect(4, IBV_WC_SUCCESS);
        together();
        // Reads, a fence, and several at once.
        memset(memory, 0, size);
        for (uint64_t id = 5; id < 15; id++) CHECK(signaled(id, IBV_WR_RDMA_READ, memory + id * 100000, 100000, peer.address + id) == 0);
        CHECK(post(15, IBV_WR_SEND, memory, 8, 0, 0, IBV_SEND_SIGNALED | IBV_SEND_FENCE) == 0);
        for (uint64_t id = 5; id < 15; id++) CHECK(expect(id, IBV_WC_SUCCESS).opcode == IBV_WC_RDMA_READ);
        expect(15, IBV_WC_SUCCESS);
        uint8_t *wanted = malloc(size);
        fill(wanted, size, 3);
        for (uint64_t id = 5; id < 15; id++) CHECK(!memcmp(memory + id * 100000, wanted + id, 100000));
        free(wanted);
    } else {
        memset(memory, 0, size);
        for (uint64_t id = 1; id < 5; id++) CHECK(receive(qp, id, memory + size - 64 * id, 64, mr) == 0);
        expect(1, IBV_WC_SUCCESS);
        CHECK(is_filled(memory, 3000000, 2) && memory[3000000] == 0);
        together();
        struct ibv_wc wc = expect(2, IBV_WC_SUCCESS);
        CHECK(wc.opcode == IBV_WC_RECV_RDMA_WITH_IMM && wc.byte_len == 40000 && be32toh(wc.imm_data) == 0xabcd0003u);
        CHECK(is_filled(memory + 100, 40000, 2));
        CHECK(expect(3, IBV_WC_SUCCESS).opcode == IBV_WC_RECV);
        fill(memory, size, 3);
        together();
        expect(4, IBV_WC_SUCCESS);
    }
    end_qp();
}

// The peer has a region without guard pages' neighbours: bytes around it stay as they are.
static void refused(const char *what, int access, struct ibv_mr *shown, enum ibv_wr_opcode opcode, int64_t offset, uint32_t length,
    uint32_t key_error) {
    connect_qp(access, shown);
    if (side == 0) {
        CHECK(post(1, opcode, memory, length, peer.address + (uint64_t)offset, peer.rkey ^ key_error, 0) == 0);
        CHECK(signaled(2, IBV_WR_SEND, memory, 8, 0) == 0);
        // Errors complete, whatever was asked for; what follows is flushed.
        expect(1, IBV_WC_REM_ACCESS_ERR);
        expect(2, IBV_WC_WR_FLUSH_ERR);
        CHECK(state_of(qp) == IBV_QPS_ERR);
        CHECK(signaled(3, IBV_WR_SEND, memory, 8, 0) == 0);
        expect(3, IBV_WC_WR_FLUSH_ERR);
    } else {
        CHECK(receive(qp, 1, memory, 64, mr) == 0);
    }
    together();
    // Nothing was told of what was refused.
    struct ibv_wc wc;
    if (side == 1) CHECK(ibv_poll_cq(cq, 1, &wc) == 0);
    if (side == 1 && !is_filled(memory + guard, 3 * guard, 9)) {
        fprintf(stderr, "%s: bytes were written\n", what);
        _exit(1);
    }
    end_qp();
}

static void refusals(void) {
    fill(memory + guard, 3 * guard, 9);
    struct ibv_mr *middle = ibv_reg_mr(pd, memory + 2 * guard, guard, every);
    struct ibv_mr *read_only = ibv_reg_mr(pd, memory + 2 * guard, guard, IBV_ACCESS_REMOTE_READ);
    CHECK(middle && read_only);
    CHECK(!ibv_reg_mr(pd, memory, guard, IBV_ACCESS_REMOTE_WRITE) && errno == EINVAL);
    refused("a byte behind", every, middle, IBV_WR_RDMA_WRITE, 1, guard, 0);
    refused("a byte before", every, middle, IBV_WR_RDMA_WRITE, -1, 2, 0);
    refused("long, behind", every, middle, IBV_WR_RDMA_WRITE, 1, 1 << 20, 0);
    refused("immediate", every, middle, IBV_WR_RDMA_WRITE_WITH_IMM, guard, 1, 0);
    refused("around the end of numbers", every, middle, IBV_WR_RDMA_WRITE, INT64_MIN, 64, 0);
    refused("read behind", every, middle, IBV_WR_RDMA_READ, 1, guard, 0);
    refused("wrong key", every, middle, IBV_WR_RDMA_WRITE, 0, 64, 1);
    refused("read-only region", every, read_only, IBV_WR_RDMA_WRITE, 0, 64, 0);
    refused("queue pair without writes", IBV_ACCESS_REMOTE_READ, middle, IBV_WR_RDMA_WRITE, 0, 64, 0);
    CHECK(ibv_dereg_mr(middle) == 0 && ibv_dereg_mr(read_only) == 0);
}

// Side 0 writes before side 1 has made its step to RTR.
static void early(void) {
    qp = make_qp(IBV_QPT_RC);
    CHECK(to_init(qp, every) == 0);
    peer = meet((struct place){.qpn = qp->qp_num, .rkey = mr->rkey, .address = (uintptr_t)memory});
    if (side == 0) {
        fill(memory, size, 4);
        CHECK(to_receive(qp, peer.qpn) == 0 && to_send(qp) == 0);
        CHECK(signaled(1, IBV_WR_RDMA_WRITE, memory, 100000, peer.address) == 0);
        CHECK(signaled(2, IBV_WR_SEND, memory, 8, 0) == 0);
        expect(1, IBV_WC_SUCCESS);
        expect(2, IBV_WC_SUCCESS);
    } else {
        CHECK(receive(qp, 1, memory + size - 64, 64, mr) == 0);
        usleep(100000);
        CHECK(to_receive(qp, peer.qpn) == 0);
        expect(1, IBV_WC_SUCCESS);
        CHECK(is_filled(memory, 100000, 4));
    }
    end_qp();
}

static void local_errors(void) {
    // The receiver's memory is too short.
    connect_qp(every, mr);
    if (side == 1) {
        CHECK(receive(qp, 1, memory, 100, mr) == 0 && receive(qp, 2, memory, 100, mr) == 0);
        together();
        expect(1, IBV_WC_LOC_LEN_ERR);
        expect(2, IBV_WC_WR_FLUSH_ERR);
        CHECK(state_of(qp) == IBV_QPS_ERR);
    } else {
        together();
        CHECK(signaled(1, IBV_WR_SEND, memory, 101, 0) == 0);
    }
    end_qp();
    // The sender's key does not allow what it asks for: bytes behind the region.
    connect_qp(every, mr);
    if (side == 0) {
        CHECK(post(1, IBV_WR_SEND, memory + size - 10, 11, 0, 0, 0) == 0);
        expect(1, IBV_WC_LOC_PROT_ERR);
        CHECK(state_of(qp) == IBV_QPS_ERR);
    }
    end_qp();
}

// Two queue pairs of one port.
static void alone(void) {
    struct place theirs = peer;
    struct ibv_qp *ends[2] = {make_qp(IBV_QPT_RC), make_qp(IBV_QPT_RC)};
    union ibv_gid other = peer_gid;
    peer_gid = gid;
    for (int i = 0; i < 2; i++) CHECK(to_init(ends[i], every) == 0 && to_receive(ends[i], ends[!i]->qp_num) == 0 && to_send(ends[i]) == 0);
    fill(memory, size, 8);
    CHECK(receive(ends[1], 1, memory + size / 2, size / 2, mr) == 0);
    qp = ends[0];
    peer.rkey = mr->rkey;
    CHECK(signaled(2, IBV_WR_RDMA_WRITE, memory, 500000, (uintptr_t)memory + 1000000) == 0);
    CHECK(signaled(3, IBV_WR_SEND, memory, 400000, 0) == 0);
    bool seen[4] = {false};
    for (int count = 0; count < 3; count++) {
        struct ibv_wc wc;
        CHECK(completes(&wc, 20000) && wc.status == IBV_WC_SUCCESS && wc.wr_id < 4 && !seen[wc.wr_id]);
        seen[wc.wr_id] = true;
    }
    CHECK(is_filled(memory + 1000000, 500000, 8) && is_filled(memory + size / 2, 400000, 8));
    CHECK(ibv_destroy_qp(ends[0]) == 0 && ibv_destroy_qp(ends[1]) == 0);
    peer = theirs;
    peer_gid = other;
}

// Side 1 is gone without a word while side 0 waits for it.
static void death(void) {
    connect_qp(every, mr);
    if (side == 1) {
        together();
        _exit(0);
    }
    CHECK(receive(qp, 1, memory, 64, mr) == 0);
    together();
    CHECK(signaled(2, IBV_WR_SEND, memory, 1 << 20, 0) == 0);
    expect(2, IBV_WC_RETRY_EXC_ERR);
    expect(1, IBV_WC_WR_FLUSH_ERR);
    CHECK(ibv_destroy_qp(qp) == 0);
}

int main(void) {
    start();
    memory = aligned_alloc(4096, size);
    CHECK(memory);
    mr = ibv_reg_mr(pd, memory, size, every);
    CHECK(mr);
    states();
    messages();
    writes_and_reads();
    refusals();
    early();
    local_errors();
    alone();
    death();
    CHECK(ibv_dereg_mr(mr) == 0);
    return finish("connected");
}
