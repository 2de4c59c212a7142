// What every MPI test here needs: a check that ends the job, and bytes that tell who wrote them.
#ifndef CHECK_H
#define CHECK_H
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, size;

#define CHECK(condition)                                                                                                                   \
    do {                                                                                                                                   \
        if (!(condition)) {                                                                                                                \
            fprintf(stderr, "rank %d, %s:%d: %s\n", rank, __FILE__, __LINE__, #condition);                                                 \
            MPI_Abort(MPI_COMM_WORLD, 1);                                                                                                  \
        }                                                                                                                                  \
    } while (0)

static inline void begin(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
}
static inline int end(const char *name) {
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) printf("%s: ok\n", name);
    MPI_Finalize();
    return 0;
}
static inline void fill(uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++) bytes[i] = (uint8_t)(i * 31 + seed * 17 + (i >> 8) * 7);
}
static inline bool is_filled(const uint8_t *bytes, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != (uint8_t)(i * 31 + seed * 17 + (i >> 8) * 7)) return false;
    return true;
}
#endif
