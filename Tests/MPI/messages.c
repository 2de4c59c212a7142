// Messages of many lengths, between all pairs (oneself, too), in all modes, many at a time.
#include "check.h"

static const int lengths[] = {0, 1, 7, 8, 1000, 1024, 1025, 3900, 4001, 16384, 16385, 65536, 300001, 2 << 20};
enum { COUNT = sizeof lengths / sizeof *lengths, LONGEST = 2 << 20 };

static void all_pairs(void) {
    uint8_t *out = malloc(LONGEST), *in = malloc(LONGEST);
    for (int shift = 0; shift < size; shift++)
        for (int i = 0; i < COUNT; i++) {
            int n = lengths[i], to = (rank + shift) % size, from = (rank + size - shift) % size;
            fill(out, n, rank * 100 + i);
            memset(in, 0xee, n);
            MPI_Status status;
            MPI_Sendrecv(out, n, MPI_BYTE, to, i, in, n, MPI_BYTE, from, i, MPI_COMM_WORLD, &status);
            int got;
            MPI_Get_count(&status, MPI_BYTE, &got);
            CHECK(got == n && status.MPI_SOURCE == from && status.MPI_TAG == i && is_filled(in, n, from * 100 + i));
        }
    free(out);
    free(in);
}

static void modes(void) {
    uint8_t out[5000], in[5000];
    int peer = rank ^ 1;
    if (peer >= size) return;
    fill(out, sizeof out, rank);
    MPI_Request request;
    MPI_Irecv(in, sizeof in, MPI_BYTE, peer, 1, MPI_COMM_WORLD, &request);
    MPI_Ssend(out, sizeof out, MPI_BYTE, peer, 1, MPI_COMM_WORLD);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    CHECK(is_filled(in, sizeof in, peer));
    int room = sizeof out + MPI_BSEND_OVERHEAD;
    void *buffer = malloc(room);
    MPI_Buffer_attach(buffer, room);
    memset(in, 0, sizeof in);
    MPI_Bsend(out, sizeof out, MPI_BYTE, peer, 2, MPI_COMM_WORLD);
    MPI_Recv(in, sizeof in, MPI_BYTE, peer, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    CHECK(is_filled(in, sizeof in, peer));
    MPI_Buffer_detach(&buffer, &room);
    free(buffer);
    MPI_Request both[2];
    MPI_Send_init(out, sizeof out, MPI_BYTE, peer, 3, MPI_COMM_WORLD, &both[0]);
    MPI_Recv_init(in, sizeof in, MPI_BYTE, peer, 3, MPI_COMM_WORLD, &both[1]);
    for (int i = 0; i < 20; i++) {
        memset(in, 0, sizeof in);
        MPI_Startall(2, both);
        MPI_Waitall(2, both, MPI_STATUSES_IGNORE);
        CHECK(is_filled(in, sizeof in, peer));
    }
    MPI_Request_free(&both[0]);
    MPI_Request_free(&both[1]);
}

// Everybody has many messages of mixed lengths under way with everybody.
static void crowd(void) {
    enum { EACH = 40 };
    int total = size * EACH;
    MPI_Request *requests = malloc(2 * total * sizeof *requests);
    uint8_t **in = malloc(total * sizeof *in), **out = malloc(total * sizeof *out);
    for (int k = 0; k < total; k++) {
        int peer = k % size, number = k / size, n = lengths[number % 12];
        in[k] = malloc(n + 1);
        out[k] = malloc(n + 1);
        fill(out[k], n, rank * 1000 + number);
        MPI_Isend(out[k], n, MPI_BYTE, peer, 50 + number, MPI_COMM_WORLD, &requests[k]);
    }
    for (int k = total - 1; k >= 0; k--) { // against the order of sending: most come unexpected
        int peer = k % size, number = k / size, n = lengths[number % 12];
        MPI_Irecv(in[k], n, MPI_BYTE, peer, 50 + number, MPI_COMM_WORLD, &requests[total + k]);
    }
    MPI_Waitall(2 * total, requests, MPI_STATUSES_IGNORE);
    for (int k = 0; k < total; k++) {
        CHECK(is_filled(in[k], lengths[k / size % 12], k % size * 1000 + k / size));
        free(in[k]);
        free(out[k]);
    }
    free(in);
    free(out);
    free(requests);
}

static void layouts(void) {
    int peer = rank ^ 1;
    if (peer >= size) return;
    enum { ROWS = 200, COLUMNS = 150 };
    static int from[ROWS][COLUMNS], to[ROWS][COLUMNS];
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++) from[i][j] = rank * 1000000 + i * 1000 + j, to[i][j] = -1;
    MPI_Datatype column;
    MPI_Type_vector(ROWS, 3, COLUMNS, MPI_INT, &column);
    MPI_Type_commit(&column);
    MPI_Sendrecv(&from[0][5], 1, column, peer, 9, &to[0][70], 1, column, peer, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < COLUMNS; j++)
            CHECK(to[i][j] == (j >= 70 && j < 73 ? peer * 1000000 + i * 1000 + j - 65 : -1));
    MPI_Type_free(&column);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    all_pairs();
    modes();
    crowd();
    layouts();
    return end("messages");
}
