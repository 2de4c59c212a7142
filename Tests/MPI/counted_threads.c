// Four threads a rank that send and receive at the same time, each on a communicator of its own: no count may be lost.
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 4, ROUNDS = 100, EMPTY_ROUNDS = 500000 };
static MPI_Comm comms[THREADS];
static int rank;

static void *talk(void *comm) {
    double number = 1, answer;
    // To nobody: MPI has nothing to lock, so that threads count at the very same time.
    for (int round = 0; round < EMPTY_ROUNDS; round++) MPI_Send(&number, 1, MPI_DOUBLE, MPI_PROC_NULL, 0, *(MPI_Comm *)comm);
    for (int round = 0; round < ROUNDS; round++) {
        if (rank == 0) MPI_Send(&number, 1, MPI_DOUBLE, 1, 0, *(MPI_Comm *)comm);
        MPI_Recv(&answer, 1, MPI_DOUBLE, 1 - rank, 0, *(MPI_Comm *)comm, MPI_STATUS_IGNORE);
        if (rank == 1) MPI_Send(&number, 1, MPI_DOUBLE, 0, 0, *(MPI_Comm *)comm);
    }
    return NULL;
}

int main(int count, char **words) {
    int provided;
    pthread_t threads[THREADS];
    MPI_Init_thread(&count, &words, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (provided != MPI_THREAD_MULTIPLE) fprintf(stderr, "no threads\n"), exit(1);
    for (int thread = 0; thread < THREADS; thread++) MPI_Comm_dup(MPI_COMM_WORLD, &comms[thread]);
    for (int thread = 0; thread < THREADS; thread++) pthread_create(&threads[thread], NULL, talk, &comms[thread]);
    for (int thread = 0; thread < THREADS; thread++) pthread_join(threads[thread], NULL);
    return MPI_Finalize();
}
