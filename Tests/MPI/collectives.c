// Collective operations against what they have to give, in several lengths.
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    static const int counts[] = {1, 5, 1000, 20000, 200000};
    for (int c = 0; c < 5; c++) {
        int n = counts[c];
        long *a = malloc(n * size * sizeof *a), *b = malloc(n * size * sizeof *b);
        for (int root = 0; root < size; root++) {
            for (int i = 0; i < n; i++) a[i] = rank == root ? i * 3 + root : -1;
            MPI_Bcast(a, n, MPI_LONG, root, MPI_COMM_WORLD);
            for (int i = 0; i < n; i++) CHECK(a[i] == i * 3 + root);
            for (int i = 0; i < n; i++) a[i] = rank + i;
            MPI_Reduce(a, b, n, MPI_LONG, MPI_SUM, root, MPI_COMM_WORLD);
            if (rank == root)
                for (int i = 0; i < n; i++) CHECK(b[i] == (long)size * (size - 1) / 2 + (long)i * size);
        }
        for (int i = 0; i < n; i++) a[i] = rank * 100L + i;
        MPI_Allreduce(a, b, n, MPI_LONG, MPI_MAX, MPI_COMM_WORLD);
        for (int i = 0; i < n; i++) CHECK(b[i] == (size - 1) * 100L + i);
        MPI_Allgather(a, n, MPI_LONG, b, n, MPI_LONG, MPI_COMM_WORLD);
        for (int r = 0; r < size; r++)
            for (int i = 0; i < n; i++) CHECK(b[r * n + i] == r * 100L + i);
        for (int r = 0; r < size; r++)
            for (int i = 0; i < n; i++) a[r * n + i] = rank * 1000000L + r * 1000 + i;
        MPI_Alltoall(a, n, MPI_LONG, b, n, MPI_LONG, MPI_COMM_WORLD);
        for (int r = 0; r < size; r++)
            for (int i = 0; i < n; i++) CHECK(b[r * n + i] == r * 1000000L + rank * 1000 + i);
        for (int i = 0; i < n; i++) a[i] = rank + 1;
        MPI_Scan(a, b, n, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        for (int i = 0; i < n; i++) CHECK(b[i] == (long)(rank + 1) * (rank + 2) / 2);
        MPI_Request request;
        MPI_Iallreduce(a, b, n, MPI_LONG, MPI_SUM, MPI_COMM_WORLD, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        for (int i = 0; i < n; i++) CHECK(b[i] == (long)size * (size + 1) / 2);
        free(a);
        free(b);
    }
    for (int i = 0; i < 500; i++) MPI_Barrier(MPI_COMM_WORLD);
    return end("collectives");
}
