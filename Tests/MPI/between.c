// Collectives between two groups: rank 0 of the job alone, and the others. What means nothing in a place is NULL there, and arrays end
// in a page's last bytes where nobody may read on. Scripts/test-mpi-tools compares what was counted.
#include "check.h"
#include <sys/mman.h>
#include <unistd.h>

static MPI_Comm between;
static bool is_alone;

// Numbers with nothing readable behind them.
static int *numbers(int count, const int *values) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *place = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(place != MAP_FAILED && mprotect(place + page, page, PROT_NONE) == 0);
    int *array = (int *)(place + page) - count;
    memcpy(array, values, (size_t)count * sizeof *array);
    return array;
}

// From rank 0 of the job, who is rank 0 of his group, to the others: the first of them is rank 0 of his own group, too.
static void from_the_one(void) {
    int counts[2] = {3, 5}, places[2] = {0, 3}, values[8] = {0, 1, 2, 3, 4, 5, 6, 7}, got[8] = {0};
    int root = is_alone ? MPI_ROOT : 0, own = is_alone ? 0 : counts[rank - 1];
    if (is_alone) {
        MPI_Scatterv(values, numbers(2, counts), numbers(2, places), MPI_INT, NULL, 0, MPI_DATATYPE_NULL, root, between);
        MPI_Scatter(values, 4, MPI_INT, NULL, 0, MPI_DATATYPE_NULL, root, between);
        MPI_Bcast(values, 8, MPI_INT, root, between);
    } else {
        MPI_Scatterv(NULL, NULL, NULL, MPI_DATATYPE_NULL, got, own, MPI_INT, root, between);
        CHECK(got[0] == places[rank - 1] && got[own - 1] == places[rank - 1] + own - 1);
        MPI_Scatter(NULL, 0, MPI_DATATYPE_NULL, got, 4, MPI_INT, root, between);
        CHECK(got[0] == 4 * (rank - 1) && got[3] == 4 * (rank - 1) + 3);
        MPI_Bcast(got, 8, MPI_INT, root, between);
        CHECK(got[7] == 7);
    }
}

static void to_the_one(void) {
    int counts[2] = {3, 5}, places[2] = {0, 3}, values[8] = {7, 7, 7, 7, 7, 7, 7, 7}, got[8] = {0};
    int root = is_alone ? MPI_ROOT : 0;
    if (is_alone) {
        MPI_Gatherv(NULL, 0, MPI_DATATYPE_NULL, got, numbers(2, counts), numbers(2, places), MPI_INT, root, between);
        CHECK(got[0] == 7 && got[7] == 7);
        MPI_Gather(NULL, 0, MPI_DATATYPE_NULL, got, 4, MPI_INT, root, between);
        MPI_Reduce(NULL, got, 8, MPI_INT, MPI_SUM, root, between);
        CHECK(got[0] == 14 && got[7] == 14);
    } else {
        MPI_Gatherv(values, counts[rank - 1], MPI_INT, NULL, NULL, NULL, MPI_DATATYPE_NULL, root, between);
        MPI_Gather(values, 4, MPI_INT, NULL, 0, MPI_DATATYPE_NULL, root, between);
        MPI_Reduce(values, NULL, 8, MPI_INT, MPI_SUM, root, between);
    }
}

// From the second of the two to rank 0, and the first one has nothing to do with it.
static void from_one_of_two(void) {
    int count = 6, place = 0, values[6] = {5, 4, 3, 2, 1, 0}, got[6] = {0};
    if (is_alone) {
        MPI_Scatterv(NULL, NULL, NULL, MPI_DATATYPE_NULL, got, 6, MPI_INT, 1, between);
        CHECK(got[0] == 5);
    } else if (rank == 2) {
        MPI_Scatterv(values, numbers(1, &count), numbers(1, &place), MPI_INT, NULL, 0, MPI_DATATYPE_NULL, MPI_ROOT, between);
    } else {
        MPI_Scatterv(NULL, NULL, NULL, MPI_DATATYPE_NULL, NULL, 0, MPI_DATATYPE_NULL, MPI_PROC_NULL, between);
    }
}

static void from_all_to_all(void) {
    int values[8] = {1, 1, 1, 1, 1, 1, 1, 1}, got[16] = {0}, both = 8, halves[2] = {3, 5}, places[2] = {0, 3};
    // Over the ranks of the own group: one number here, two there.
    MPI_Reduce_scatter(values, got, is_alone ? numbers(1, &both) : numbers(2, halves), MPI_INT, MPI_SUM, between);
    CHECK(got[0] == (is_alone ? 2 : 1));
    MPI_Reduce_scatter_block(values, got, is_alone ? 8 : 4, MPI_INT, MPI_SUM, between);
    CHECK(got[3] == (is_alone ? 2 : 1));
    // From the ranks of the other one.
    int one = 5, zero = 0, sizes[2] = {2, 2}, from[2] = {0, 2};
    MPI_Allgatherv(values, is_alone ? 5 : 2, MPI_INT, got, is_alone ? numbers(2, sizes) : numbers(1, &one),
        is_alone ? numbers(2, from) : numbers(1, &zero), MPI_INT, between);
    if (is_alone) MPI_Alltoallv(values, numbers(2, halves), numbers(2, places), MPI_INT, got, numbers(2, halves), numbers(2, places), MPI_INT, between);
    else MPI_Alltoallv(values, numbers(1, &halves[rank - 1]), numbers(1, &zero), MPI_INT, got, numbers(1, &halves[rank - 1]), numbers(1, &zero), MPI_INT, between);
    MPI_Alltoall(values, 3, MPI_INT, got, 3, MPI_INT, between);
}

int main(int count, char **words) {
    begin(&count, &words);
    CHECK(size == 3);
    is_alone = rank == 0;
    MPI_Comm group;
    MPI_Comm_split(MPI_COMM_WORLD, is_alone, rank, &group);
    MPI_Intercomm_create(group, 0, MPI_COMM_WORLD, is_alone ? 1 : 0, 1, &between);
    from_the_one();
    to_the_one();
    from_one_of_two();
    from_all_to_all();
    MPI_Comm_free(&between);
    MPI_Comm_free(&group);
    return end("between");
}
