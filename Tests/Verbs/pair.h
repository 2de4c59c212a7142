// Two processes with one verbs device each, and a socket between them by which they meet. All through libibverbs's interface.
#ifndef PAIR_H
#define PAIR_H
#include <errno.h>
#include <infiniband/verbs.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "%s:%d: side %d: %s (errno %d)\n", __FILE__, __LINE__, side, #condition, errno);                               \
            _exit(1);                                                                                                                      \
        }                                                                                                                                  \
    } while (0)

// 0 asks, 1 answers.
static int side;
static int line;
static struct ibv_context *context;
static struct ibv_pd *pd;
static struct ibv_cq *cq;
static union ibv_gid gid, peer_gid;
static struct ibv_port_attr port;

// What each side tells the other.
struct place {
    union ibv_gid gid;
    uint32_t qpn, rkey;
    uint64_t address;
};

static inline void tell(const void *bytes, size_t count) { CHECK(write(line, bytes, count) == (ssize_t)count); }
static inline void hear(void *bytes, size_t count) { CHECK(read(line, bytes, count) == (ssize_t)count); }

static inline struct place meet(struct place mine) {
    struct place theirs;
    mine.gid = gid;
    tell(&mine, sizeof mine);
    hear(&theirs, sizeof theirs);
    peer_gid = theirs.gid;
    return theirs;
}

// Both have come here.
static inline void together(void) {
    char byte = 1;
    tell(&byte, 1);
    hear(&byte, 1);
}

// Makes the other process; returns in both.
static inline void start(void) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    side = child == 0;
    line = ends[side];
    close(ends[!side]);
    alarm(60);
    int count = 0;
    struct ibv_device **list = ibv_get_device_list(&count);
    CHECK(list && count == 1 && !strcmp(ibv_get_device_name(list[0]), "unic0"));
    context = ibv_open_device(list[0]);
    CHECK(context);
    ibv_free_device_list(list);
    pd = ibv_alloc_pd(context);
    cq = ibv_create_cq(context, 1000, NULL, NULL, 0);
    CHECK(pd && cq);
    CHECK(ibv_query_port(context, 1, &port) == 0 && port.state == IBV_PORT_ACTIVE);
    CHECK(ibv_query_gid(context, 1, 0, &gid) == 0);
}

// Side 0 waits for side 1 and has its result, too.
static inline int finish(const char *name) {
    CHECK(ibv_destroy_cq(cq) == 0 && ibv_dealloc_pd(pd) == 0 && ibv_close_device(context) == 0);
    if (side == 1) exit(0);
    int status = 0;
    CHECK(wait(&status) > 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) printf("%s: ok\n", name);
    return status != 0;
}

static inline struct ibv_qp *make_qp(enum ibv_qp_type type) {
    struct ibv_qp_init_attr attributes = {.send_cq = cq, .recv_cq = cq, .qp_type = type,
        .cap = {.max_send_wr = 64, .max_recv_wr = 64, .max_send_sge = 4, .max_recv_sge = 4, .max_inline_data = 64}};
    struct ibv_qp *qp = ibv_create_qp(pd, &attributes);
    CHECK(qp);
    return qp;
}

static inline int to_init(struct ibv_qp *qp, int access) {
    struct ibv_qp_attr attributes = {.qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = access, .qkey = 0x1234};
    int own = qp->qp_type == IBV_QPT_UD ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS;
    return ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | own);
}

static inline struct ibv_ah_attr path(void) {
    return (struct ibv_ah_attr){.is_global = 1, .port_num = 1, .grh = {.dgid = peer_gid, .hop_limit = 1}};
}

static inline int to_receive(struct ibv_qp *qp, uint32_t peer) {
    struct ibv_qp_attr attributes = {.qp_state = IBV_QPS_RTR, .path_mtu = port.active_mtu, .dest_qp_num = peer,
        .max_dest_rd_atomic = 4, .min_rnr_timer = 12, .ah_attr = path()};
    int own = qp->qp_type == IBV_QPT_UD ? 0
        : IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
    return ibv_modify_qp(qp, &attributes, IBV_QP_STATE | own);
}

static inline int to_send(struct ibv_qp *qp) {
    struct ibv_qp_attr attributes = {.qp_state = IBV_QPS_RTS, .timeout = 14, .retry_cnt = 7, .rnr_retry = 7, .max_rd_atomic = 4};
    int own = qp->qp_type == IBV_QPT_UD ? 0 : IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;
    return ibv_modify_qp(qp, &attributes, IBV_QP_STATE | IBV_QP_SQ_PSN | own);
}

static inline enum ibv_qp_state state_of(struct ibv_qp *qp) {
    struct ibv_qp_attr attributes;
    struct ibv_qp_init_attr initial;
    CHECK(ibv_query_qp(qp, &attributes, IBV_QP_STATE, &initial) == 0);
    return attributes.qp_state;
}

static inline uint64_t milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

// The next completion; none within so many milliseconds: false.
static inline bool completes(struct ibv_wc *wc, uint64_t patience) {
    uint64_t end = milliseconds() + patience;
    do {
        int count = ibv_poll_cq(cq, 1, wc);
        CHECK(count >= 0);
        if (count == 1) return true;
    } while (milliseconds() < end);
    return false;
}

static inline struct ibv_wc expect(uint64_t id, enum ibv_wc_status status) {
    struct ibv_wc wc;
    CHECK(completes(&wc, 20000));
    if (wc.wr_id != id || wc.status != status)
        fprintf(stderr, "side %d: request %ju ended with %d, wanted were %ju and %d\n", side, (uintmax_t)wc.wr_id, wc.status, (uintmax_t)id, status);
    CHECK(wc.wr_id == id);
    CHECK(wc.status == status);
    return wc;
}

static inline int receive(struct ibv_qp *qp, uint64_t id, void *address, uint32_t length, struct ibv_mr *mr) {
    struct ibv_sge piece = {.addr = (uintptr_t)address, .length = length, .lkey = mr->lkey};
    struct ibv_recv_wr request = {.wr_id = id, .sg_list = &piece, .num_sge = 1}, *bad = NULL;
    return ibv_post_recv(qp, &request, &bad);
}

static inline void fill(uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(seed * 31 + i * 7 + (i >> 8));
}

static inline bool is_filled(const uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (uint8_t)(seed * 31 + i * 7 + (i >> 8))) return false;
    return true;
}
#endif
