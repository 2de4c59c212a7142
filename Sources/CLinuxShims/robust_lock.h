// A lock in shared memory: who waits for it is woken when its owner dies, before the kernel takes the owner's memory apart
// (pthread_mutexattr_setrobust(3); Linux: kernel/fork.c, exit_mm_release).
#ifndef UNIC_ROBUST_LOCK_H
#define UNIC_ROBUST_LOCK_H
#include <pthread.h>

// Makes the lock, and takes it for the calling thread. Returns 0 or an errno.
static inline int unic_robust_lock_hold(void *memory) {
    pthread_mutexattr_t attributes;
    pthread_mutex_t *lock = (pthread_mutex_t *)memory;
    int code = pthread_mutexattr_init(&attributes);
    if (code != 0) return code;
    code = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    if (code == 0) code = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    if (code == 0) code = pthread_mutex_init(lock, &attributes);
    if (code == 0) code = pthread_mutex_lock(lock);
    pthread_mutexattr_destroy(&attributes);
    return code;
}

// Waits until the owner is dead. EOWNERDEAD: it is; anything else: there was no owner.
static inline int unic_robust_lock_await(void *memory) { return pthread_mutex_lock((pthread_mutex_t *)memory); }

// Once it was awaited.
static inline int unic_robust_lock_release(void *memory) { return pthread_mutex_unlock((pthread_mutex_t *)memory); }

#endif
