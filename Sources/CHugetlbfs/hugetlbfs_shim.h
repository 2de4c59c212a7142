// libhugetlbfs (Debian: libhugetlbfs-dev), functions of hugetlbfs.h: page sizes, mounts, unlinked files.
#ifndef UNIC_HUGETLBFS_SHIM_H
#define UNIC_HUGETLBFS_SHIM_H
#include <sys/types.h>
#include <hugetlbfs.h>

// The archive's constructor sits in an object that nothing refers to, so the linker leaves it out, and with it the
// reading of /proc/mounts. This is the function that the constructor calls for that (hugeutils.o of libhugetlbfs.a).
// Weak: with the shared library, which hides it, the constructor has done the work.
extern void __lh_setup_mounts(void) __attribute__((weak));

// Looks for hugetlbfs mounts that the library does not know yet. Not thread-safe.
static inline void unic_hugetlbfs_find_mounts(void) {
    if (__lh_setup_mounts) __lh_setup_mounts();
}

#endif
