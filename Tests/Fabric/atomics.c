// Atomic access to a peer's memory: each operation on each type, against C's own operators; limits; what is refused; sums of many.
#include "pair.h"
#include <rdma/fi_atomic.h>
#include <pthread.h>

enum { KEY = 5, COUNT = 7 };

static const enum fi_op plain[] = {FI_MIN, FI_MAX, FI_SUM, FI_PROD, FI_LOR, FI_LAND, FI_BOR, FI_BAND, FI_LXOR, FI_BXOR, FI_ATOMIC_WRITE};
static const enum fi_op compare[] = {FI_CSWAP, FI_CSWAP_NE, FI_CSWAP_LE, FI_CSWAP_LT, FI_CSWAP_GE, FI_CSWAP_GT, FI_MSWAP};

// What element i of a target becomes. 0: this type has no such operation.
typedef int reference(enum fi_op op, void *target, const void *operand, const void *comparand);
#define ORDERED(type, t, o, c)                                                                                                             \
    case FI_MIN: if (*o < *t) *t = *o; return 1;                                                                                           \
    case FI_MAX: if (*o > *t) *t = *o; return 1;                                                                                           \
    case FI_SUM: *t = (type)(*t + *o); return 1;                                                                                           \
    case FI_PROD: *t = (type)(*t * *o); return 1;                                                                                          \
    case FI_LOR: *t = *t || *o; return 1;                                                                                                  \
    case FI_LAND: *t = *t && *o; return 1;                                                                                                 \
    case FI_LXOR: *t = !*t != !*o; return 1;                                                                                               \
    case FI_ATOMIC_READ: return 1;                                                                                                         \
    case FI_ATOMIC_WRITE: *t = *o; return 1;                                                                                               \
    case FI_CSWAP: if (*c == *t) *t = *o; return 1;                                                                                        \
    case FI_CSWAP_NE: if (*c != *t) *t = *o; return 1;                                                                                     \
    case FI_CSWAP_LE: if (*c <= *t) *t = *o; return 1;                                                                                     \
    case FI_CSWAP_LT: if (*c < *t) *t = *o; return 1;                                                                                      \
    case FI_CSWAP_GE: if (*c >= *t) *t = *o; return 1;                                                                                     \
    case FI_CSWAP_GT: if (*c > *t) *t = *o; return 1;
#define WHOLE(name, type)                                                                                                                  \
    static int name(enum fi_op op, void *target, const void *operand, const void *comparand) {                                             \
        type *t = target;                                                                                                                  \
        const type *o = operand, *c = comparand;                                                                                           \
        switch (op) {                                                                                                                      \
            ORDERED(type, t, o, c)                                                                                                         \
            case FI_BOR: *t |= *o; return 1;                                                                                               \
            case FI_BAND: *t &= *o; return 1;                                                                                              \
            case FI_BXOR: *t ^= *o; return 1;                                                                                              \
            case FI_MSWAP: *t = (type)((*o & *c) | (*t & ~*c)); return 1;                                                                  \
            default: return 0;                                                                                                             \
        }                                                                                                                                  \
    }
#define REAL(name, type)                                                                                                                   \
    static int name(enum fi_op op, void *target, const void *operand, const void *comparand) {                                             \
        type *t = target;                                                                                                                  \
        const type *o = operand, *c = comparand;                                                                                           \
        switch (op) {                                                                                                                      \
            ORDERED(type, t, o, c)                                                                                                         \
            default: return 0;                                                                                                             \
        }                                                                                                                                  \
    }
WHOLE(of_int8, int8_t)
WHOLE(of_uint8, uint8_t)
WHOLE(of_int16, int16_t)
WHOLE(of_uint16, uint16_t)
WHOLE(of_int32, int32_t)
WHOLE(of_uint32, uint32_t)
WHOLE(of_int64, int64_t)
WHOLE(of_uint64, uint64_t)
REAL(of_float, float)
REAL(of_double, double)

