// Persistent sends (MPI 3.1 §3.9): what they send is said once, when they are made.
#ifndef UNIC_REQUESTS_H
#define UNIC_REQUESTS_H
#include "mpi_calls.h"
#include <stdbool.h>
#include <stdint.h>

// As many are kept; the table takes 96 KiB. What is made beyond them is counted without peer and size.
enum { UNIC_REQUEST_LIMIT = 2048 };

void unic_keep_request(MPI_Request request, int peer, uint64_t bytes);
void unic_forget_request(MPI_Request request);
// False: a receive, or one of those that were not kept.
bool unic_find_request(MPI_Request request, int *peer, uint64_t *bytes);
// Whether there was no room for one: only then a request that is not found may be a send.
bool unic_requests_overflowed(void);
#endif
