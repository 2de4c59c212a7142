// Several threads of each rank send and receive at once (MPI_THREAD_MULTIPLE).
#include "check.h"
#include <pthread.h>

enum { THREADS = 2, ROUNDS = 100 };

static void *work(void *argument) {
    int number = (int)(intptr_t)argument, to = (rank + 1) % size, from = (rank + size - 1) % size;
    uint8_t *out = malloc(60000), *in = malloc(60000);
    for (int i = 0; i < ROUNDS; i++) {
        int n = i * 7919 % 60000;
        fill(out, n, rank * 10 + number + i);
        MPI_Request request;
        MPI_Irecv(in, n, MPI_BYTE, from, number, MPI_COMM_WORLD, &request);
        MPI_Send(out, n, MPI_BYTE, to, number, MPI_COMM_WORLD);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        CHECK(is_filled(in, n, from * 10 + number + i));
    }
    free(out);
    free(in);
    return NULL;
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    CHECK(provided == MPI_THREAD_MULTIPLE);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    return end("threads");
}
