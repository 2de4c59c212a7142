// SIGBUS in a mapping of a file that somebody else made shorter: the page is replaced by one of zeroes, and the mapping is
// marked. Only async-signal-safe calls: mmap(2), sigaction(2), raise(3) (signal-safety(7)).
#ifndef UNIC_BUS_ERROR_H
#define UNIC_BUS_ERROR_H
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

enum { UNIC_GUARDED_MAPPINGS = 8192 };

// `start` is written last and cleared first: a slot with a start is whole.
struct unic_guarded_mapping {
    _Atomic(uintptr_t) start;
    _Atomic(uintptr_t) end;
    _Atomic(uintptr_t) page;
    _Atomic(int) is_broken;
};
struct unic_bus_error_state {
    struct unic_guarded_mapping mappings[UNIC_GUARDED_MAPPINGS];
    // How often a page was replaced.
    _Atomic(unsigned) count;
    struct sigaction former;
};
// One for each object file that calls it: all of its callers are in one.
static inline struct unic_bus_error_state *unic_bus_errors(void) {
    static struct unic_bus_error_state state;
    return &state;
}

static inline void unic_bus_error(int number, siginfo_t *info, void *context) {
    int saved = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < UNIC_GUARDED_MAPPINGS; i++) {
        struct unic_guarded_mapping *one = &unic_bus_errors()->mappings[i];
        uintptr_t start = atomic_load(&one->start);
        if (start == 0 || address < start || address >= atomic_load(&one->end)) continue;
        uintptr_t page = atomic_load(&one->page);
        void *at = (void *)(address & ~(page - 1));
        if (mmap(at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
        atomic_store(&one->is_broken, 1);
        atomic_fetch_add(&unic_bus_errors()->count, 1);
        errno = saved;
        return;
    }
    // Not ours: whoever was here before decides, or the process ends as it would have.
    struct sigaction *former = &unic_bus_errors()->former;
    if ((former->sa_flags & SA_SIGINFO) && former->sa_sigaction) {
        former->sa_sigaction(number, info, context);
        return;
    }
    signal(SIGBUS, SIG_DFL);
    errno = saved;
}

// Once a process. Returns sigaction's result.
static inline int unic_install_bus_error_guard(void) {
    struct sigaction action = {0};
    action.sa_sigaction = unic_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, &unic_bus_errors()->former);
}

// Returns the slot, or -1 when all are in use. `page`: a power of two, what the file system maps at once.
static inline int unic_guard_mapping(const void *start, size_t count, size_t page) {
    for (int i = 0; i < UNIC_GUARDED_MAPPINGS; i++) {
        struct unic_guarded_mapping *one = &unic_bus_errors()->mappings[i];
        uintptr_t none = 0;
        // An address that no fault has holds the slot while it is filled.
        if (!atomic_compare_exchange_strong(&one->start, &none, UINTPTR_MAX)) continue;
        atomic_store(&one->end, (uintptr_t)start + count);
        atomic_store(&one->page, page);
        atomic_store(&one->is_broken, 0);
        atomic_store(&one->start, (uintptr_t)start);
        return i;
    }
    return -1;
}

static inline void unic_unguard_mapping(int slot) { atomic_store(&unic_bus_errors()->mappings[slot].start, 0); }
static inline int unic_mapping_is_broken(int slot) { return atomic_load(&unic_bus_errors()->mappings[slot].is_broken); }
static inline unsigned unic_bus_error_count(void) { return atomic_load(&unic_bus_errors()->count); }
#endif
