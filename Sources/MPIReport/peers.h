// Ranks of communicators as ranks of the job.
#ifndef UNIC_PEERS_H
#define UNIC_PEERS_H
#include "mpi_calls.h"

// Errors: the number behind the last rank, for a process that is not of the job, and when there is no memory.
int unic_world_rank(MPI_Comm comm, int rank);
#endif
