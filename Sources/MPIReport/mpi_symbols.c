// Where MPI's own functions are.
#include "mpi_calls.h"
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct unic_mpi unic_mpi;

const char *const unic_call_names[UNIC_CALL_COUNT] = {
#define X(name) "MPI_" #name,
    UNIC_COUNTED(X)
#undef X
};

// Behind this library in the linker's order; or in a library that a program has loaded for itself alone, as Python's do.
static void *find(void *library, const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    return symbol || !library ? symbol : dlsym(library, name);
}

// An object of MPI's: a program that is linked to MPI may have the one that counts in itself (a copy relocation).
static void *find_object(void *library, const char *name) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    return symbol || !library ? symbol : dlsym(library, name);
}

static void find_all(void) {
    // Open MPI 4 and 5 have the same name (libmpi.so.40).
    void *library = dlopen("libmpi.so.40", RTLD_LAZY | RTLD_NOLOAD);
    const char *missing = NULL;
#define X(name) \
    unic_mpi.name = (__typeof__(&PMPI_##name))find(library, "PMPI_" #name); \
    if (!unic_mpi.name) missing = "PMPI_" #name;
    UNIC_COUNTED(X) UNIC_USED(X)
#undef X
    // mpi.h: the handles are addresses of these.
    unic_mpi.world = (MPI_Comm)find_object(library, "ompi_mpi_comm_world");
    unic_mpi.byte = (MPI_Datatype)find_object(library, "ompi_mpi_byte");
    unic_mpi.int_type = (MPI_Datatype)find_object(library, "ompi_mpi_int");
    unic_mpi.sum = (MPI_Op)find_object(library, "ompi_mpi_op_sum");
    unic_mpi.min = (MPI_Op)find_object(library, "ompi_mpi_op_min");
    if (!unic_mpi.world || !unic_mpi.byte || !unic_mpi.int_type || !unic_mpi.sum || !unic_mpi.min) missing = "ompi_mpi_comm_world";
    if (!missing) return;
    fprintf(stderr, "unic: libunic-mpi.so found no %s: it is for Open MPI 4.1 and 5. Start the program without it.\n", missing);
    exit(1);
}

void unic_find_mpi(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_all);
}
