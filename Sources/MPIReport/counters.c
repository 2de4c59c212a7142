// What this process has sent, by call, by peer and by size.
#include "counters.h"
#include "peers.h"
#include <stdlib.h>
#include <time.h>

struct unic_counters unic_counters;
__thread int unic_depth;

uint64_t unic_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

double unic_nanoseconds_per_tick(void) {
    uint64_t ticks = unic_ticks() - unic_counters.started_ticks;
    return ticks == 0 ? 0 : (double)(unic_nanoseconds() - unic_counters.started_nanoseconds) / (double)ticks;
}

bool unic_start_counting(int rank, int world_size, bool threads, uint64_t event_limit) {
    struct unic_counters *all = &unic_counters;
    all->peers = calloc((size_t)world_size + 1, sizeof *all->peers);
    if (!all->peers) return false;
    if (event_limit > 0) all->events = calloc(event_limit, sizeof *all->events);
    all->event_limit = all->events ? event_limit : 0;
    all->rank = rank;
    all->world_size = world_size;
    all->threads = threads;
    all->started_ticks = unic_ticks();
    all->started_nanoseconds = unic_nanoseconds();
    all->active = true;
    return true;
}

// Returns what was there before.
static inline uint64_t add(uint64_t *counter, uint64_t amount) {
    if (unic_counters.threads) return __atomic_fetch_add(counter, amount, __ATOMIC_RELAXED);
    uint64_t before = *counter;
    *counter = before + amount;
    return before;
}

static inline unsigned size_class(uint64_t bytes) {
    unsigned class = bytes == 0 ? 0 : 64 - (unsigned)__builtin_clzll(bytes);
    return class < UNIC_SIZE_CLASSES ? class : UNIC_SIZE_CLASSES - 1;
}

static inline void record(enum unic_call call, uint64_t begin, int peer, uint64_t bytes) {
    uint64_t ticks = unic_ticks() - begin;
    struct unic_call_counter *counter = &unic_counters.calls[call];
    add(&counter->count, 1);
    add(&counter->ticks, ticks);
    if (bytes > 0) add(&counter->bytes, bytes);
    if (unic_counters.event_limit == 0) return;
    uint64_t index = add(&unic_counters.event_count, 1);
    if (index >= unic_counters.event_limit) return;
    unic_counters.events[index] = (struct unic_event){begin, ticks, bytes, peer, call};
}

static inline void add_message(struct unic_message_counter *counter, uint64_t bytes) {
    add(&counter->messages, 1);
    add(&counter->bytes, bytes);
}

void unic_count_call(enum unic_call call, uint64_t begin) { record(call, begin, -1, 0); }

void unic_count_started(enum unic_call call, uint64_t begin, int peer, uint64_t bytes) {
    record(call, begin, peer, bytes);
    add_message(&unic_counters.peers[peer], bytes);
    add_message(&unic_counters.message_sizes[size_class(bytes)], bytes);
}

void unic_count_send(enum unic_call call, uint64_t begin, MPI_Comm comm, int peer, int count, MPI_Datatype type) {
    // MPI 3.1 §3.11: nothing is sent to nobody.
    if (peer < 0) return unic_count_call(call, begin);
    unic_count_started(call, begin, unic_world_rank(comm, peer), unic_byte_count(count, type));
}

void unic_count_collective(enum unic_call call, uint64_t begin, uint64_t bytes) {
    record(call, begin, -1, bytes);
    add_message(&unic_counters.collective_sizes[size_class(bytes)], bytes);
}

uint64_t unic_byte_count(int count, MPI_Datatype type) {
    int size = 0;
    if (count <= 0 || unic_mpi.Type_size(type, &size) != MPI_SUCCESS || size <= 0) return 0;
    return (uint64_t)count * (uint64_t)size;
}
