// Which message meets which receive: order, wildcards, probes, matched probes, cancellation, truncation, communicators.
#include "check.h"

static void order(void) {
    enum { COUNT = 2000 };
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    MPI_Request requests[64];
    static int values[COUNT][2000];
    for (int i = 0; i < COUNT; i++) {
        int n = i % 7 == 0 ? 2000 : 1;
        values[i][0] = i;
        MPI_Isend(values[i], n, MPI_INT, to, i % 3, MPI_COMM_WORLD, &requests[i % 64]);
        int got[2000];
        MPI_Status status;
        MPI_Recv(got, 2000, MPI_INT, i % 2 ? MPI_ANY_SOURCE : from, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
        CHECK(got[0] == i && status.MPI_TAG == i % 3 && status.MPI_SOURCE == from);
        MPI_Wait(&requests[i % 64], MPI_STATUS_IGNORE);
    }
}

static void probes(void) {
    int to = (rank + 1) % size, from = (rank + size - 1) % size;
    for (int i = 0; i < 50; i++) {
        int n = i * 777, got, flag = 0;
        uint8_t *out = malloc(n + 1), *in = malloc(n + 1);
        fill(out, n, rank + i);
        MPI_Request request;
        MPI_Isend(out, n, MPI_BYTE, to, i, MPI_COMM_WORLD, &request);
        MPI_Status status;
        if (i % 3 == 0) {
            MPI_Probe(MPI_ANY_SOURCE, i, MPI_COMM_WORLD, &status);
        } else {
            while (!flag) MPI_Iprobe(from, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &status);
        }
        MPI_Get_count(&status, MPI_BYTE, &got);
        CHECK(got == n && status.MPI_SOURCE == from && status.MPI_TAG == i);
        if (i % 2) {
            MPI_Message message;
            MPI_Mprobe(from, i, MPI_COMM_WORLD, &message, &status);
            MPI_Iprobe(from, i, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE);
            CHECK(!flag);
            MPI_Mrecv(in, n, MPI_BYTE, &message, &status);
        } else {
            MPI_Recv(in, n, MPI_BYTE, from, i, MPI_COMM_WORLD, &status);
        }
        CHECK(is_filled(in, n, from + i));
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        free(out);
        free(in);
    }
}

static void cancellation(void) {
    int value = 0, canceled;
    MPI_Request request;
    MPI_Status status;
    MPI_Irecv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 4711, MPI_COMM_WORLD, &request);
    MPI_Cancel(&request);
    MPI_Wait(&request, &status);
    MPI_Test_cancelled(&status, &canceled);
    CHECK(canceled);
}

static void truncation(void) {
    MPI_Comm comm;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
    int to = (rank + 1) % size, from = (rank + size - 1) % size, values[4] = {1, 2, 3, 4}, got[4] = {0};
    MPI_Request request;
    MPI_Isend(values, 4, MPI_INT, to, 1, comm, &request);
    int result = MPI_Recv(got, 2, MPI_INT, from, 1, comm, MPI_STATUS_IGNORE), class;
    CHECK(result != MPI_SUCCESS);
    MPI_Error_class(result, &class);
    CHECK(class == MPI_ERR_TRUNCATE && got[2] == 0);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_free(&comm);
}

static void communicators(void) {
    MPI_Comm half, twin;
    MPI_Comm_split(MPI_COMM_WORLD, rank % 2, -rank, &half);
    MPI_Comm_dup(half, &twin);
    int r, n, sum, value = rank;
    MPI_Comm_rank(half, &r);
    MPI_Comm_size(half, &n);
    // The same tag in two communicators: each receive meets its own.
    int a = rank * 2, b = rank * 2 + 1, x, y;
    MPI_Request requests[2];
    MPI_Isend(&a, 1, MPI_INT, (r + 1) % n, 7, half, &requests[0]);
    MPI_Isend(&b, 1, MPI_INT, (r + 1) % n, 7, twin, &requests[1]);
    MPI_Recv(&y, 1, MPI_INT, MPI_ANY_SOURCE, 7, twin, MPI_STATUS_IGNORE);
    MPI_Recv(&x, 1, MPI_INT, MPI_ANY_SOURCE, 7, half, MPI_STATUS_IGNORE);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    CHECK(y == x + 1 && x % 2 == 0);
    MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, half);
    int wanted = 0;
    for (int i = rank % 2; i < size; i += 2) wanted += i;
    CHECK(sum == wanted);
    MPI_Comm_free(&half);
    MPI_Comm_free(&twin);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    order();
    probes();
    cancellation();
    truncation();
    communicators();
    return end("matching");
}
