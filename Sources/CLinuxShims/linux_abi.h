// What Swift's importer cannot take from the Linux headers: variadic calls and function-like macros.
#ifndef UNIC_LINUX_ABI_H
#define UNIC_LINUX_ABI_H
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <linux/vfio.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline int unic_ioctl(int fd, unsigned long request, void *argument) { return ioctl(fd, request, argument); }
static inline int unic_ioctl_value(int fd, unsigned long request, long argument) { return ioctl(fd, request, argument); }
static inline int unic_open(const char *path, int flags, unsigned mode) { return open(path, flags, mode); }
static inline int unic_fcntl(int fd, int command, long argument) { return fcntl(fd, command, argument); }

// linux/fcntl.h, which cannot stand beside the C library's fcntl.h: file seals and open-file-description locks.
enum {
    UNIC_F_ADD_SEALS = 1024 + 9,
    UNIC_F_GET_SEALS = 1024 + 10,
    UNIC_F_SEAL_SEAL = 0x1,
    UNIC_F_SEAL_SHRINK = 0x2,
    UNIC_F_SEAL_GROW = 0x4,
    UNIC_F_OFD_GETLK = 36,
    UNIC_F_OFD_SETLK = 37,
};
// glibc's spawn.h, hidden without _GNU_SOURCE: POSIX_SPAWN_SETSID of posix_spawnattr_setflags(3).
enum { UNIC_POSIX_SPAWN_SETSID = 0x80 };
// fallocate(2) from the file's start, hidden by fcntl.h without _GNU_SOURCE.
static inline int unic_fallocate(int fd, long byte_count) { return (int)syscall(SYS_fallocate, fd, 0, 0L, byte_count); }
// FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE (linux/falloc.h): gives a part of a file back.
static inline int unic_punch_hole(int fd, long offset, long byte_count) { return (int)syscall(SYS_fallocate, fd, 0x01 | 0x02, offset, byte_count); }
// mremap(2) of size 0, MREMAP_MAYMOVE | MREMAP_FIXED (linux/mman.h): a second mapping of the same shared pages, at `place`.
static inline int unic_map_again(uintptr_t pages, size_t count, uintptr_t place) {
    return syscall(SYS_mremap, pages, (size_t)0, count, 1L | 2L, place) == -1 ? -1 : 0;
}
static inline int unic_memfd_create(const char *name, unsigned flags) { return (int)syscall(SYS_memfd_create, name, flags); }

// linux/vfio.h: requests of the container, the group and the device.
static const unsigned long unic_vfio_get_api_version = VFIO_GET_API_VERSION;
static const unsigned long unic_vfio_check_extension = VFIO_CHECK_EXTENSION;
static const unsigned long unic_vfio_set_iommu = VFIO_SET_IOMMU;
static const unsigned long unic_vfio_group_get_status = VFIO_GROUP_GET_STATUS;
static const unsigned long unic_vfio_group_set_container = VFIO_GROUP_SET_CONTAINER;
static const unsigned long unic_vfio_group_unset_container = VFIO_GROUP_UNSET_CONTAINER;
static const unsigned long unic_vfio_group_get_device_fd = VFIO_GROUP_GET_DEVICE_FD;
static const unsigned long unic_vfio_device_get_info = VFIO_DEVICE_GET_INFO;
static const unsigned long unic_vfio_device_get_region_info = VFIO_DEVICE_GET_REGION_INFO;
static const unsigned long unic_vfio_device_get_irq_info = VFIO_DEVICE_GET_IRQ_INFO;
static const unsigned long unic_vfio_device_set_irqs = VFIO_DEVICE_SET_IRQS;
static const unsigned long unic_vfio_device_reset = VFIO_DEVICE_RESET;
static const unsigned long unic_vfio_iommu_get_info = VFIO_IOMMU_GET_INFO;
static const unsigned long unic_vfio_iommu_map_dma = VFIO_IOMMU_MAP_DMA;
static const unsigned long unic_vfio_iommu_unmap_dma = VFIO_IOMMU_UNMAP_DMA;

// Devices by a file of their own (Linux 6.6) and iommufd (Linux 6.2): include/uapi/linux/vfio.h and iommufd.h of Linux 6.12,
// written here because older headers lack them. Every structure begins with its own size; reserved fields are 0.
struct unic_vfio_bind_iommufd { uint32_t argsz, flags; int32_t iommufd; uint32_t out_devid; };
struct unic_vfio_attach_pt { uint32_t argsz, flags, pt_id; };
struct unic_vfio_detach_pt { uint32_t argsz, flags; };
struct unic_iommu_destroy { uint32_t size, id; };
struct unic_iommu_ioas_alloc { uint32_t size, flags, out_ioas_id; };
struct unic_iommu_iova_range { uint64_t start, last; };
struct unic_iommu_ioas_iova_ranges { uint32_t size, ioas_id, num_iovas, reserved; uint64_t allowed_iovas, out_iova_alignment; };
struct unic_iommu_ioas_map { uint32_t size, flags, ioas_id, reserved; uint64_t user_va, length, iova; };
struct unic_iommu_ioas_unmap { uint32_t size, ioas_id; uint64_t iova, length; };
enum { UNIC_IOMMU_MAP_FIXED_IOVA = 1, UNIC_IOMMU_MAP_WRITEABLE = 2, UNIC_IOMMU_MAP_READABLE = 4 };
static const unsigned long unic_vfio_device_bind_iommufd = _IO(VFIO_TYPE, VFIO_BASE + 18);
static const unsigned long unic_vfio_device_attach_iommufd_pt = _IO(VFIO_TYPE, VFIO_BASE + 19);
static const unsigned long unic_vfio_device_detach_iommufd_pt = _IO(VFIO_TYPE, VFIO_BASE + 20);
static const unsigned long unic_iommu_destroy_request = _IO(';', 0x80);
static const unsigned long unic_iommu_ioas_alloc_request = _IO(';', 0x81);
static const unsigned long unic_iommu_ioas_iova_ranges_request = _IO(';', 0x84);
static const unsigned long unic_iommu_ioas_map_request = _IO(';', 0x85);
static const unsigned long unic_iommu_ioas_unmap_request = _IO(';', 0x86);

// The kernel's CPU mask, 1024 CPUs; glibc's CPU_* macros are not there without _GNU_SOURCE, which importers do not set.
enum { UNIC_CPU_LIMIT = 1024, UNIC_CPU_WORDS = UNIC_CPU_LIMIT / 64 };

// Runs the calling thread on one CPU only (sched_setaffinity(2)). Returns 0 or -1 with errno.
static inline int unic_pin_to_cpu(int cpu) {
    uint64_t mask[UNIC_CPU_WORDS] = {0};
    if (cpu < 0 || cpu >= UNIC_CPU_LIMIT) { errno = EINVAL; return -1; }
    mask[cpu / 64] = (uint64_t)1 << (cpu % 64);
    return (int)syscall(SYS_sched_setaffinity, 0, sizeof mask, mask);
}
// Whether the calling thread may run on a CPU.
static inline int unic_cpu_is_usable(int cpu) {
    uint64_t mask[UNIC_CPU_WORDS] = {0};
    if (cpu < 0 || cpu >= UNIC_CPU_LIMIT || syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0) return 0;
    return (int)(mask[cpu / 64] >> (cpu % 64) & 1);
}

#endif
