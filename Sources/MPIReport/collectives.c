// Collectives (MPI 3.1, chapter 5): bytes are what this rank hands in.
#include "wrapper.h"

static bool is_between_groups(MPI_Comm comm) {
    int between = 0;
    // Rare enough to be asked each time: only calls with a part for every rank, and those with a root, need it.
    unic_mpi.Comm_test_inter(comm, &between);
    return between;
}

// Of the group that this rank is in.
static uint64_t own_ranks(MPI_Comm comm) {
    int count = 0;
    unic_mpi.Comm_size(comm, &count);
    return count > 0 ? (uint64_t)count : 0;
}

// Of the group that parts are for, or come from.
static uint64_t ranks(MPI_Comm comm) {
    if (!is_between_groups(comm)) return own_ranks(comm);
    MPI_Group group;
    int count = 0;
    unic_mpi.Comm_remote_group(comm, &group);
    unic_mpi.Group_size(group, &count);
    unic_mpi.Group_free(&group);
    return count > 0 ? (uint64_t)count : 0;
}

// Between two groups the root says so itself; the rank that the others name is one of the root's group (MPI 3.1 §5.2.3).
static bool is_root(MPI_Comm comm, int root) {
    if (is_between_groups(comm)) return root == MPI_ROOT;
    int rank = -1;
    return root >= 0 && unic_mpi.Comm_rank(comm, &rank) == MPI_SUCCESS && rank == root;
}

static uint64_t sum(const int counts[], uint64_t parts) {
    uint64_t total = 0;
    for (uint64_t rank = 0; rank < parts; rank++) total += counts[rank] > 0 ? (uint64_t)counts[rank] : 0;
    return total;
}

static uint64_t bytes_of_parts(const int counts[], MPI_Datatype type, MPI_Comm comm) {
    return sum(counts, ranks(comm)) * unic_byte_count(1, type);
}

static uint64_t bytes_of_typed_parts(const int counts[], const MPI_Datatype types[], MPI_Comm comm) {
    uint64_t total = 0, parts = ranks(comm);
    for (uint64_t rank = 0; rank < parts; rank++) total += unic_byte_count(counts[rank], types[rank]);
    return total;
}

// With MPI_IN_PLACE the send arguments mean nothing: what is handed in lies in the receive buffer, which is said by `instead`.
#define HANDED(instead, normally) (data == MPI_IN_PLACE ? (instead) : (normally))

