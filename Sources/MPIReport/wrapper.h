// How a call of MPI is taken, made and counted.
#ifndef UNIC_WRAPPER_H
#define UNIC_WRAPPER_H
#include "counters.h"

// Defines MPI_name and PMPI_name. `counting` runs if the call was the program's own and went well; it may use `begin`.
#define UNIC_WRAP(name, parameters, arguments, counting) \
    UNIC_EXPORT int MPI_##name parameters { \
        if (__builtin_expect(!unic_mpi.name, 0)) unic_find_mpi(); \
        if (!unic_counters.active || unic_depth > 0) return unic_mpi.name arguments; \
        unic_depth = 1; \
        uint64_t begin = unic_ticks(); \
        int code = unic_mpi.name arguments; \
        if (code == MPI_SUCCESS) { counting; } \
        unic_depth = 0; \
        return code; \
    } \
    extern __typeof__(PMPI_##name) PMPI_##name __attribute__((alias("MPI_" #name), visibility("default")))
#endif