static const struct {
    enum fi_datatype type;
    size_t size;
    reference *reference;
} types[] = {{FI_INT8, 1, of_int8}, {FI_UINT8, 1, of_uint8}, {FI_INT16, 2, of_int16}, {FI_UINT16, 2, of_uint16}, {FI_INT32, 4, of_int32},
    {FI_UINT32, 4, of_uint32}, {FI_INT64, 8, of_int64}, {FI_UINT64, 8, of_uint64}, {FI_FLOAT, 4, of_float}, {FI_DOUBLE, 8, of_double}};
enum { TYPES = sizeof types / sizeof *types };

static uint64_t state = 88172645463325252;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

// Small numbers, so that equal ones are met, and any bits.
static void draw_elements(int type, uint8_t *bytes) {
    for (int i = 0; i < COUNT; i++) {
        uint64_t bits = draw();
        if (draw() % 2) bits = draw() % 3;
        if (types[type].type == FI_FLOAT) ((float *)bytes)[i] = (float)(int)(bits % 7) - 3;
        else if (types[type].type == FI_DOUBLE) ((double *)bytes)[i] = ((double)(int)(bits % 7) - 3) / 4;
        else memcpy(bytes + (size_t)i * types[type].size, &bits, types[type].size);
    }
}

static _Alignas(16) uint8_t target[4096], expected[4096], operand[512], comparand[512], result[512], before[512];

static void settle(struct pair *p, uint64_t flags, void *context) {
    struct fi_cq_tagged_entry done = next(p, p->a.tx, NULL);
    CHECK(done.op_context == context && done.flags == (FI_ATOMIC | flags));
}

static void prepare(int type) {
    for (size_t i = 0; i < sizeof target; i++) target[i] = (uint8_t)draw();
    draw_elements(type, target + 64);
    draw_elements(type, operand);
    draw_elements(type, comparand);
    memcpy(expected, target, sizeof target);
    memcpy(before, target + 64, sizeof before);
    memset(result, 0xee, sizeof result);
}

static bool apply(int type, enum fi_op op) {
    size_t size = types[type].size;
    for (size_t i = 0; i < COUNT; i++)
        if (!types[type].reference(op, expected + 64 + i * size, operand + i * size, comparand + i * size)) return false;
    return true;
}

static void every_operation(struct pair *p) {
    for (int type = 0; type < TYPES; type++)
        for (int round = 0; round < 4; round++) {
            size_t size = types[type].size, room = COUNT * size, count;
            struct fi_atomic_attr attr;
            for (unsigned i = 0; i < sizeof plain / sizeof *plain; i++) {
                prepare(type);
                bool offered = apply(type, plain[i]);
                CHECK((fi_atomicvalid(p->a.ep, types[type].type, plain[i], &count) == 0) == offered);
                CHECK((fi_query_atomic(p->a.domain, types[type].type, plain[i], &attr, 0) == 0) == offered);
                long posted = fi_atomic(p->a.ep, operand, COUNT, NULL, p->a.peer, 64, KEY, types[type].type, plain[i], target);
                CHECK(posted == (offered ? 0 : -FI_EOPNOTSUPP));
                if (!offered) continue;
                CHECK(attr.size == size && attr.count == count && count >= COUNT);
                settle(p, FI_WRITE, target);
                CHECK(!memcmp(target, expected, sizeof target));
            }
            for (unsigned i = 0; i < sizeof plain / sizeof *plain + 1; i++) {
                enum fi_op op = i < sizeof plain / sizeof *plain ? plain[i] : FI_ATOMIC_READ;
                prepare(type);
                bool offered = apply(type, op);
                CHECK((fi_fetch_atomicvalid(p->a.ep, types[type].type, op, &count) == 0) == offered);
                CHECK((fi_query_atomic(p->a.domain, types[type].type, op, &attr, FI_FETCH_ATOMIC) == 0) == offered);
                if (!offered) continue;
                CALL(fi_fetch_atomic(p->a.ep, op == FI_ATOMIC_READ ? NULL : operand, COUNT, NULL, result, NULL, p->a.peer, 64, KEY,
                    types[type].type, op, result));
                settle(p, FI_READ, result);
                CHECK(!memcmp(target, expected, sizeof target) && !memcmp(result, before, room) && result[room] == 0xee);
            }
            for (unsigned i = 0; i < sizeof compare / sizeof *compare; i++) {
                prepare(type);
                bool offered = apply(type, compare[i]);
                CHECK((fi_compare_atomicvalid(p->a.ep, types[type].type, compare[i], &count) == 0) == offered);
                CHECK((fi_query_atomic(p->a.domain, types[type].type, compare[i], &attr, FI_COMPARE_ATOMIC) == 0) == offered);
                if (!offered) continue;
                CALL(fi_compare_atomic(p->a.ep, operand, COUNT, NULL, comparand, NULL, result, NULL, p->a.peer, 64, KEY, types[type].type,
                    compare[i], result));
                settle(p, FI_READ, result);
                CHECK(!memcmp(target, expected, sizeof target) && !memcmp(result, before, room) && result[room] == 0xee);
            }
        }
}

