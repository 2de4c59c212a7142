// The sum of RFC 1071 over memory, with or without a copy of it, in one pass.
#ifndef UNIC_COPY_SUM_H
#define UNIC_COPY_SUM_H
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// The sum of all 32-bit words in memory's order; a rest of less than eight bytes counts as followed by zeros. Folded to 16 bits it is the
// ones' complement sum (RFC 1071 section 2 (C): any width). No overflow below 2^31 bytes a call. `to` may be NULL; ranges do not overlap.
__attribute__((always_inline)) static inline uint64_t unic_copy_sum_body(uint8_t *to, const uint8_t *from, size_t count) {
    typedef uint64_t lanes __attribute__((vector_size(32)));
    const lanes low = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    lanes even = {0}, odd = {0};
    size_t at = 0;
    for (; at + 64 <= count; at += 64) {
        lanes first, second;
        memcpy(&first, from + at, 32);
        memcpy(&second, from + at + 32, 32);
        if (to) {
            memcpy(to + at, &first, 32);
            memcpy(to + at + 32, &second, 32);
        }
        even += (first & low) + (first >> 32);
        odd += (second & low) + (second >> 32);
    }
    even += odd;
    uint64_t sum = even[0] + even[1] + even[2] + even[3];
    uint64_t word;
    for (; at + 8 <= count; at += 8) {
        memcpy(&word, from + at, 8);
        if (to) memcpy(to + at, &word, 8);
        sum += (word & UINT32_MAX) + (word >> 32);
    }
    if (at < count) {
        word = 0;
        memcpy(&word, from + at, count - at);
        if (to) memcpy(to + at, &word, count - at);
        sum += (word & UINT32_MAX) + (word >> 32);
    }
    return sum;
}

static inline uint64_t unic_copy_sum_any(void *to, const void *from, size_t count) { return unic_copy_sum_body(to, from, count); }
static inline uint64_t unic_sum_any(const void *from, size_t count) { return unic_copy_sum_body(NULL, from, count); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline uint64_t unic_copy_sum_avx2(void *to, const void *from, size_t count) {
    return unic_copy_sum_body(to, from, count);
}
__attribute__((target("avx2"))) static inline uint64_t unic_sum_avx2(const void *from, size_t count) {
    return unic_copy_sum_body(NULL, from, count);
}
static inline uint64_t unic_copy_sum(void *to, const void *from, size_t count) {
    return __builtin_cpu_supports("avx2") ? unic_copy_sum_avx2(to, from, count) : unic_copy_sum_any(to, from, count);
}
static inline uint64_t unic_sum(const void *from, size_t count) {
    return __builtin_cpu_supports("avx2") ? unic_sum_avx2(from, count) : unic_sum_any(from, count);
}
#else
static inline uint64_t unic_copy_sum(void *to, const void *from, size_t count) { return unic_copy_sum_any(to, from, count); }
static inline uint64_t unic_sum(const void *from, size_t count) { return unic_sum_any(from, count); }
#endif

#endif
