// Ordering between this CPU and a device that reads and writes memory by DMA.
// x86-64 keeps stores in order and loads in order for write-back memory: a compiler barrier is enough there.
// arm64 wants outer-shareable barriers for device DMA. Freestanding: compiles without any libc.
#ifndef UNIC_BARRIERS_H
#define UNIC_BARRIERS_H

#if defined(__x86_64__)
// Stores to memory before it are seen by the device before the doorbell store after it.
static inline __attribute__((always_inline)) void unic_publish_to_device(void) { __asm__ volatile("" ::: "memory"); }
// Loads after it see what the device wrote before the ownership word that was loaded before it.
static inline __attribute__((always_inline)) void unic_observe_from_device(void) { __asm__ volatile("" ::: "memory"); }
// Earlier stores become visible before later loads: for arm-then-look-again sequences.
static inline __attribute__((always_inline)) void unic_full_device_barrier(void) { __asm__ volatile("mfence" ::: "memory"); }
// Drains write-combining buffers, for doorbells in write-combined BARs.
static inline __attribute__((always_inline)) void unic_flush_write_combining(void) { __asm__ volatile("sfence" ::: "memory"); }
static inline __attribute__((always_inline)) void unic_spin_hint(void) { __asm__ volatile("pause"); }
#elif defined(__aarch64__)
static inline __attribute__((always_inline)) void unic_publish_to_device(void) { __asm__ volatile("dmb oshst" ::: "memory"); }
static inline __attribute__((always_inline)) void unic_observe_from_device(void) { __asm__ volatile("dmb oshld" ::: "memory"); }
static inline __attribute__((always_inline)) void unic_full_device_barrier(void) { __asm__ volatile("dmb osh" ::: "memory"); }
static inline __attribute__((always_inline)) void unic_flush_write_combining(void) { __asm__ volatile("dsb oshst" ::: "memory"); }
static inline __attribute__((always_inline)) void unic_spin_hint(void) { __asm__ volatile("yield"); }
#else
#error "unic knows the memory ordering of x86-64 and arm64 only"
#endif

#endif