static void forms(struct pair *p) {
    uint32_t a[2] = {1, 2}, b[3] = {3, 4, 5}, old[5] = {0}, want[5] = {10, 20, 30, 40, 50};
    memcpy(target, want, sizeof want);
    struct fi_ioc from[2] = {{a, 2}, {b, 3}}, to[2] = {{old, 1}, {old + 1, 4}}, than[1] = {{want, 5}};
    struct fi_rma_ioc remote = {.addr = 0, .count = 5, .key = KEY};
    struct fi_msg_atomic message = {.msg_iov = from, .iov_count = 2, .addr = p->a.peer, .rma_iov = &remote, .rma_iov_count = 1,
        .datatype = FI_UINT32, .op = FI_SUM, .context = from};
    CALL(fi_atomicv(p->a.ep, from, NULL, 2, p->a.peer, 0, KEY, FI_UINT32, FI_SUM, NULL));
    settle(p, FI_WRITE, NULL);
    CALL(fi_atomicmsg(p->a.ep, &message, FI_COMPLETION));
    settle(p, FI_WRITE, from);
    CALL(fi_fetch_atomicv(p->a.ep, from, NULL, 2, to, NULL, 2, p->a.peer, 0, KEY, FI_UINT32, FI_SUM, NULL));
    settle(p, FI_READ, NULL);
    for (int i = 0; i < 5; i++) CHECK(old[i] == want[i] + 2 * (uint32_t)(i + 1));
    CALL(fi_fetch_atomicmsg(p->a.ep, &message, to, NULL, 2, FI_COMPLETION));
    settle(p, FI_READ, from);
    for (int i = 0; i < 5; i++) CHECK(old[i] == want[i] + 3 * (uint32_t)(i + 1));
    memcpy(want, target, sizeof want);
    CALL(fi_compare_atomicv(p->a.ep, from, NULL, 2, than, NULL, 1, to, NULL, 2, p->a.peer, 0, KEY, FI_UINT32, FI_CSWAP, NULL));
    settle(p, FI_READ, NULL);
    for (int i = 0; i < 5; i++) CHECK(old[i] == want[i] && ((uint32_t *)target)[i] == (uint32_t)i + 1);
    memcpy(want, target, sizeof want);
    message.op = FI_CSWAP_NE;
    CALL(fi_compare_atomicmsg(p->a.ep, &message, than, NULL, 1, to, NULL, 2, FI_COMPLETION));
    settle(p, FI_READ, from);
    CHECK(!memcmp(old, want, sizeof old) && !memcmp(target, want, sizeof want));
    CALL(fi_inject_atomic(p->a.ep, a, 2, p->a.peer, 0, KEY, FI_UINT32, FI_SUM));
    a[0] = 77;
    double end = seconds() + 10;
    while (((volatile uint32_t *)target)[1] != 4 && seconds() < end) turn(p);
    CHECK(((uint32_t *)target)[0] == 2 && ((uint32_t *)target)[1] == 4);
    nothing(p, p->a.tx);
    // To oneself.
    struct fid_mr *own;
    uint64_t mine = 5, one = 1, got = 0;
    CALL(fi_mr_reg(p->a.domain, &mine, 8, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, KEY, 0, &own, NULL));
    CALL(fi_fetch_atomic(p->a.ep, &one, 1, NULL, &got, NULL, p->a.self, 0, KEY, FI_UINT64, FI_SUM, NULL));
    settle(p, FI_READ, NULL);
    CHECK(mine == 6 && got == 5);
    CALL(fi_close(&own->fid));
}

