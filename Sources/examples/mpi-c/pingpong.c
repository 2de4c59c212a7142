// Latency between two MPI ranks: rank 0 sends a message, rank 1 sends it back, half of the round trip is recorded.
//     mpicc -O2 pingpong.c -o mpi-pingpong-c
//     mpirun $(unic mpirun-args) -n 2 ./mpi-pingpong-c [--sizes 8,1024,65536] [--count 1000] [--warmup 100] [--json]
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE_LIMIT = 64 << 20, SIZES_LIMIT = 32, COUNT_LIMIT = 10000000 };

struct options { int sizes[SIZES_LIMIT], size_count, count, warmup, json; };

static void fail(const char *reason) {
    fprintf(stderr, "mpi-pingpong: %s\n", reason);
    MPI_Abort(MPI_COMM_WORLD, 1);
    exit(1);
}

static int number(const char *text, char **end, int most) {
    long value = strtol(text, end, 10);
    if (*end == text || value < 0 || value > most) fail("a number is missing, or too large. Write it like --sizes 8,1024 --count 1000.");
    return (int)value;
}

static struct options read_options(int count, char **words) {
    struct options options = {{8, 64, 1024, 8192, 65536}, 5, 1000, 100, 0};
    for (int index = 1; index < count; index++) {
        char *end = NULL, *value = index + 1 < count ? words[index + 1] : "";
        if (strcmp(words[index], "--json") == 0) {
            options.json = 1;
            continue;
        }
        if (strcmp(words[index], "--count") == 0) options.count = number(value, &end, COUNT_LIMIT);
        else if (strcmp(words[index], "--warmup") == 0) options.warmup = number(value, &end, COUNT_LIMIT);
        else if (strcmp(words[index], "--sizes") == 0) {
            options.size_count = 0;
            for (end = value;; end++) {
                if (options.size_count == SIZES_LIMIT) fail("there are too many --sizes.");
                options.sizes[options.size_count++] = number(end, &end, SIZE_LIMIT);
                if (*end != ',') break;
            }
        }
        if (!end || *end) fail("the options are --sizes LIST, --count N, --warmup N and --json.");
        index++;
    }
    if (options.count == 0) fail("--count has to be at least 1.");
    return options;
}

static int compare(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return difference > 0 ? 1 : difference < 0 ? -1 : 0;
}

// A payload that no other round has.
static void fill(unsigned char *data, int size, unsigned round) {
    for (int index = 0; index < size; index++) data[index] = (unsigned char)(index * 7 + index / 251 + round * 13);
}

// Rank 0. Times go into `times`, in microseconds.
static void measure(const struct options *options, int size, unsigned char *sent, unsigned char *got, double *times) {
    for (int round = 0; round < options->warmup + options->count; round++) {
        fill(sent, size, (unsigned)round);
        memset(got, 0, (size_t)size);
        double start = MPI_Wtime();
        MPI_Send(sent, size, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
        MPI_Recv(got, size, MPI_BYTE, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        double time = MPI_Wtime() - start;
        if (memcmp(sent, got, (size_t)size) != 0) fail("a message came back with another payload than was sent.");
        if (round >= options->warmup) times[round - options->warmup] = time / 2 * 1e6;
    }
    qsort(times, (size_t)options->count, sizeof *times, compare);
}

static void answer(const struct options *options, int size, unsigned char *data) {
    for (int round = 0; round < options->warmup + options->count; round++) {
        MPI_Recv(data, size, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(data, size, MPI_BYTE, 0, 1, MPI_COMM_WORLD);
    }
}

static double percentile(const double *times, int count, double part) {
    int index = (int)(part * count);
    return times[index < count ? index : count - 1];
}

static void print_line(const struct options *options, int size, const double *times, int is_first) {
    double sum = 0;
    int count = options->count;
    for (int index = 0; index < count; index++) sum += times[index];
    double values[6] = {times[0], percentile(times, count, 0.5), sum / count, percentile(times, count, 0.99),
        percentile(times, count, 0.999), times[count - 1]};
    if (options->json)
        printf("%s{\"size\":%d,\"count\":%d,\"half_rtt_us\":{\"min\":%.3f,\"median\":%.3f,\"mean\":%.3f,\"p99\":%.3f,\"p999\":%.3f,\"max\":%.3f}}",
            is_first ? "" : ",", size, count, values[0], values[1], values[2], values[3], values[4], values[5]);
    else
        printf("%9d %9d %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f\n", size, count, values[0], values[1], values[2], values[3], values[4], values[5]);
}

int main(int count, char **words) {
    int rank, ranks;
    MPI_Init(&count, &words);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (ranks < 2) fail("two ranks are needed: mpirun -n 2.");
    struct options options = read_options(count, words);
    unsigned char *sent = malloc(SIZE_LIMIT), *got = malloc(SIZE_LIMIT);
    double *times = malloc(sizeof *times * (size_t)options.count);
    if (!sent || !got || !times) fail("there is not enough memory.");
    if (rank == 0)
        printf(options.json ? "{\"results\":[" : "Half round trips in µs:\n%9s %9s %9s %9s %9s %9s %9s %9s\n", "size", "count", "min",
            "median", "mean", "p99", "p99.9", "max");
    for (int index = 0; index < options.size_count; index++) {
        if (rank == 1) answer(&options, options.sizes[index], sent);
        if (rank != 0) continue;
        measure(&options, options.sizes[index], sent, got, times);
        print_line(&options, options.sizes[index], times, index == 0);
    }
    if (rank == 0 && options.json) printf("]}\n");
    free(sent), free(got), free(times);
    return MPI_Finalize();
}
