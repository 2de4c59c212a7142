// libfabric's headers, and what of them the Swift importer cannot take: variadic functions and macros with arguments.
// Nothing here needs a symbol of libfabric: a provider is loaded by one of several copies of it, and asks that one (dlsym).
#ifndef UNIC_LIBFABRIC_H
#define UNIC_LIBFABRIC_H
#include <rdma/fabric.h>
#include <rdma/fi_atomic.h>
#include <rdma/fi_cm.h>
#include <rdma/fi_collective.h>
#include <rdma/fi_domain.h>
#include <rdma/fi_endpoint.h>
#include <rdma/fi_eq.h>
#include <rdma/fi_errno.h>
#include <rdma/fi_rma.h>
#include <rdma/fi_tagged.h>
#include <rdma/providers/fi_log.h>
#include <rdma/providers/fi_prov.h>

#define UNIC_FI_INLINE static inline __attribute__((always_inline))

// rdma/fabric.h, FI_VERSION.
UNIC_FI_INLINE uint32_t unic_fi_version(uint32_t major, uint32_t minor) { return major << 16 | minor; }

// Where the function that this is inlined into returns to: inside of its caller.
UNIC_FI_INLINE const void *unic_return_address(void) { return __builtin_return_address(0); }

// dladdr(3), which glibc declares for _GNU_SOURCE only.
struct unic_dl_info {
    const char *file;
    void *base;
    const char *symbol;
    void *symbol_address;
};
extern int unic_dladdr(const void *address, struct unic_dl_info *info) __asm__("dladdr");

typedef uint32_t unic_version_function(void);
UNIC_FI_INLINE uint32_t unic_call_version(void *version) { return ((unic_version_function *)version)(); }

// rdma/providers/fi_log.h, FI_LOG: the text is printed as it is.
typedef int unic_log_enabled_function(const struct fi_provider *, enum fi_log_level, enum fi_log_subsys);
typedef void unic_log_function(const struct fi_provider *, enum fi_log_level, enum fi_log_subsys, const char *, int, const char *, ...);
UNIC_FI_INLINE void unic_call_log(
    void *enabled, void *log, const struct fi_provider *provider, enum fi_log_level level, enum fi_log_subsys subsystem, const char *text) {
    if (((unic_log_enabled_function *)enabled)(provider, level, subsystem))
        ((unic_log_function *)log)(provider, level, subsystem, "unic", 0, "%s\n", text);
}
#endif
