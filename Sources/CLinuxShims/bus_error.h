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
static struct unic_guarded_mapping unic_guarded_mappings[UNIC_GUARDED_MAPPINGS];
static struct sigaction unic_former_bus_error;

static inline void unic_bus_error(int number, siginfo_t *info, void *context) {
    int saved = errno;
    uintptr_t address = (uintptr_t)info->si_addr;
    for (int i = 0; i < UNIC_GUARDED_MAPPINGS; i++) {
        struct unic_guarded_mapping *one = &unic_guarded_mappings[i];
        uintptr_t start = atomic_load(&one->start);
        if (start == 0 || address < start || address >= atomic_load(&one->end)) continue;
        uintptr_t page = atomic_load(&one->page);
        void *at = (void *)(address & ~(page - 1));
        if (mmap(at, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) break;
        atomic_store(&one->is_broken, 1);
        errno = saved;
        return;
    }
    // Not ours: whoever was here before decides, or the process ends as it would have.
    if ((unic_former_bus_error.sa_flags & SA_SIGINFO) && unic_former_bus_error.sa_sigaction) {
        unic_former_bus_error.sa_sigaction(number, info, context);
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
    return sigaction(SIGBUS, &action, &unic_former_bus_error);
}

// Returns the slot, or -1 when all are in use. `page`: a power of two, what the file system maps at once.
static inline int unic_guard_mapping(const void *start, size_t count, size_t page) {
    for (int i = 0; i < UNIC_GUARDED_MAPPINGS; i++) {
        struct unic_guarded_mapping *one = &unic_guarded_mappings[i];
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

static inline void unic_unguard_mapping(int slot) { atomic_store(&unic_guarded_mappings[slot].start, 0); }
static inline int unic_mapping_is_broken(int slot) { return atomic_load(&unic_guarded_mappings[slot].is_broken); }
#endif
