// One-sided communication: put, get, accumulate, compare and swap; fences and locks.
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    enum { COUNT = 10000 };
    long *shared, out[COUNT], in[COUNT];
    MPI_Win window;
    MPI_Win_allocate(COUNT * size * sizeof(long), sizeof(long), MPI_INFO_NULL, MPI_COMM_WORLD, &shared, &window);
    for (int i = 0; i < COUNT * size; i++) shared[i] = -1;
    MPI_Win_fence(0, window);
    for (int i = 0; i < COUNT; i++) out[i] = rank * 1000000L + i;
    for (int r = 0; r < size; r++) MPI_Put(out, COUNT, MPI_LONG, r, rank * COUNT, COUNT, MPI_LONG, window);
    MPI_Win_fence(0, window);
    for (int r = 0; r < size; r++)
        for (int i = 0; i < COUNT; i++) CHECK(shared[r * COUNT + i] == r * 1000000L + i);
    int next = (rank + 1) % size;
    MPI_Get(in, COUNT, MPI_LONG, next, rank * COUNT, COUNT, MPI_LONG, window);
    MPI_Win_fence(0, window);
    for (int i = 0; i < COUNT; i++) CHECK(in[i] == rank * 1000000L + i);
    MPI_Win_fence(0, window);
    shared[0] = 0;
    shared[1] = 0;
    MPI_Win_fence(0, window);
    long one = 1, old, zero = 0;
    for (int i = 0; i < 100; i++) {
        MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
        MPI_Accumulate(&one, 1, MPI_LONG, 0, 0, 1, MPI_LONG, MPI_SUM, window);
        MPI_Win_unlock(0, window);
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window);
        MPI_Fetch_and_op(&one, &old, MPI_LONG, 0, 1, MPI_SUM, window);
        MPI_Win_unlock(0, window);
    }
    MPI_Win_fence(0, window);
    if (rank == 0) CHECK(shared[0] == 100L * size && shared[1] == 100L * size);
    MPI_Win_fence(0, window);
    if (rank == 0) shared[0] = 0;
    MPI_Win_fence(0, window);
    long mine = rank + 1;
    MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window);
    MPI_Compare_and_swap(&mine, &zero, &old, MPI_LONG, 0, 0, window);
    MPI_Win_unlock(0, window);
    int first = old == 0, firsts;
    MPI_Allreduce(&first, &firsts, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    CHECK(firsts == 1);
    MPI_Win_free(&window);
    return end("windows");
}
