// Unreliable datagrams: the route header, answers by it, what is dropped, a port's datagrams to itself, events.
#include "pair.h"

enum { size = 64 * 1024, header = 40 };
static uint8_t *memory;
static struct ibv_mr *mr;
static struct ibv_qp *qp;

static int send_to(struct ibv_ah *ah, uint32_t qpn, uint32_t qkey, uint64_t id, uint32_t length) {
    struct ibv_sge piece = {.addr = (uintptr_t)memory, .length = length, .lkey = mr->lkey};
    struct ibv_send_wr request = {.wr_id = id, .sg_list = &piece, .num_sge = 1, .opcode = IBV_WR_SEND_WITH_IMM,
        .send_flags = IBV_SEND_SIGNALED, .imm_data = htobe32(0x11220000u + (uint32_t)id),
        .wr.ud = {.ah = ah, .remote_qpn = qpn, .remote_qkey = qkey}};
    struct ibv_send_wr *bad = NULL;
    return ibv_post_send(qp, &request, &bad);
}

static struct ibv_ah *to(union ibv_gid who) {
    peer_gid = who;
    struct ibv_ah_attr where = path();
    struct ibv_ah *ah = ibv_create_ah(pd, &where);
    CHECK(ah);
    return ah;
}

static void drops(struct place peer) {
    struct ibv_ah *ah = to(peer.gid);
    if (side == 0) {
        CHECK(send_to(ah, peer.qpn, 0x9999, 1, 100) == 0 && send_to(ah, peer.qpn + 1, 0x1234, 2, 100) == 0);
        CHECK(send_to(ah, peer.qpn, 0x1234, 3, 2000) == 0 && send_to(ah, peer.qpn, 0x1234, 4, 5000) == 0);
        CHECK(send_to(ah, peer.qpn, 0x1234, 5, 300) == 0);
        for (uint64_t id = 1; id < 6; id++) expect(id, IBV_WC_SUCCESS);
    } else {
        // Wrong key, nobody's number, too long for the receive, too long for the port: only the last one comes.
        CHECK(receive(qp, 9, memory, 1000, mr) == 0);
        together();
        struct ibv_wc wc = expect(9, IBV_WC_SUCCESS);
        CHECK(wc.byte_len == 300 + header && be32toh(wc.imm_data) == 0x11220005u);
        CHECK(!completes(&wc, 50));
    }
    if (side == 0) together();
    together();
    CHECK(ibv_destroy_ah(ah) == 0);
}

static void answers(struct place peer) {
    fill(memory, size, 4u + (unsigned)side);
    if (side == 1) CHECK(receive(qp, 1, memory + 8192, 4096 + header, mr) == 0);
    together();
    if (side == 0) {
        CHECK(receive(qp, 1, memory + 8192, 4096 + header, mr) == 0);
        struct ibv_ah *ah = to(peer.gid);
        CHECK(send_to(ah, peer.qpn, 0x1234, 2, 4096) == 0);
        struct ibv_wc wc;
        for (int count = 0; count < 2; count++) {
            CHECK(completes(&wc, 20000) && wc.status == IBV_WC_SUCCESS);
            if (wc.wr_id == 1) CHECK(wc.byte_len == 77 + header && is_filled(memory + 8192 + header, 77, 5));
        }
        CHECK(ibv_destroy_ah(ah) == 0);
    } else {
        struct ibv_wc wc = expect(1, IBV_WC_SUCCESS);
        CHECK(wc.opcode == IBV_WC_RECV && wc.byte_len == 4096 + header && wc.wc_flags == (IBV_WC_GRH | IBV_WC_WITH_IMM));
        CHECK(wc.src_qp == peer.qpn && wc.qp_num == qp->qp_num && is_filled(memory + 8192 + header, 4096, 4));
        struct ibv_grh *grh = (struct ibv_grh *)(memory + 8192);
        CHECK(!memcmp(&grh->sgid, &peer.gid, 16) && !memcmp(&grh->dgid, &gid, 16));
        struct ibv_ah *ah = ibv_create_ah_from_wc(pd, &wc, grh, 1);
        CHECK(ah);
        CHECK(send_to(ah, wc.src_qp, 0x1234, 2, 77) == 0);
        expect(2, IBV_WC_SUCCESS);
        CHECK(ibv_destroy_ah(ah) == 0);
    }
    together();
}

// To its own port, and while the receiver sleeps for an event.
static void events(void) {
    struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
    CHECK(channel);
    struct ibv_cq *own = cq;
    cq = ibv_create_cq(context, 10, &memory, channel, 0);
    CHECK(cq && ibv_destroy_comp_channel(channel) == EBUSY && ibv_req_notify_cq(cq, 0) == 0);
    struct ibv_qp *first = qp;
    qp = make_qp(IBV_QPT_UD);
    CHECK(ibv_destroy_cq(cq) == EBUSY);
    CHECK(to_init(qp, 0) == 0 && to_receive(qp, 0) == 0 && to_send(qp) == 0 && receive(qp, 1, memory + 8192, 1000, mr) == 0);
    struct ibv_ah *ah = to(gid);
    fill(memory, 100, 6);
    CHECK(send_to(ah, qp->qp_num, 0x1234, 2, 100) == 0);
    struct ibv_cq *woken = NULL;
    void *cookie = NULL;
    CHECK(ibv_get_cq_event(channel, &woken, &cookie) == 0 && woken == cq && cookie == &memory);
    ibv_ack_cq_events(cq, 1);
    struct ibv_wc wc;
    for (int count = 0; count < 2; count++) {
        CHECK(completes(&wc, 1000) && wc.status == IBV_WC_SUCCESS);
        if (wc.wr_id == 1) CHECK(wc.byte_len == 100 + header && is_filled(memory + 8192 + header, 100, 6));
    }
    CHECK(ibv_destroy_ah(ah) == 0 && ibv_destroy_qp(qp) == 0 && ibv_destroy_cq(cq) == 0 && ibv_destroy_comp_channel(channel) == 0);
    qp = first;
    cq = own;
}

int main(void) {
    start();
    memory = aligned_alloc(4096, size);
    CHECK(memory);
    mr = ibv_reg_mr(pd, memory, size, IBV_ACCESS_LOCAL_WRITE);
    CHECK(mr);
    struct ibv_ah_attr local = {.is_global = 0, .dlid = 1, .port_num = 1};
    CHECK(!ibv_create_ah(pd, &local) && errno == EINVAL);
    qp = make_qp(IBV_QPT_UD);
    CHECK(to_init(qp, 0) == 0 && to_receive(qp, 0) == 0 && to_send(qp) == 0);
    struct place peer = meet((struct place){.qpn = qp->qp_num});
    answers(peer);
    drops(peer);
    events();
    CHECK(ibv_destroy_qp(qp) == 0 && ibv_dereg_mr(mr) == 0);
    return finish("datagrams");
}
