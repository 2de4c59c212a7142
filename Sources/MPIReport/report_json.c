// The report as one JSON object.
#include "report.h"
#include <inttypes.h>

static void write_string(FILE *file, const char *text) {
    fputc('"', file);
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') fprintf(file, "\\%c", byte);
        else if (byte < ' ' || byte > 126) fprintf(file, "\\u%04x", byte);
        else fputc(byte, file);
    }
    fputc('"', file);
}

static void write_calls(FILE *file, const struct unic_rank_report *rank) {
    const char *comma = "";
    fputs(", \"calls\": {", file);
    for (int call = 0; call < UNIC_CALL_COUNT; call++) {
        if (rank->calls[call].count == 0) continue;
        fprintf(file, "%s\"%s\": {\"count\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"seconds\": %.9f}", comma, unic_call_names[call],
            rank->calls[call].count, rank->calls[call].bytes, (double)rank->calls[call].ticks / 1e9);
        comma = ", ";
    }
    fputc('}', file);
}

static void write_sizes(FILE *file, const char *name, const struct unic_message_counter *sizes) {
    const char *comma = "";
    fprintf(file, ", \"%s\": [", name);
    for (int class = 0; class < UNIC_SIZE_CLASSES; class++) {
        if (sizes[class].messages == 0) continue;
        fprintf(file, "%s{\"up_to\": ", comma);
        if (class < UNIC_SIZE_CLASSES - 1) fprintf(file, "%" PRIu64, unic_size_class_limit(class));
        else fputs("null", file);
        fprintf(file, ", \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", sizes[class].messages, sizes[class].bytes);
        comma = ", ";
    }
    fputc(']', file);
}

static void write_peers(FILE *file, const struct unic_rank_report *rank) {
    fputs(", \"peers\": [", file);
    for (int peer = 0; peer < rank->named_peers; peer++) {
        fprintf(file, "%s{\"rank\": ", peer == 0 ? "" : ", ");
        if (rank->peers[peer].rank < 0) fputs("null", file);
        else fprintf(file, "%d", (int)rank->peers[peer].rank);
        fprintf(file, ", \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", rank->peers[peer].sent.messages, rank->peers[peer].sent.bytes);
    }
    fprintf(file, "], \"other_peers\": {\"count\": %d, \"messages\": %" PRIu64 ", \"bytes\": %" PRIu64 "}", (int)rank->other_peers,
        rank->others.messages, rank->others.bytes);
}

static void write_device(FILE *file, const struct unic_port *port) {
    fputs(", \"device\": ", file);
    if (port->count == 0) {
        fputs("null", file);
        return;
    }
    fputs("{\"url\": ", file);
    write_string(file, port->url);
    fputs(", \"family\": ", file);
    write_string(file, port->family);
    fprintf(file, ", \"sent_frames\": %" PRIu64 ", \"sent_bytes\": %" PRIu64 ", \"received_frames\": %" PRIu64 ", \"received_bytes\": %" PRIu64 "}",
        port->sent_frames, port->sent_bytes, port->received_frames, port->received_bytes);
}

void unic_write_json(FILE *file, const char *library, const struct unic_rank_report *ranks, int count) {
    int astray = 0;
    for (int rank = 0; rank < count; rank++) astray += ranks[rank].problem[0] != 0;
    fputs("{\"mpi\": ", file);
    write_string(file, library);
    fprintf(file, ", \"ranks_on_unic\": %d, \"ranks\": [", count - astray);
    for (int index = 0; index < count; index++) {
        const struct unic_rank_report *rank = &ranks[index];
        fprintf(file, "%s\n{\"rank\": %d, \"host\": ", index == 0 ? "" : ",", index);
        write_string(file, rank->host);
        fprintf(file, ", \"pid\": %d, \"seconds\": %.9f, \"mpi_seconds\": %.9f, \"why_not_on_unic\": ", (int)rank->process, rank->seconds,
            unic_message_seconds(rank));
        if (rank->problem[0]) write_string(file, rank->problem);
        else fputs("null", file);
        write_device(file, &rank->port);
        write_calls(file, rank);
        write_sizes(file, "message_sizes", rank->message_sizes);
        write_sizes(file, "collective_sizes", rank->collective_sizes);
        write_peers(file, rank);
        fprintf(file, ", \"unattributed_starts\": %" PRIu64 ", \"traced_calls\": %" PRIu64 ", \"untraced_calls\": %" PRIu64 "}",
            rank->unattributed, rank->events_kept, rank->events_dropped);
    }
    fputs("\n]}\n", file);
}
