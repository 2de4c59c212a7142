// Messages to one peer, their other ends, and waiting (MPI 3.1, chapter 3).
#include "requests.h"
#include "peers.h"
#include "wrapper.h"

#define SEND(name) \
    UNIC_WRAP(name, (const void *data, int count, MPI_Datatype type, int peer, int tag, MPI_Comm comm), \
        (data, count, type, peer, tag, comm), unic_count_send(UNIC_CALL_##name, begin, comm, peer, count, type))
SEND(Send);
SEND(Bsend);
SEND(Ssend);
SEND(Rsend);

#define REQUEST_SEND(name, counting) \
    UNIC_WRAP(name, (const void *data, int count, MPI_Datatype type, int peer, int tag, MPI_Comm comm, MPI_Request *request), \
        (data, count, type, peer, tag, comm, request), counting)
#define ISEND(name) REQUEST_SEND(name, unic_count_send(UNIC_CALL_##name, begin, comm, peer, count, type))
ISEND(Isend);
ISEND(Ibsend);
ISEND(Issend);
ISEND(Irsend);

// A persistent send is a message each time that it is started.
static void keep(MPI_Request request, MPI_Comm comm, int peer, int count, MPI_Datatype type) {
    if (peer >= 0) unic_keep_request(request, unic_world_rank(comm, peer), unic_byte_count(count, type));
}
#define SEND_INIT(name) \
    REQUEST_SEND(name, (keep(*request, comm, peer, count, type), unic_count_call(UNIC_CALL_##name, begin)))
SEND_INIT(Send_init);
SEND_INIT(Bsend_init);
SEND_INIT(Ssend_init);
SEND_INIT(Rsend_init);

static void count_start(enum unic_call call, uint64_t begin, MPI_Request request) {
    int peer;
    uint64_t bytes;
    if (unic_find_request(request, &peer, &bytes)) return unic_count_started(call, begin, peer, bytes);
    if (unic_requests_overflowed()) __atomic_fetch_add(&unic_counters.unattributed, 1, __ATOMIC_RELAXED);
    unic_count_call(call, begin);
}

static void count_starts(uint64_t begin, int count, MPI_Request *requests) {
    for (int index = 0; index < count; index++) {
        count_start(UNIC_CALL_Startall, begin, requests[index]);
        // The time is the first one's.
        begin = unic_ticks();
    }
}
UNIC_WRAP(Start, (MPI_Request *request), (request), count_start(UNIC_CALL_Start, begin, *request));
UNIC_WRAP(Startall, (int count, MPI_Request *requests), (count, requests), count_starts(begin, count, requests));

UNIC_EXPORT int MPI_Request_free(MPI_Request *request) {
    if (!unic_mpi.Request_free) unic_find_mpi();
    if (!unic_counters.active || unic_depth > 0) return unic_mpi.Request_free(request);
    MPI_Request freed = *request;
    // Before it goes: its handle may be another thread's next one.
    unic_forget_request(freed);
    uint64_t begin = unic_ticks();
    int code = unic_mpi.Request_free(request);
    unic_count_call(UNIC_CALL_Request_free, begin);
    return code;
}
extern __typeof__(PMPI_Request_free) PMPI_Request_free __attribute__((alias("MPI_Request_free"), visibility("default")));

UNIC_WRAP(Sendrecv,
    (const void *data, int count, MPI_Datatype type, int peer, int tag, void *into, int into_count, MPI_Datatype into_type,
        int source, int into_tag, MPI_Comm comm, MPI_Status *status),
    (data, count, type, peer, tag, into, into_count, into_type, source, into_tag, comm, status),
    unic_count_send(UNIC_CALL_Sendrecv, begin, comm, peer, count, type));
UNIC_WRAP(Sendrecv_replace,
    (void *data, int count, MPI_Datatype type, int peer, int tag, int source, int into_tag, MPI_Comm comm, MPI_Status *status),
    (data, count, type, peer, tag, source, into_tag, comm, status),
    unic_count_send(UNIC_CALL_Sendrecv_replace, begin, comm, peer, count, type));

#define CALL(name, parameters, arguments) UNIC_WRAP(name, parameters, arguments, unic_count_call(UNIC_CALL_##name, begin))
CALL(Recv, (void *data, int count, MPI_Datatype type, int peer, int tag, MPI_Comm comm, MPI_Status *status),
    (data, count, type, peer, tag, comm, status));
CALL(Irecv, (void *data, int count, MPI_Datatype type, int peer, int tag, MPI_Comm comm, MPI_Request *request),
    (data, count, type, peer, tag, comm, request));
CALL(Recv_init, (void *data, int count, MPI_Datatype type, int peer, int tag, MPI_Comm comm, MPI_Request *request),
    (data, count, type, peer, tag, comm, request));
CALL(Mrecv, (void *data, int count, MPI_Datatype type, MPI_Message *message, MPI_Status *status),
    (data, count, type, message, status));
CALL(Imrecv, (void *data, int count, MPI_Datatype type, MPI_Message *message, MPI_Request *request),
    (data, count, type, message, request));
CALL(Probe, (int peer, int tag, MPI_Comm comm, MPI_Status *status), (peer, tag, comm, status));
CALL(Iprobe, (int peer, int tag, MPI_Comm comm, int *flag, MPI_Status *status), (peer, tag, comm, flag, status));
CALL(Mprobe, (int peer, int tag, MPI_Comm comm, MPI_Message *message, MPI_Status *status), (peer, tag, comm, message, status));
CALL(Improbe, (int peer, int tag, MPI_Comm comm, int *flag, MPI_Message *message, MPI_Status *status),
    (peer, tag, comm, flag, message, status));
CALL(Wait, (MPI_Request *request, MPI_Status *status), (request, status));
CALL(Waitall, (int count, MPI_Request *requests, MPI_Status *statuses), (count, requests, statuses));
CALL(Waitany, (int count, MPI_Request *requests, int *index, MPI_Status *status), (count, requests, index, status));
CALL(Waitsome, (int count, MPI_Request *requests, int *done, int *indices, MPI_Status *statuses),
    (count, requests, done, indices, statuses));
CALL(Test, (MPI_Request *request, int *flag, MPI_Status *status), (request, flag, status));
CALL(Testall, (int count, MPI_Request *requests, int *flag, MPI_Status *statuses), (count, requests, flag, statuses));
CALL(Testany, (int count, MPI_Request *requests, int *index, int *flag, MPI_Status *status),
    (count, requests, index, flag, status));
CALL(Testsome, (int count, MPI_Request *requests, int *done, int *indices, MPI_Status *statuses),
    (count, requests, done, indices, statuses));
