// MPI_Probe of any source names the message that MPI_Recv of any source takes then (MPI 4.1, 3.8.1), also when one of those that wait
// came from the rank itself.
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    for (int round = 0; round < 50; round++) {
        int own[1] = {rank}, other[2] = {rank, rank};
        MPI_Request requests[2];
        MPI_Isend(own, 1, MPI_INT, rank, 5, MPI_COMM_WORLD, &requests[0]);
        MPI_Isend(other, 2, MPI_INT, (rank + 1) % size, 5, MPI_COMM_WORLD, &requests[1]);
        for (int i = 0; i < 2; i++) {
            MPI_Status probed, received;
            int count, got, bytes[2];
            MPI_Probe(MPI_ANY_SOURCE, 5, MPI_COMM_WORLD, &probed);
            MPI_Get_count(&probed, MPI_INT, &count);
            MPI_Recv(bytes, 2, MPI_INT, MPI_ANY_SOURCE, 5, MPI_COMM_WORLD, &received);
            MPI_Get_count(&received, MPI_INT, &got);
            CHECK(received.MPI_SOURCE == probed.MPI_SOURCE && got == count);
            CHECK(bytes[0] == probed.MPI_SOURCE);
        }
        MPI_Waitall(2, requests, MPI_STATUSES_IGNORE);
    }
    return end("probe_any");
}
