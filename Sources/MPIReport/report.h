// What is told at the end: by rank 0, of all.
#ifndef UNIC_REPORT_H
#define UNIC_REPORT_H
#include "counters.h"
#include "port_page.h"
#include <stdio.h>

// Peers that a rank names; the rest of them are one sum. It bounds rank 0's memory: 4 KiB a rank.
enum { UNIC_NAMED_PEERS = 16 };

// As it goes from a rank to rank 0.
struct unic_rank_report {
    char host[64], problem[400];
    int32_t process, named_peers, other_peers;
    double seconds;
    struct unic_port port;
    // Ticks are nanoseconds here.
    struct unic_call_counter calls[UNIC_CALL_COUNT];
    struct unic_message_counter message_sizes[UNIC_SIZE_CLASSES], collective_sizes[UNIC_SIZE_CLASSES];
    // Those with the most bytes; rank -1: not of this job.
    struct { int32_t rank; struct unic_message_counter sent; } peers[UNIC_NAMED_PEERS];
    struct unic_message_counter others;
    uint64_t unattributed, events_kept, events_dropped;
};

struct unic_rank_report unic_own_report(const char *problem);

// Collective over the job; rank 0 writes.
void unic_report(const char *problem);

// `library` is MPI's name and version.
void unic_write_text(FILE *file, const char *library, const struct unic_rank_report *ranks, int count);
void unic_write_json(FILE *file, const char *library, const struct unic_rank_report *ranks, int count);

// A line a call of the trace: start and duration in microseconds, call, peer, bytes.
void unic_write_trace(const char *path);

double unic_message_seconds(const struct unic_rank_report *rank);
uint64_t unic_size_class_limit(int class);
#endif
