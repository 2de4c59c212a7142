// The trace: the first calls of each rank, one a line.
#include "report.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>

void unic_write_trace(const char *path) {
    const struct unic_counters *all = &unic_counters;
    if (all->event_limit == 0) return;
    char name[4096];
    snprintf(name, sizeof name, "%s.%d.csv", path, all->rank);
    FILE *file = fopen(name, "we");
    if (!file) {
        fprintf(stderr, "unic: the trace could not be written to %s: %s.\n", name, strerror(errno));
        return;
    }
    double tick = unic_nanoseconds_per_tick() / 1000;
    uint64_t count = all->event_count < all->event_limit ? all->event_count : all->event_limit;
    fputs("start_us,duration_us,call,peer,bytes\n", file);
    for (uint64_t index = 0; index < count; index++) {
        const struct unic_event *event = &all->events[index];
        fprintf(file, "%.3f,%.3f,%s,", (double)(event->start - all->started_ticks) * tick, (double)event->ticks * tick,
            unic_call_names[event->call]);
        // A peer of another job stands behind the last rank; a call without one has none.
        if (event->peer >= 0 && event->peer < all->world_size) fprintf(file, "%d", (int)event->peer);
        fprintf(file, ",%" PRIu64 "\n", event->bytes);
    }
    if (ferror(file) | (fclose(file) != 0)) fprintf(stderr, "unic: the trace in %s is not whole: %s.\n", name, strerror(errno));
}
