// libhugetlbfs (Debian: libhugetlbfs-dev), functions of hugetlbfs.h: page sizes, mounts, unlinked files.
#ifndef UNIC_HUGETLBFS_SHIM_H
#define UNIC_HUGETLBFS_SHIM_H
#include <sys/types.h>
#include <hugetlbfs.h>
#endif
