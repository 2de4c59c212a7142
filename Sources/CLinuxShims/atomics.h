// Single words in memory that other CPUs read and write: acquire loads, release stores, and a full barrier between CPUs.
// For devices see barriers.h. Freestanding.
#ifndef UNIC_ATOMICS_H
#define UNIC_ATOMICS_H
#include <stdint.h>

#define UNIC_ATOMIC_INLINE static inline __attribute__((always_inline))

UNIC_ATOMIC_INLINE uint32_t unic_load_acquire32(const void *p) { return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE); }
UNIC_ATOMIC_INLINE uint64_t unic_load_acquire64(const void *p) { return __atomic_load_n((const uint64_t *)p, __ATOMIC_ACQUIRE); }
UNIC_ATOMIC_INLINE void unic_store_release32(void *p, uint32_t v) { __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE); }
UNIC_ATOMIC_INLINE void unic_store_release64(void *p, uint64_t v) { __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELEASE); }

// Stores before are visible to other CPUs before loads after. x86-64: a locked operation on the stack, which is quicker
// than mfence and orders write-back memory as well.
UNIC_ATOMIC_INLINE void unic_full_cpu_barrier(void) {
#if defined(__x86_64__)
    __asm__ volatile("lock; orl $0, (%%rsp)" ::: "memory", "cc");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif
