// Persistent sends: an open hash table, at most half full.
#include "requests.h"
#include <pthread.h>

enum { SLOTS = 2 * UNIC_REQUEST_LIMIT };

static struct { MPI_Request request; int peer; uint64_t bytes; } slots[SLOTS];
static unsigned used;
static bool overflowed;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static unsigned home(MPI_Request request) { return (unsigned)(((uintptr_t)request >> 4) * 0x9e3779b97f4a7c15u >> 40) % SLOTS; }

// Where the request is, or the free slot where it would be.
static unsigned find(MPI_Request request) {
    unsigned slot = home(request);
    while (slots[slot].request && slots[slot].request != request) slot = (slot + 1) % SLOTS;
    return slot;
}

void unic_keep_request(MPI_Request request, int peer, uint64_t bytes) {
    pthread_mutex_lock(&lock);
    unsigned slot = find(request);
    bool fresh = !slots[slot].request;
    if (fresh && used == UNIC_REQUEST_LIMIT) {
        overflowed = true;
    } else {
        used += fresh;
        slots[slot].request = request;
        slots[slot].peer = peer;
        slots[slot].bytes = bytes;
    }
    pthread_mutex_unlock(&lock);
}

void unic_forget_request(MPI_Request request) {
    pthread_mutex_lock(&lock);
    unsigned gap = find(request);
    if (used > 0 && slots[gap].request) {
        used--;
        // What stands behind the gap moves into it, unless that is in front of its home.
        for (unsigned slot = (gap + 1) % SLOTS; slots[slot].request; slot = (slot + 1) % SLOTS) {
            if ((slot - home(slots[slot].request)) % SLOTS < (slot - gap) % SLOTS) continue;
            slots[gap] = slots[slot];
            gap = slot;
        }
        slots[gap].request = NULL;
    }
    pthread_mutex_unlock(&lock);
}

bool unic_find_request(MPI_Request request, int *peer, uint64_t *bytes) {
    pthread_mutex_lock(&lock);
    unsigned slot = find(request);
    bool found = slots[slot].request != NULL;
    *peer = slots[slot].peer;
    *bytes = slots[slot].bytes;
    pthread_mutex_unlock(&lock);
    return found;
}

bool unic_requests_overflowed(void) { return __atomic_load_n(&overflowed, __ATOMIC_RELAXED); }
