// FI_THREAD_SAFE: threads open, bind and close a domain's objects while another one reads its queue and counter. No reference gets lost,
// or what is closed last stays busy.
#include "pair.h"
#include <pthread.h>
#include <stdatomic.h>

enum { ROUNDS = 400000, ENDPOINTS = 9 };
static struct pair p;
static atomic_bool is_over;

static void *opens(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        struct fid_cntr *counter;
        struct fid_av *vector;
        struct fid_eq *events;
        struct fi_cntr_attr attributes = {.events = FI_CNTR_EVENTS_COMP, .wait_obj = FI_WAIT_UNSPEC};
        struct fi_av_attr av = {.type = FI_AV_MAP, .count = 1};
        struct fi_eq_attr eq = {.size = 1, .wait_obj = FI_WAIT_NONE};
        CALL(fi_cntr_open(p.a.domain, &attributes, &counter, NULL));
        CALL(fi_av_open(p.a.domain, &av, &vector, NULL));
        CALL(fi_eq_open(p.fabric, &eq, &events, NULL));
        CALL(fi_close(&events->fid));
        CALL(fi_close(&vector->fid));
        CALL(fi_close(&counter->fid));
    }
    return NULL;
}

// So many that the queue's list of them grows.
static void *binds(void *unused) {
    (void)unused;
    for (int i = 0; i < ROUNDS / 50; i++) {
        struct fid_ep *endpoints[ENDPOINTS];
        for (int k = 0; k < ENDPOINTS; k++) {
            CALL(fi_endpoint(p.a.domain, p.info, &endpoints[k], NULL));
            CALL(fi_ep_bind(endpoints[k], &p.a.av->fid, 0));
            CALL(fi_ep_bind(endpoints[k], &p.a.tx->fid, FI_TRANSMIT | FI_RECV));
            CALL(fi_ep_bind(endpoints[k], &p.a.sent->fid, FI_SEND));
        }
        for (int k = 0; k < ENDPOINTS; k++) CALL(fi_close(&endpoints[k]->fid));
    }
    return NULL;
}

static void *reads(void *unused) {
    (void)unused;
    while (!is_over) {
        struct fi_cq_tagged_entry entry;
        CHECK(fi_cq_read(p.a.tx, &entry, 1) == -FI_EAGAIN);
        CHECK(fi_cntr_read(p.a.sent) == 0);
    }
    return NULL;
}

int main(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_SAFE, .counters = true};
    open_pair(&p, &choice);
    // First openers alone, which meet most often.
    pthread_t threads[3];
    void *(*const work[2][3])(void *) = {{opens, opens, NULL}, {binds, binds, reads}};
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < 3; i++) CHECK(!work[turn][i] || pthread_create(&threads[i], NULL, work[turn][i], NULL) == 0);
        for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    }
    is_over = true;
    CHECK(pthread_join(threads[2], NULL) == 0);
    close_pair(&p);
    puts("sharing: ok");
    return 0;
}
