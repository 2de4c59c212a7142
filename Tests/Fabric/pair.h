// Two endpoints of the unic provider in one process, on a soft: wire, and what tests ask of them. All through libfabric.
#ifndef PAIR_H
#define PAIR_H
#include <rdma/fabric.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);                                                                \
            exit(1);                                                                                                                       \
        }                                                                                                                                  \
    } while (0)
#define CALL(call)                                                                                                                         \
    do {                                                                                                                                   \
        long result_ = (call);                                                                                                             \
        if (result_ != 0) {                                                                                                                \
            fprintf(stderr, "%s:%d: %s: %ld %s\n", __FILE__, __LINE__, #call, result_, fi_strerror((int)-result_));                        \
            exit(1);                                                                                                                       \
        }                                                                                                                                  \
    } while (0)

#ifndef FI_ENDPOINT_TYPE
#define FI_ENDPOINT_TYPE FI_EP_RDM
#endif

struct side {
    struct fid_domain *domain;
    struct fid_av *av;
    struct fid_cq *tx, *rx;
    struct fid_cntr *sent, *received, *wrote, *read, *served, *written;
    struct fid_ep *ep;
    fi_addr_t peer, self;
};

struct pair {
    struct fi_info *info;
    struct fid_fabric *fabric;
    struct side a, b;
};

struct choice {
    enum fi_av_type av;
    enum fi_threading threading;
    uint64_t tx_bind, rx_bind;
    bool counters;
    enum fi_wait_obj wait;
    bool automatic; // FI_PROGRESS_AUTO
};

static inline struct fi_info *ask(uint32_t version, const struct fi_info *hints) {
    struct fi_info *info = NULL;
    int result = fi_getinfo(version, NULL, NULL, 0, hints, &info);
    CHECK(result == 0 || result == -FI_ENODATA);
    return result == 0 ? info : NULL;
}

static inline struct fi_info *make_hints(void) {
    struct fi_info *hints = fi_allocinfo();
    hints->fabric_attr->prov_name = strdup("unic");
    hints->ep_attr->type = FI_ENDPOINT_TYPE;
    hints->caps = FI_MSG | FI_SOURCE;
    if (FI_ENDPOINT_TYPE == FI_EP_RDM) hints->caps |= FI_TAGGED | FI_RMA | FI_ATOMIC | FI_DIRECTED_RECV | FI_MULTI_RECV;
    return hints;
}

static inline void open_side(struct pair *pair, struct side *side, const struct choice *choice) {
    CALL(fi_domain(pair->fabric, pair->info, &side->domain, NULL));
    struct fi_av_attr av = {.type = choice->av, .count = 16};
    CALL(fi_av_open(side->domain, &av, &side->av, NULL));
    struct fi_cq_attr cq = {.format = FI_CQ_FORMAT_TAGGED, .wait_obj = choice->wait ? choice->wait : FI_WAIT_UNSPEC, .size = 64};
    CALL(fi_cq_open(side->domain, &cq, &side->tx, side));
    CALL(fi_cq_open(side->domain, &cq, &side->rx, side));
    CALL(fi_endpoint(side->domain, pair->info, &side->ep, side));
    CALL(fi_ep_bind(side->ep, &side->av->fid, 0));
    CALL(fi_ep_bind(side->ep, &side->tx->fid, FI_TRANSMIT | choice->tx_bind));
    CALL(fi_ep_bind(side->ep, &side->rx->fid, FI_RECV | choice->rx_bind));
    if (choice->counters) {
        struct fi_cntr_attr attr = {.events = FI_CNTR_EVENTS_COMP, .wait_obj = FI_WAIT_UNSPEC};
        CALL(fi_cntr_open(side->domain, &attr, &side->sent, NULL));
        CALL(fi_cntr_open(side->domain, &attr, &side->received, NULL));
        CALL(fi_cntr_open(side->domain, &attr, &side->wrote, NULL));
        CALL(fi_cntr_open(side->domain, &attr, &side->read, NULL));
        CALL(fi_cntr_open(side->domain, &attr, &side->served, NULL));
        CALL(fi_cntr_open(side->domain, &attr, &side->written, NULL));
        CALL(fi_ep_bind(side->ep, &side->sent->fid, FI_SEND));
        CALL(fi_ep_bind(side->ep, &side->received->fid, FI_RECV));
        CALL(fi_ep_bind(side->ep, &side->wrote->fid, FI_WRITE));
        CALL(fi_ep_bind(side->ep, &side->read->fid, FI_READ));
        CALL(fi_ep_bind(side->ep, &side->served->fid, FI_REMOTE_READ));
        CALL(fi_ep_bind(side->ep, &side->written->fid, FI_REMOTE_WRITE));
    }
    CALL(fi_enable(side->ep));
}

static inline void introduce(struct side *to, struct side *whom, fi_addr_t *number) {
    uint8_t name[64];
    size_t length = sizeof name;
    CALL(fi_getname(&whom->ep->fid, name, &length));
    CHECK(length == 24);
    CHECK(fi_av_insert(to->av, name, 1, number, 0, NULL) == 1);
}

static inline void open_pair(struct pair *pair, const struct choice *choice) {
    memset(pair, 0, sizeof *pair);
    struct fi_info *hints = make_hints();
    hints->domain_attr->threading = choice->threading;
    if (choice->automatic) hints->domain_attr->data_progress = FI_PROGRESS_AUTO;
    if (choice->counters) hints->caps |= FI_RMA_EVENT;
    CHECK(pair->info = ask(FI_VERSION(1, 17), hints));
    fi_freeinfo(hints);
    CALL(fi_fabric(pair->info->fabric_attr, &pair->fabric, NULL));
    open_side(pair, &pair->a, choice);
    open_side(pair, &pair->b, choice);
    // In different orders, so that numbers differ.
    introduce(&pair->a, &pair->a, &pair->a.self);
    introduce(&pair->a, &pair->b, &pair->a.peer);
    introduce(&pair->b, &pair->a, &pair->b.peer);
    introduce(&pair->b, &pair->b, &pair->b.self);
}

static inline void close_side(struct side *side) {
    CHECK(fi_close(&side->tx->fid) == -FI_EBUSY);
    CHECK(fi_close(&side->av->fid) == -FI_EBUSY);
    CHECK(fi_close(&side->domain->fid) == -FI_EBUSY);
    CALL(fi_close(&side->ep->fid));
    if (side->sent) {
        CALL(fi_close(&side->sent->fid));
        CALL(fi_close(&side->received->fid));
        CALL(fi_close(&side->wrote->fid));
        CALL(fi_close(&side->read->fid));
        CALL(fi_close(&side->served->fid));
        CALL(fi_close(&side->written->fid));
    }
    CALL(fi_close(&side->tx->fid));
    CALL(fi_close(&side->rx->fid));
    CALL(fi_close(&side->av->fid));
    CALL(fi_close(&side->domain->fid));
}

static inline void close_pair(struct pair *pair) {
    CHECK(fi_close(&pair->fabric->fid) == -FI_EBUSY);
    close_side(&pair->a);
    close_side(&pair->b);
    CALL(fi_close(&pair->fabric->fid));
    fi_freeinfo(pair->info);
}

static inline double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

// Drives the other side, too: progress is the application's here.
static inline void turn(struct pair *pair) {
    struct fid_cq *queues[] = {pair->a.tx, pair->a.rx, pair->b.tx, pair->b.rx};
    for (int i = 0; i < 4; i++) {
        long result = fi_cq_read(queues[i], NULL, 0);
        CHECK(result == 0 || result == -FI_EAGAIN || result == -FI_EAVAIL);
    }
}

// The next entry of a queue, within ten seconds.
#define next(pair, queue, source) next_at(__LINE__, pair, queue, source)
static inline struct fi_cq_tagged_entry next_at(int line, struct pair *pair, struct fid_cq *queue, fi_addr_t *source) {
    struct fi_cq_tagged_entry entry = {0};
    double end = seconds() + 10;
    while (seconds() < end) {
        long result = fi_cq_readfrom(queue, &entry, 1, source);
        if (result == 1) return entry;
        if (result == -FI_EAVAIL) {
            struct fi_cq_err_entry error = {0};
            fi_cq_readerr(queue, &error, 0);
            fprintf(stderr, "line %d: an operation failed: %s\n", line, fi_strerror(error.err));
            exit(1);
        }
        CHECK(result == -FI_EAGAIN);
        turn(pair);
    }
    fprintf(stderr, "line %d: no entry within ten seconds\n", line);
    exit(1);
}

#define next_error(pair, queue) next_error_at(__LINE__, pair, queue)
static inline struct fi_cq_err_entry next_error_at(int line, struct pair *pair, struct fid_cq *queue) {
    struct fi_cq_err_entry error = {0};
    struct fi_cq_tagged_entry entry;
    double end = seconds() + 10;
    while (seconds() < end) {
        long result = fi_cq_read(queue, &entry, 1);
        CHECK(result == -FI_EAGAIN || result == -FI_EAVAIL);
        if (result == -FI_EAVAIL) {
            CHECK(fi_cq_readerr(queue, &error, 0) == 1);
            return error;
        }
        turn(pair);
    }
    fprintf(stderr, "line %d: no error within ten seconds\n", line);
    exit(1);
}

static inline void nothing(struct pair *pair, struct fid_cq *queue) {
    struct fi_cq_tagged_entry entry;
    for (int i = 0; i < 200; i++) {
        turn(pair);
        CHECK(fi_cq_read(queue, &entry, 1) == -FI_EAGAIN);
    }
}

static inline void fill(uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(i * 31 + seed * 17 + (i >> 8));
}
static inline bool is_filled(const uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (uint8_t)(i * 31 + seed * 17 + (i >> 8))) return false;
    return true;
}
#endif
