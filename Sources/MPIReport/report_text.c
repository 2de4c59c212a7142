// The report as tables.
#include "report.h"
#include <inttypes.h>
#include <string.h>

// Rows of the tables of ranks and of pairs.
enum { ROWS = 16 };

static double mebibytes(uint64_t bytes) { return (double)bytes / 1048576; }

static void write_way(FILE *file, const char *library, const struct unic_rank_report *ranks, int count) {
    int astray = 0, first = -1;
    for (int rank = count - 1; rank >= 0; rank--)
        if (ranks[rank].problem[0]) astray++, first = rank;
    fprintf(file, "unic: %s, %d rank%s, %.3f s in the program, ", library, count, count == 1 ? "" : "s", ranks[0].seconds);
    if (astray == 0) fprintf(file, "all on unic\n");
    else fprintf(file, "%d NOT on unic. Rank %d: %s\n", astray, first, ranks[first].problem);
}

static void write_calls(FILE *file, const struct unic_rank_report *ranks, int count) {
    fprintf(file, "  %-26s %12s %12s %12s %12s\n", "call", "count", "MiB", "s, mean", "s, max");
    for (int call = 0; call < UNIC_CALL_COUNT; call++) {
        struct unic_call_counter sum = {0};
        uint64_t longest = 0;
        for (int rank = 0; rank < count; rank++) {
            const struct unic_call_counter *one = &ranks[rank].calls[call];
            sum.count += one->count;
            sum.ticks += one->ticks;
            sum.bytes += one->bytes;
            if (one->ticks > longest) longest = one->ticks;
        }
        if (sum.count == 0) continue;
        fprintf(file, "  %-26s %12" PRIu64 " %12.3f %12.6f %12.6f\n", unic_call_names[call], sum.count, mebibytes(sum.bytes),
            (double)sum.ticks / count / 1e9, (double)longest / 1e9);
    }
}

static void write_sizes(FILE *file, const struct unic_rank_report *ranks, int count) {
    fprintf(file, "  %-26s %12s %12s %12s %12s\n", "bytes, up to", "messages", "MiB", "collectives", "MiB");
    for (int class = 0; class < UNIC_SIZE_CLASSES; class++) {
        struct unic_message_counter messages = {0}, collectives = {0};
        for (int rank = 0; rank < count; rank++) {
            messages.messages += ranks[rank].message_sizes[class].messages;
            messages.bytes += ranks[rank].message_sizes[class].bytes;
            collectives.messages += ranks[rank].collective_sizes[class].messages;
            collectives.bytes += ranks[rank].collective_sizes[class].bytes;
        }
        if (messages.messages + collectives.messages == 0) continue;
        char limit[24] = "longer";
        if (class < UNIC_SIZE_CLASSES - 1) snprintf(limit, sizeof limit, "%" PRIu64, unic_size_class_limit(class));
        fprintf(file, "  %-26s %12" PRIu64 " %12.3f %12" PRIu64 " %12.3f\n", limit, messages.messages, mebibytes(messages.bytes),
            collectives.messages, mebibytes(collectives.bytes));
    }
}

struct pair { int from, to; struct unic_message_counter sent; };

// The pairs with the most bytes of all ranks, sorted.
static int heaviest(const struct unic_rank_report *ranks, int count, struct pair pairs[ROWS], int *left_out) {
    int found = 0;
    *left_out = 0;
    for (int rank = 0; rank < count; rank++) {
        *left_out += ranks[rank].other_peers;
        for (int peer = 0; peer < ranks[rank].named_peers; peer++) {
            struct pair new = {rank, ranks[rank].peers[peer].rank, ranks[rank].peers[peer].sent};
            int place = found;
            while (place > 0 && pairs[place - 1].sent.bytes < new.sent.bytes) place--;
            if (found < ROWS) found++;
            else ++*left_out;
            if (place == ROWS) continue;
            memmove(&pairs[place + 1], &pairs[place], sizeof pairs[0] * (size_t)(found - 1 - place));
            pairs[place] = new;
        }
    }
    return found;
}

static void write_pairs(FILE *file, const struct unic_rank_report *ranks, int count) {
    struct pair pairs[ROWS];
    int left_out, found = heaviest(ranks, count, pairs, &left_out);
    if (found == 0) return;
    fprintf(file, "  %-26s %12s %12s\n", "from rank to rank", "messages", "MiB");
    for (int index = 0; index < found; index++) {
        char name[32];
        if (pairs[index].to < 0) snprintf(name, sizeof name, "%d -> another job", pairs[index].from);
        else snprintf(name, sizeof name, "%d -> %d", pairs[index].from, pairs[index].to);
        fprintf(file, "  %-26s %12" PRIu64 " %12.3f\n", name, pairs[index].sent.messages, mebibytes(pairs[index].sent.bytes));
    }
    if (left_out > 0) fprintf(file, "  and %d pairs with less\n", left_out);
}

static void write_ranks(FILE *file, const struct unic_rank_report *ranks, int count) {
    fprintf(file, "  %-26s %12s %12s %12s  %s\n", "rank, host", "s in MPI", "frames out", "frames in", "device");
    for (int rank = 0; rank < count && rank < ROWS; rank++) {
        const struct unic_rank_report *one = &ranks[rank];
        char name[96];
        snprintf(name, sizeof name, "%d %s", rank, one->host);
        fprintf(file, "  %-26s %12.6f %12" PRIu64 " %12" PRIu64 "  %s\n", name, unic_message_seconds(one), one->port.sent_frames,
            one->port.received_frames, one->port.count > 0 ? one->port.url : "-");
    }
    if (count > ROWS) fprintf(file, "  and %d ranks more\n", count - ROWS);
}

void unic_write_text(FILE *file, const char *library, const struct unic_rank_report *ranks, int count) {
    uint64_t unattributed = 0, dropped = 0;
    for (int rank = 0; rank < count; rank++) unattributed += ranks[rank].unattributed, dropped += ranks[rank].events_dropped;
    write_way(file, library, ranks, count);
    write_calls(file, ranks, count);
    write_sizes(file, ranks, count);
    write_pairs(file, ranks, count);
    write_ranks(file, ranks, count);
    if (unattributed > 0) fprintf(file, "  %" PRIu64 " starts of persistent requests beyond the first that are kept: size and peer unknown\n", unattributed);
    if (dropped > 0) fprintf(file, "  %" PRIu64 " calls did not fit into the trace (UNIC_MPI_TRACE_CALLS)\n", dropped);
}
