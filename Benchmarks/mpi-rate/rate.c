// How many short messages a second: rank 0 has 64 sends under way, rank 1 as many receives, then one message goes back.
//     mpi-rate [ROUNDS]          prints: messages a second, the median of ten parts of the rounds
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

enum { UNDER_WAY = 64, PARTS = 10, BYTES = 8 };

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void fail(const char *reason) {
    fprintf(stderr, "mpi-rate: %s\n", reason);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

// One round of rank 0 or 1. Each message has its number, and is looked at.
static void run(int rank, long round) {
    static long long numbers[UNDER_WAY];
    MPI_Request requests[UNDER_WAY];
    for (int index = 0; index < UNDER_WAY; index++) {
        if (rank == 0) {
            numbers[index] = round * UNDER_WAY + index;
            MPI_Isend(&numbers[index], BYTES, MPI_BYTE, 1, 1, MPI_COMM_WORLD, &requests[index]);
        } else {
            MPI_Irecv(&numbers[index], BYTES, MPI_BYTE, 0, 1, MPI_COMM_WORLD, &requests[index]);
        }
    }
    MPI_Waitall(UNDER_WAY, requests, MPI_STATUSES_IGNORE);
    if (rank == 1)
        for (int index = 0; index < UNDER_WAY; index++)
            if (numbers[index] != round * UNDER_WAY + index) fail("a message is not the one that is next");
    if (rank == 0) MPI_Recv(NULL, 0, MPI_BYTE, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1) MPI_Send(NULL, 0, MPI_BYTE, 0, 2, MPI_COMM_WORLD);
}

int main(int count, char **words) {
    MPI_Init(&count, &words);
    int rank, ranks;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    long rounds = count > 1 ? atol(words[1]) : 10000;
    if (ranks != 2 || rounds < PARTS) fail("two ranks and at least ten rounds are needed");
    double rates[PARTS];
    for (long round = 0; round < rounds / PARTS; round++) run(rank, round);
    for (int part = 0; part < PARTS; part++) {
        double start = MPI_Wtime();
        for (long round = 0; round < rounds / PARTS; round++) run(rank, round);
        rates[part] = (double)(rounds / PARTS * UNDER_WAY) / (MPI_Wtime() - start);
    }
    qsort(rates, PARTS, sizeof *rates, compare);
    if (rank == 0) printf("%.0f\n", (rates[PARTS / 2 - 1] + rates[PARTS / 2]) / 2);
    return MPI_Finalize();
}