static void limits(struct pair *p) {
    size_t most = 0;
    CALL(fi_atomicvalid(p->a.ep, FI_UINT64, FI_SUM, &most));
    uint64_t many[64] = {0};
    CHECK(most >= 8 && most <= 64);
    memset(target, 0, sizeof target);
    for (size_t i = 0; i < most; i++) many[i] = i + 1;
    CALL(fi_atomic(p->a.ep, many, most, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL));
    settle(p, FI_WRITE, NULL);
    for (size_t i = 0; i < most; i++) CHECK(((uint64_t *)target)[i] == i + 1);
    uint8_t large[16384] = {0};
    CHECK(fi_atomic(p->a.ep, large, sizeof large, NULL, p->a.peer, 0, KEY, FI_UINT8, FI_SUM, NULL) == -FI_EMSGSIZE);
    CHECK(fi_atomic(p->a.ep, many, SIZE_MAX / 4, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL) < 0);
    CHECK(fi_atomic(p->a.ep, many, 0, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL) == -FI_EINVAL);
    CHECK(fi_atomic(p->a.ep, NULL, 1, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL) == -FI_EINVAL);
    CHECK(fi_atomic(p->a.ep, many, 1, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_CSWAP, NULL) == -FI_EOPNOTSUPP);
    CHECK(fi_atomic(p->a.ep, many, 1, NULL, p->a.peer, 0, KEY, FI_UINT64, FI_ATOMIC_READ, NULL) == -FI_EOPNOTSUPP);
    CHECK(fi_atomic(p->a.ep, many, 1, NULL, p->a.peer, 0, KEY, FI_LONG_DOUBLE, FI_SUM, NULL) == -FI_EOPNOTSUPP);
    CHECK(fi_atomic(p->a.ep, many, 1, NULL, p->a.peer, 0, KEY, (enum fi_datatype)99, (enum fi_op)99, NULL) == -FI_EOPNOTSUPP);
    CHECK(fi_query_atomic(p->a.domain, FI_UINT64, FI_SUM, NULL, 0) < 0);

    // Outside of the region, another key, rights that it has not.
    memcpy(expected, target, sizeof target);
    struct { uint64_t at, key; } wrong[] = {{sizeof target - 7, KEY}, {UINT64_MAX - 3, KEY}, {0, 1}, {0, KEY + 1}};
    struct fid_mr *readable;
    CALL(fi_mr_reg(p->b.domain, target, sizeof target, FI_REMOTE_READ, 0, KEY + 1, 0, &readable, NULL));
    for (unsigned i = 0; i < 4; i++) {
        CALL(fi_atomic(p->a.ep, many, 1, NULL, p->a.peer, wrong[i].at, wrong[i].key, FI_UINT64, FI_SUM, &wrong[i]));
        struct fi_cq_err_entry error = next_error(p, p->a.tx);
        CHECK(error.err == FI_EACCES && error.op_context == &wrong[i]);
        CALL(fi_fetch_atomic(p->a.ep, many, 1, NULL, result, NULL, p->a.peer, wrong[i].at, wrong[i].key, FI_UINT64, FI_SUM, NULL));
        CHECK(next_error(p, p->a.tx).err == FI_EACCES);
    }
    CALL(fi_fetch_atomic(p->a.ep, NULL, 1, NULL, result, NULL, p->a.peer, 8, KEY + 1, FI_UINT64, FI_ATOMIC_READ, NULL));
    settle(p, FI_READ, NULL);
    CHECK(!memcmp(result, target + 8, 8) && !memcmp(target, expected, sizeof target));
    CALL(fi_close(&readable->fid));
}

