// MPI_Init and MPI_Finalize: the check, and the report.
#include "counters.h"
#include "on_unic.h"
#include "report.h"
#include <stdlib.h>
#include <string.h>

// Why this rank is not on unic; empty if it is.
static char problem[400];

enum { DEFAULT_TRACED_CALLS = 100000, MOST_TRACED_CALLS = 10000000 };

static uint64_t traced_calls(void) {
    if (!getenv("UNIC_MPI_TRACE")) return 0;
    const char *text = getenv("UNIC_MPI_TRACE_CALLS");
    if (!text) return DEFAULT_TRACED_CALLS;
    char *end;
    unsigned long long wanted = strtoull(text, &end, 10);
    if (*text && !*end && text[0] != '-' && wanted >= 1 && wanted <= MOST_TRACED_CALLS) return wanted;
    fprintf(stderr, "unic: UNIC_MPI_TRACE_CALLS is '%s'; it takes 1 to %d. %d calls are kept.\n", text, MOST_TRACED_CALLS, DEFAULT_TRACED_CALLS);
    return DEFAULT_TRACED_CALLS;
}

static bool is_on(const char *name) {
    const char *value = getenv(name);
    return value && value[0] && strcmp(value, "0") != 0;
}

// Says once for the job who is not on unic. Collective.
static void check_way(int rank, int count) {
    unic_why_not(problem, sizeof problem);
    int astray = problem[0] != 0, in_all = 0, mine = astray ? rank : count, first = count;
    unic_mpi.Allreduce(&astray, &in_all, 1, unic_mpi.int_type, unic_mpi.sum, unic_mpi.world);
    if (in_all == 0) return;
    unic_mpi.Allreduce(&mine, &first, 1, unic_mpi.int_type, unic_mpi.min, unic_mpi.world);
    if (rank != first) return;
    fprintf(stderr, "unic: %d of %d ranks %s NOT run on unic. Rank %d: %s\n", in_all, count, in_all == 1 ? "does" : "do", rank, problem);
    if (is_on("UNIC_MPI_REQUIRE")) unic_mpi.Abort(unic_mpi.world, 1);
}

static void started(int thread_support) {
    int rank = 0, count = 1;
    unic_mpi.Comm_rank(unic_mpi.world, &rank);
    unic_mpi.Comm_size(unic_mpi.world, &count);
    check_way(rank, count);
    int there = unic_start_counting(rank, count, thread_support == MPI_THREAD_MULTIPLE, traced_calls()), everywhere = 0;
    unic_mpi.Allreduce(&there, &everywhere, 1, unic_mpi.int_type, unic_mpi.min, unic_mpi.world);
    if (everywhere) return;
    unic_counters.active = false;
    if (!there) fprintf(stderr, "unic: rank %d has no memory for counters of %d peers: nothing is counted.\n", rank, count);
}

UNIC_EXPORT int MPI_Init(int *argc, char ***argv) {
    unic_find_mpi();
    unic_depth++;
    int code = unic_mpi.Init(argc, argv);
    if (code == MPI_SUCCESS) started(MPI_THREAD_SINGLE);
    unic_depth--;
    return code;
}

UNIC_EXPORT int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
    unic_find_mpi();
    unic_depth++;
    int code = unic_mpi.Init_thread(argc, argv, required, provided);
    if (code == MPI_SUCCESS) started(*provided);
    unic_depth--;
    return code;
}

UNIC_EXPORT int MPI_Finalize(void) {
    unic_find_mpi();
    if (unic_counters.active) {
        unic_counters.active = false;
        unic_depth++;
        unic_report(problem);
        const char *path = getenv("UNIC_MPI_TRACE");
        if (path) unic_write_trace(path);
        unic_depth--;
    }
    return unic_mpi.Finalize();
}

extern __typeof__(PMPI_Init) PMPI_Init __attribute__((alias("MPI_Init"), visibility("default")));
extern __typeof__(PMPI_Init_thread) PMPI_Init_thread __attribute__((alias("MPI_Init_thread"), visibility("default")));
extern __typeof__(PMPI_Finalize) PMPI_Finalize __attribute__((alias("MPI_Finalize"), visibility("default")));
