// Ranks of communicators as ranks of the job: a table a communicator, kept as its attribute (MPI 3.1 §6.7), so that it goes
// when the communicator goes. The last one that a thread used is at hand without asking MPI.
#include "peers.h"
#include "counters.h"
#include <pthread.h>
#include <stdlib.h>

struct peer_table { int size; int ranks[]; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int key = MPI_KEYVAL_INVALID;
// Counts communicators that went: the next one may have the same handle.
static unsigned generation;

static __thread struct { MPI_Comm comm; unsigned generation; struct peer_table *table; } last
    __attribute__((tls_model("initial-exec")));

static int forget(MPI_Comm comm, int keyval, void *table, void *extra) {
    (void)comm, (void)keyval, (void)extra;
    __atomic_fetch_add(&generation, 1, __ATOMIC_RELEASE);
    free(table);
    return MPI_SUCCESS;
}

// A duplicate asks anew.
static int keep_to_itself(MPI_Comm comm, int keyval, void *extra, void *table, void *copy, int *flag) {
    (void)comm, (void)keyval, (void)extra, (void)table, (void)copy;
    *flag = 0;
    return MPI_SUCCESS;
}

// Peers of an intercommunicator are those of the remote group (MPI 3.1 §6.6).
static struct peer_table *make_table(MPI_Comm comm) {
    MPI_Group group, job;
    int between = 0, size = 0;
    unic_mpi.Comm_test_inter(comm, &between);
    if ((between ? unic_mpi.Comm_remote_group(comm, &group) : unic_mpi.Comm_group(comm, &group)) != MPI_SUCCESS) return NULL;
    struct peer_table *table = NULL;
    int *numbers = NULL;
    if (unic_mpi.Group_size(group, &size) == MPI_SUCCESS && unic_mpi.Comm_group(unic_mpi.world, &job) == MPI_SUCCESS) {
        table = malloc(sizeof *table + sizeof(int) * (size_t)size);
        numbers = malloc(sizeof(int) * ((size_t)size + 1));
        if (table && numbers) {
            table->size = size;
            for (int rank = 0; rank < size; rank++) numbers[rank] = rank;
            unic_mpi.Group_translate_ranks(group, size, numbers, job, table->ranks);
            for (int rank = 0; rank < size; rank++)
                if (table->ranks[rank] < 0) table->ranks[rank] = unic_counters.world_size;
        } else {
            free(table);
            table = NULL;
        }
        unic_mpi.Group_free(&job);
    }
    free(numbers);
    unic_mpi.Group_free(&group);
    return table;
}

static struct peer_table *table_of(MPI_Comm comm) {
    struct peer_table *table = NULL;
    int found = 0;
    pthread_mutex_lock(&lock);
    if (key != MPI_KEYVAL_INVALID || unic_mpi.Comm_create_keyval(keep_to_itself, forget, &key, NULL) == MPI_SUCCESS) {
        unic_mpi.Comm_get_attr(comm, key, &table, &found);
        if (!found && (table = make_table(comm)) && unic_mpi.Comm_set_attr(comm, key, table) != MPI_SUCCESS) {
            free(table);
            table = NULL;
        }
    }
    pthread_mutex_unlock(&lock);
    return table;
}

int unic_world_rank(MPI_Comm comm, int rank) {
    if (comm == unic_mpi.world) return rank;
    unsigned now = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);
    if (last.comm != comm || last.generation != now || !last.table) {
        last.table = table_of(comm);
        last.comm = comm;
        last.generation = now;
    }
    if (!last.table || rank >= last.table->size) return unic_counters.world_size;
    return last.table->ranks[rank];
}
