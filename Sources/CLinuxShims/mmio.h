// Volatile loads and stores: never merged, split, moved across one another or deleted by the compiler.
// They do not order ordinary memory: see barriers.h.
#ifndef UNIC_MMIO_H
#define UNIC_MMIO_H
#include <stdint.h>

#define UNIC_INLINE static inline __attribute__((always_inline))

UNIC_INLINE uint8_t unic_load8(const void *p) { return *(const volatile uint8_t *)p; }
UNIC_INLINE uint16_t unic_load16(const void *p) { return *(const volatile uint16_t *)p; }
UNIC_INLINE uint32_t unic_load32(const void *p) { return *(const volatile uint32_t *)p; }
UNIC_INLINE uint64_t unic_load64(const void *p) { return *(const volatile uint64_t *)p; }
UNIC_INLINE void unic_store8(void *p, uint8_t v) { *(volatile uint8_t *)p = v; }
UNIC_INLINE void unic_store16(void *p, uint16_t v) { *(volatile uint16_t *)p = v; }
UNIC_INLINE void unic_store32(void *p, uint32_t v) { *(volatile uint32_t *)p = v; }
UNIC_INLINE void unic_store64(void *p, uint64_t v) { *(volatile uint64_t *)p = v; }

#endif