// A call and its non-blocking form, which has a request behind the same arguments.
#define BOTH(name, iname, parameters, arguments, bytes) \
    UNIC_WRAP(name, (UNIC_OPEN parameters), (UNIC_OPEN arguments), unic_count_collective(UNIC_CALL_##name, begin, bytes)); \
    UNIC_WRAP(iname, (UNIC_OPEN parameters, MPI_Request *request), (UNIC_OPEN arguments, request), \
        unic_count_collective(UNIC_CALL_##iname, begin, bytes))
#define UNIC_OPEN(...) __VA_ARGS__

BOTH(Barrier, Ibarrier, (MPI_Comm comm), (comm), 0);
BOTH(Bcast, Ibcast, (void *data, int count, MPI_Datatype type, int root, MPI_Comm comm), (data, count, type, root, comm),
    is_root(comm, root) ? unic_byte_count(count, type) : 0);

BOTH(Reduce, Ireduce,
    (const void *data, void *into, int count, MPI_Datatype type, MPI_Op operation, int root, MPI_Comm comm),
    (data, into, count, type, operation, root, comm), root == MPI_ROOT || root == MPI_PROC_NULL ? 0 : unic_byte_count(count, type));
#define REDUCTION(name, iname) \
    BOTH(name, iname, (const void *data, void *into, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm), \
        (data, into, count, type, operation, comm), unic_byte_count(count, type))
REDUCTION(Allreduce, Iallreduce);
REDUCTION(Scan, Iscan);
REDUCTION(Exscan, Iexscan);
// Between two groups each scatters over its own ranks what the other one reduced, and hands in as much (MPI 3.1 §5.10).
BOTH(Reduce_scatter, Ireduce_scatter,
    (const void *data, void *into, const int counts[], MPI_Datatype type, MPI_Op operation, MPI_Comm comm),
    (data, into, counts, type, operation, comm), sum(counts, own_ranks(comm)) * unic_byte_count(1, type));
BOTH(Reduce_scatter_block, Ireduce_scatter_block,
    (const void *data, void *into, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm),
    (data, into, count, type, operation, comm), unic_byte_count(count, type) * own_ranks(comm));

// The root's own part stays where it is when it is in place; a root between two groups hands nothing in.
BOTH(Gather, Igather,
    (const void *data, int count, MPI_Datatype type, void *into, int into_count, MPI_Datatype into_type, int root, MPI_Comm comm),
    (data, count, type, into, into_count, into_type, root, comm),
    root == MPI_ROOT || root == MPI_PROC_NULL ? 0 : HANDED(0, unic_byte_count(count, type)));
BOTH(Gatherv, Igatherv,
    (const void *data, int count, MPI_Datatype type, void *into, const int into_counts[], const int places[],
        MPI_Datatype into_type, int root, MPI_Comm comm),
    (data, count, type, into, into_counts, places, into_type, root, comm),
    root == MPI_ROOT || root == MPI_PROC_NULL ? 0 : HANDED(0, unic_byte_count(count, type)));
BOTH(Scatter, Iscatter,
    (const void *data, int count, MPI_Datatype type, void *into, int into_count, MPI_Datatype into_type, int root, MPI_Comm comm),
    (data, count, type, into, into_count, into_type, root, comm),
    is_root(comm, root) ? unic_byte_count(count, type) * ranks(comm) : 0);
BOTH(Scatterv, Iscatterv,
    (const void *data, const int counts[], const int places[], MPI_Datatype type, void *into, int into_count,
        MPI_Datatype into_type, int root, MPI_Comm comm),
    (data, counts, places, type, into, into_count, into_type, root, comm),
    is_root(comm, root) ? bytes_of_parts(counts, type, comm) : 0);

BOTH(Allgather, Iallgather,
    (const void *data, int count, MPI_Datatype type, void *into, int into_count, MPI_Datatype into_type, MPI_Comm comm),
    (data, count, type, into, into_count, into_type, comm),
    HANDED(unic_byte_count(into_count, into_type), unic_byte_count(count, type)));

static uint64_t own_part(const int counts[], MPI_Datatype type, MPI_Comm comm) {
    int rank = 0;
    // The parts are the other group's then, and nothing is in place.
    if (is_between_groups(comm)) return 0;
    unic_mpi.Comm_rank(comm, &rank);
    return unic_byte_count(counts[rank], type);
}
BOTH(Allgatherv, Iallgatherv,
    (const void *data, int count, MPI_Datatype type, void *into, const int into_counts[], const int places[],
        MPI_Datatype into_type, MPI_Comm comm),
    (data, count, type, into, into_counts, places, into_type, comm),
    HANDED(own_part(into_counts, into_type, comm), unic_byte_count(count, type)));
BOTH(Alltoall, Ialltoall,
    (const void *data, int count, MPI_Datatype type, void *into, int into_count, MPI_Datatype into_type, MPI_Comm comm),
    (data, count, type, into, into_count, into_type, comm),
    HANDED(unic_byte_count(into_count, into_type), unic_byte_count(count, type)) * ranks(comm));
BOTH(Alltoallv, Ialltoallv,
    (const void *data, const int counts[], const int places[], MPI_Datatype type, void *into, const int into_counts[],
        const int into_places[], MPI_Datatype into_type, MPI_Comm comm),
    (data, counts, places, type, into, into_counts, into_places, into_type, comm),
    HANDED(bytes_of_parts(into_counts, into_type, comm), bytes_of_parts(counts, type, comm)));
BOTH(Alltoallw, Ialltoallw,
    (const void *data, const int counts[], const int places[], const MPI_Datatype types[], void *into, const int into_counts[],
        const int into_places[], const MPI_Datatype into_types[], MPI_Comm comm),
    (data, counts, places, types, into, into_counts, into_places, into_types, comm),
    HANDED(bytes_of_typed_parts(into_counts, into_types, comm), bytes_of_typed_parts(counts, types, comm)));
