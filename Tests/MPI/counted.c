// One of every way to send, with sizes and peers that are known: Scripts/test-mpi-tools compares what was counted.
#include <mpi.h>
#include <stdio.h>
#include <string.h>

static int rank;
static char data[2000];

// Rank 0 sends to rank 1 of the job; the others do their part.
static void to_one(void) {
    if (rank == 0) {
        MPI_Request request;
        MPI_Send(data, 1000, MPI_BYTE, 1, 1, MPI_COMM_WORLD);
        MPI_Send(data, 125, MPI_DOUBLE, 1, 1, MPI_COMM_WORLD);
        MPI_Isend(data, 1000, MPI_BYTE, 1, 1, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        MPI_Send(data, 0, MPI_BYTE, 2, 1, MPI_COMM_WORLD);
        // To nobody: a call, and no message.
        MPI_Rsend(data, 100, MPI_BYTE, MPI_PROC_NULL, 1, MPI_COMM_WORLD);
        MPI_Sendrecv(data, 10, MPI_INT, 1, 1, data + 500, 10, MPI_INT, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
        for (int message = 0; message < 3; message++) MPI_Recv(data, 2000, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Sendrecv(data, 10, MPI_INT, 0, 1, data + 500, 10, MPI_INT, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else {
        MPI_Recv(data, 2000, MPI_BYTE, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

// Communicators in which ranks have other numbers, one after the other in the same place of memory.
static void by_other_names(void) {
    MPI_Comm turned, pair;
    MPI_Comm_split(MPI_COMM_WORLD, 0, -rank, &turned);
    // Rank 2 of the job is 0 here.
    if (rank == 0) MPI_Ssend(data, 16, MPI_BYTE, 0, 2, turned);
    if (rank == 2) MPI_Recv(data, 16, MPI_BYTE, 2, 2, turned, MPI_STATUS_IGNORE);
    MPI_Comm_free(&turned);
    MPI_Comm_split(MPI_COMM_WORLD, rank == 2, -rank, &pair);
    // Rank 1 of the job is 0 here.
    if (rank == 0) MPI_Send(data, 16, MPI_BYTE, 0, 3, pair);
    if (rank == 1) MPI_Recv(data, 16, MPI_BYTE, 1, 3, pair, MPI_STATUS_IGNORE);
    MPI_Comm_free(&pair);
}

static void persistent(void) {
    MPI_Request request;
    if (rank == 0) MPI_Send_init(data, 32, MPI_BYTE, 1, 4, MPI_COMM_WORLD, &request);
    if (rank == 1) MPI_Recv_init(data, 32, MPI_BYTE, 0, 4, MPI_COMM_WORLD, &request);
    for (int round = 0; round < 4 && rank < 2; round++) {
        if (round < 3) MPI_Start(&request);
        else MPI_Startall(1, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    if (rank < 2) MPI_Request_free(&request);
}

static void collectives(void) {
    double numbers[100] = {0}, sums[100];
    int from[6] = {0}, to[6];
    MPI_Bcast(data, 100, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Allreduce(numbers, sums, 100, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    MPI_Alltoall(from, 2, MPI_INT, to, 2, MPI_INT, MPI_COMM_WORLD);
    MPI_Allgather(from, 2, MPI_INT, to, 2, MPI_INT, MPI_COMM_WORLD);
}

int main(int count, char **words) {
    MPI_Init(&count, &words);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    to_one();
    by_other_names();
    persistent();
    collectives();
    MPI_Barrier(MPI_COMM_WORLD);
    return MPI_Finalize();
}
