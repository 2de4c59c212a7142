// Unix-socket messages that carry file descriptors: the CMSG_* macros are not importable.
#ifndef UNIC_CMSG_H
#define UNIC_CMSG_H
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { UNIC_MAX_FDS = 16 };

// Sends up to `count` bytes with `fd_count` descriptors (at most UNIC_MAX_FDS). Returns sendmsg's result.
static inline ssize_t unic_send_fds(int socket, const void *bytes, size_t count, const int *fds, int fd_count, int flags) {
    if (fd_count < 0 || fd_count > UNIC_MAX_FDS) { errno = EINVAL; return -1; }
    struct iovec iov = {(void *)bytes, count};
    union { char bytes[CMSG_SPACE(sizeof(int) * UNIC_MAX_FDS)]; struct cmsghdr align; } control;
    struct msghdr message = {0};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    if (fd_count > 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)fd_count);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)fd_count);
        memcpy(CMSG_DATA(header), fds, sizeof(int) * (size_t)fd_count);
    }
    return sendmsg(socket, &message, flags | MSG_NOSIGNAL);
}

// Receives up to `count` bytes. `fds` has room for UNIC_MAX_FDS; *fd_count is set to how many came (all close-on-exec).
// *truncated is set when the kernel dropped descriptors. Returns recvmsg's result.
static inline ssize_t unic_receive_fds(int socket, void *bytes, size_t count, int *fds, int *fd_count, int *truncated, int flags) {
    struct iovec iov = {bytes, count};
    union { char bytes[CMSG_SPACE(sizeof(int) * UNIC_MAX_FDS)]; struct cmsghdr align; } control;
    struct msghdr message = {0};
    message.msg_iov = &iov;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    *fd_count = 0;
    *truncated = 0;
    ssize_t result = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
    if (result < 0) return result;
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h != NULL; h = CMSG_NXTHDR(&message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS || h->cmsg_len < CMSG_LEN(0)) continue;
        int here = (int)((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        for (int i = 0; i < here; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + sizeof(int) * (size_t)i, sizeof fd);
            if (*fd_count < UNIC_MAX_FDS) fds[(*fd_count)++] = fd;
            else close(fd);
        }
    }
    return result;
}

#endif
