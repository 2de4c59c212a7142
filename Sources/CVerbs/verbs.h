// The verbs interface (rdma-core, infiniband/verbs.h), and what of it the Swift importer cannot take.
// Nothing here needs a symbol of libibverbs: this library stands in front of it.
#ifndef UNIC_VERBS_H
#define UNIC_VERBS_H
#include <infiniband/verbs.h>

// infiniband/verbs.h, __VERBS_ABI_IS_EXTENDED: says that a verbs_context is around the ibv_context.
static inline __attribute__((always_inline)) void *unic_verbs_extended_abi(void) { return __VERBS_ABI_IS_EXTENDED; }
#endif
