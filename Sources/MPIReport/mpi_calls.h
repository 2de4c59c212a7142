// The calls of MPI that are counted, and those that counting itself makes (MPI 3.1, chapters 3, 5, 6 and 8).
#ifndef UNIC_MPI_CALLS_H
#define UNIC_MPI_CALLS_H
#include <mpi.h>

// Messages to one peer.
#define UNIC_SENDS(X) X(Send) X(Bsend) X(Ssend) X(Rsend) X(Isend) X(Ibsend) X(Issend) X(Irsend) X(Sendrecv) X(Sendrecv_replace) \
    X(Send_init) X(Bsend_init) X(Ssend_init) X(Rsend_init) X(Start) X(Startall)
// Their other ends, and waiting.
#define UNIC_RECEIVES(X) X(Recv) X(Irecv) X(Recv_init) X(Mrecv) X(Imrecv) X(Probe) X(Iprobe) X(Mprobe) X(Improbe) \
    X(Wait) X(Waitall) X(Waitany) X(Waitsome) X(Test) X(Testall) X(Testany) X(Testsome) X(Request_free)
// Collectives; their bytes are what this rank hands in, not what an algorithm makes of it.
#define UNIC_COLLECTIVES(X) X(Barrier) X(Bcast) X(Reduce) X(Allreduce) X(Gather) X(Gatherv) X(Scatter) X(Scatterv) X(Allgather) \
    X(Allgatherv) X(Alltoall) X(Alltoallv) X(Alltoallw) X(Reduce_scatter) X(Reduce_scatter_block) X(Scan) X(Exscan) \
    X(Ibarrier) X(Ibcast) X(Ireduce) X(Iallreduce) X(Igather) X(Igatherv) X(Iscatter) X(Iscatterv) X(Iallgather) X(Iallgatherv) \
    X(Ialltoall) X(Ialltoallv) X(Ialltoallw) X(Ireduce_scatter) X(Ireduce_scatter_block) X(Iscan) X(Iexscan)
#define UNIC_COUNTED(X) UNIC_SENDS(X) UNIC_RECEIVES(X) UNIC_COLLECTIVES(X)

#define UNIC_USED(X) X(Init) X(Init_thread) X(Finalize) X(Abort) X(Comm_rank) X(Comm_size) X(Comm_group) X(Comm_remote_group) \
    X(Comm_test_inter) X(Comm_create_keyval) X(Comm_get_attr) X(Comm_set_attr) X(Group_size) X(Group_free) X(Group_translate_ranks) \
    X(Type_size) X(Get_processor_name) X(Get_library_version)

enum unic_call {
#define X(name) UNIC_CALL_##name,
    UNIC_COUNTED(X)
#undef X
    UNIC_CALL_COUNT
};

extern const char *const unic_call_names[UNIC_CALL_COUNT];

// MPI's own functions. This library takes their places under both names, MPI_ and PMPI_: Open MPI's Fortran bindings call the
// latter (libmpi_mpifh.so's undefined symbols). It is not linked to an MPI, so that preloading it brings none into programs
// that have none, nor a second one into those that have another.
struct unic_mpi {
#define X(name) __typeof__(&PMPI_##name) name;
    UNIC_COUNTED(X) UNIC_USED(X)
#undef X
    MPI_Comm world;
    MPI_Datatype byte, int_type;
    MPI_Op sum, min;
};

extern struct unic_mpi unic_mpi;

// Finds them. Ends the process if there is no MPI: one of its functions was called.
void unic_find_mpi(void);

#define UNIC_EXPORT __attribute__((visibility("default")))
#endif
