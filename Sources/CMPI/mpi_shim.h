// MPI, and what of mpi.h the Swift importer cannot take: handles that are macros with casts.
#ifndef UNIC_MPI_SHIM_H
#define UNIC_MPI_SHIM_H
#include <mpi.h>

static inline MPI_Comm unic_mpi_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype unic_mpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype unic_mpi_double(void) { return MPI_DOUBLE; }
static inline MPI_Op unic_mpi_sum(void) { return MPI_SUM; }
#endif
