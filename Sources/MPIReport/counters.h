// What this process has sent, by call, by peer and by size.
#ifndef UNIC_COUNTERS_H
#define UNIC_COUNTERS_H
#include "mpi_calls.h"
#include <stdbool.h>
#include <stdint.h>

struct unic_call_counter { uint64_t count, ticks, bytes; };
struct unic_message_counter { uint64_t messages, bytes; };

// Size class 0 has nothing in it, class n has 2^(n-1) up to 2^n - 1 bytes, the last one all that is longer.
enum { UNIC_SIZE_CLASSES = 34 };

// One call for the trace.
struct unic_event { uint64_t start, ticks, bytes; int32_t peer; uint32_t call; };

struct unic_counters {
    // Between MPI_Init and MPI_Finalize.
    bool active;
    // MPI_THREAD_MULTIPLE: only then several threads count at a time.
    bool threads;
    int rank, world_size;
    uint64_t started_ticks, started_nanoseconds;
    struct unic_call_counter calls[UNIC_CALL_COUNT];
    struct unic_message_counter message_sizes[UNIC_SIZE_CLASSES], collective_sizes[UNIC_SIZE_CLASSES];
    // One a rank of the job, and one for processes that came later (MPI_Comm_spawn, MPI_Comm_connect).
    struct unic_message_counter *peers;
    // Starts of persistent sends whose size and peer were not kept.
    uint64_t unattributed;
    struct unic_event *events;
    uint64_t event_limit, event_count;
};

extern struct unic_counters unic_counters;

// Calls that an MPI library's function makes of another are not the program's. One word a thread.
extern __thread int unic_depth __attribute__((tls_model("initial-exec")));

// Of the processor's clock; how long one takes is measured over the whole run.
static inline uint64_t unic_ticks(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
#error "no clock is known for this processor"
#endif
}

uint64_t unic_nanoseconds(void);
double unic_nanoseconds_per_tick(void);

// Errors: false, no memory.
bool unic_start_counting(int rank, int world_size, bool threads, uint64_t event_limit);

// A call without a message. `begin` is when it began.
void unic_count_call(enum unic_call call, uint64_t begin);
// A call that sends to a rank of a communicator.
void unic_count_send(enum unic_call call, uint64_t begin, MPI_Comm comm, int peer, int count, MPI_Datatype type);
// A message of a request that was made earlier; `peer` is a rank of the job.
void unic_count_started(enum unic_call call, uint64_t begin, int peer, uint64_t bytes);
void unic_count_collective(enum unic_call call, uint64_t begin, uint64_t bytes);

uint64_t unic_byte_count(int count, MPI_Datatype type);
#endif