// Both sides add to one number at the same time, many times: no addition is lost, and no old value is seen twice.
static void sums(struct pair *p) {
    enum { ROUNDS = 3000 };
    static uint64_t old[2][ROUNDS];
    static bool seen[2 * ROUNDS];
    uint64_t one = 1;
    struct side *sides[] = {&p->a, &p->b};
    memset(target, 0, 8);
    memset(seen, 0, sizeof seen);
    int posted[2] = {0}, done[2] = {0};
    double end = seconds() + 60;
    while ((done[0] < ROUNDS || done[1] < ROUNDS) && seconds() < end)
        for (int s = 0; s < 2; s++) {
            fi_addr_t peer = s == 0 ? p->a.peer : p->b.self;
            if (posted[s] < ROUNDS) {
                long result = fi_fetch_atomic(sides[s]->ep, &one, 1, NULL, &old[s][posted[s]], NULL, peer, 0, KEY, FI_UINT64, FI_SUM, NULL);
                CHECK(result == 0 || result == -FI_EAGAIN);
                if (result == 0) posted[s]++;
            }
            struct fi_cq_tagged_entry entry;
            while (fi_cq_read(sides[s]->tx, &entry, 1) == 1) done[s]++;
        }
    CHECK(*(uint64_t *)target == 2 * ROUNDS);
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < ROUNDS; i++) {
            CHECK(old[s][i] < 2 * ROUNDS && !seen[old[s][i]]);
            seen[old[s][i]] = true;
        }
}

static void counted(void) {
    struct choice choice = {.av = FI_AV_TABLE, .threading = FI_THREAD_DOMAIN, .counters = true};
    struct pair p;
    open_pair(&p, &choice);
    struct fid_mr *mr;
    CALL(fi_mr_reg(p.b.domain, target, sizeof target, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, KEY, 0, &mr, NULL));
    CALL(fi_atomic(p.a.ep, operand, 1, NULL, p.a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL));
    next(&p, p.a.tx, NULL);
    for (int i = 0; i < 2; i++) {
        CALL(fi_fetch_atomic(p.a.ep, operand, 1, NULL, result, NULL, p.a.peer, 0, KEY, FI_UINT64, FI_SUM, NULL));
        next(&p, p.a.tx, NULL);
    }
    CHECK(fi_cntr_read(p.a.wrote) == 1 && fi_cntr_read(p.a.read) == 2);
    CHECK(fi_cntr_read(p.b.written) == 1 && fi_cntr_read(p.b.served) == 2);
    CALL(fi_close(&mr->fid));
    close_pair(&p);
}

int main(void) {
    for (int i = 0; i < 2; i++) {
        struct choice choice = {.av = FI_AV_TABLE, .threading = i ? FI_THREAD_SAFE : FI_THREAD_DOMAIN};
        struct pair p;
        open_pair(&p, &choice);
        struct fid_mr *mr;
        CALL(fi_mr_reg(p.b.domain, target, sizeof target, FI_REMOTE_READ | FI_REMOTE_WRITE, 0, KEY, 0, &mr, NULL));
        every_operation(&p);
        forms(&p);
        limits(&p);
        sums(&p);
        CALL(fi_close(&mr->fid));
        close_pair(&p);
    }
    counted();
    puts("atomics: ok");
    return 0;
}
