// Gathering what is told at the end, and where to.
#include "report.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_smaller(const struct unic_message_counter *one, const struct unic_message_counter *other) {
    return one->bytes != other->bytes ? one->bytes < other->bytes : one->messages < other->messages;
}

// Puts a peer among the named ones if it has sent more than the least of them, which then joins the others.
static void name_peer(struct unic_rank_report *report, int rank, struct unic_message_counter sent) {
    int place = report->named_peers;
    while (place > 0 && is_smaller(&report->peers[place - 1].sent, &sent)) place--;
    struct unic_message_counter rest = sent;
    if (report->named_peers < UNIC_NAMED_PEERS) report->named_peers++;
    else report->other_peers++;
    if (place < UNIC_NAMED_PEERS) {
        rest = report->peers[UNIC_NAMED_PEERS - 1].sent;
        memmove(&report->peers[place + 1], &report->peers[place], sizeof report->peers[0] * (size_t)(UNIC_NAMED_PEERS - 1 - place));
        report->peers[place].rank = rank;
        report->peers[place].sent = sent;
    }
    if (report->other_peers == 0) return;
    report->others.messages += rest.messages;
    report->others.bytes += rest.bytes;
}

struct unic_rank_report unic_own_report(const char *problem) {
    const struct unic_counters *all = &unic_counters;
    struct unic_rank_report report = {0};
    double tick = unic_nanoseconds_per_tick();
    char name[MPI_MAX_PROCESSOR_NAME] = "";
    int length = 0;
    unic_mpi.Get_processor_name(name, &length);
    snprintf(report.host, sizeof report.host, "%.63s", name);
    snprintf(report.problem, sizeof report.problem, "%s", problem);
    report.process = getpid();
    report.seconds = (double)(unic_nanoseconds() - all->started_nanoseconds) / 1e9;
    report.port = unic_own_port();
    for (int call = 0; call < UNIC_CALL_COUNT; call++) {
        report.calls[call] = all->calls[call];
        report.calls[call].ticks = (uint64_t)((double)all->calls[call].ticks * tick);
    }
    memcpy(report.message_sizes, all->message_sizes, sizeof report.message_sizes);
    memcpy(report.collective_sizes, all->collective_sizes, sizeof report.collective_sizes);
    for (int rank = 0; rank <= all->world_size; rank++)
        if (all->peers[rank].messages > 0) name_peer(&report, rank < all->world_size ? rank : -1, all->peers[rank]);
    report.unattributed = all->unattributed;
    report.events_kept = all->event_count < all->event_limit ? all->event_count : all->event_limit;
    report.events_dropped = all->event_count - report.events_kept;
    return report;
}

double unic_message_seconds(const struct unic_rank_report *rank) {
    uint64_t nanoseconds = 0;
    for (int call = 0; call < UNIC_CALL_COUNT; call++) nanoseconds += rank->calls[call].ticks;
    return (double)nanoseconds / 1e9;
}

uint64_t unic_size_class_limit(int class) { return class == 0 ? 0 : ((uint64_t)1 << class) - 1; }

// `UNIC_MPI_REPORT`: nothing or "text" for a table on standard error, "off", or a file for JSON.
static void write_report(const struct unic_rank_report *ranks, int count) {
    const char *way = getenv("UNIC_MPI_REPORT");
    if (way && strcmp(way, "off") == 0) return;
    char library[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length = 0;
    unic_mpi.Get_library_version(library, &length);
    // What follows is of the package.
    library[strcspn(library, ",\n")] = 0;
    if (!way || !way[0] || strcmp(way, "text") == 0) return unic_write_text(stderr, library, ranks, count);
    FILE *file = fopen(way, "we");
    if (file) unic_write_json(file, library, ranks, count);
    if (!file || ferror(file) | (fclose(file) != 0))
        fprintf(stderr, "unic: the report could not be written to %s: %s.\n", way, strerror(errno));
}

void unic_report(const char *problem) {
    struct unic_rank_report own = unic_own_report(problem), *all = NULL;
    int size = (int)sizeof own, there = 1;
    if (unic_counters.rank == 0) {
        all = calloc((size_t)unic_counters.world_size, sizeof own);
        there = all != NULL;
    }
    // Without memory for all rank 0 tells of itself.
    int everywhere = 0;
    unic_mpi.Allreduce(&there, &everywhere, 1, unic_mpi.int_type, unic_mpi.min, unic_mpi.world);
    if (everywhere) unic_mpi.Gather(&own, size, unic_mpi.byte, all, size, unic_mpi.byte, 0, unic_mpi.world);
    if (unic_counters.rank == 0) write_report(all ? all : &own, all ? unic_counters.world_size : 1);
    free(all);
}
