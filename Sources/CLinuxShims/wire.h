// What a wire in shared memory needs of Linux: locks that belong to an open file, datagram sockets with abstract names.
#ifndef UNIC_WIRE_H
#define UNIC_WIRE_H
#include "linux_abi.h"
#include <stddef.h>
#include <string.h>

static inline int unic_openat(int directory, const char *name, int flags, unsigned mode) { return openat(directory, name, flags, mode); }

// A write lock on `count` bytes from `first` (fcntl_locking(2), "Open file description locks"), never waiting.
static inline int unic_ofd_lock(int fd, long first, long count, int unlock) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = unlock ? F_UNLCK : F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    return fcntl(fd, UNIC_F_OFD_SETLK, &lock);
}

// 1 if another open file holds a lock on any of the bytes, 0 if none does, -1 with errno.
static inline int unic_ofd_is_locked(int fd, long first, long count) {
    struct flock lock;
    memset(&lock, 0, sizeof lock);
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = first;
    lock.l_len = count;
    if (fcntl(fd, UNIC_F_OFD_GETLK, &lock) < 0) return -1;
    return lock.l_type != F_UNLCK;
}

// An abstract unix address (unix(7)): a zero byte, then the name. Returns its length, 0 if the name is too long.
static inline socklen_t unic_abstract_address(struct sockaddr_un *address, const void *name, size_t count) {
    if (count > sizeof address->sun_path - 1) return 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path + 1, name, count);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + count);
}

static inline int unic_bind_abstract(int fd, const void *name, size_t count) {
    struct sockaddr_un address;
    socklen_t length = unic_abstract_address(&address, name, count);
    if (length == 0) { errno = ENAMETOOLONG; return -1; }
    return bind(fd, (struct sockaddr *)&address, length);
}

// Sends one byte, never waiting.
static inline ssize_t unic_send_byte_abstract(int fd, const void *name, size_t count) {
    struct sockaddr_un address;
    socklen_t length = unic_abstract_address(&address, name, count);
    char byte = 1;
    if (length == 0) { errno = ENAMETOOLONG; return -1; }
    return sendto(fd, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, length);
}

#endif
