// What wires to the kernel's network and to other machines need of Linux: tap interfaces and UDP sockets.
#ifndef UNIC_NETWORK_H
#define UNIC_NETWORK_H
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { UNIC_INTERFACE_NAME_SIZE = IFNAMSIZ };

// Makes a tap interface, or attaches to one that is there, without offloads (linux/if_tun.h).
static inline int unic_tap_attach(int fd, const char *name) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (strlen(name) >= sizeof request.ifr_name) { errno = ENAMETOOLONG; return -1; }
    strcpy(request.ifr_name, name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd, TUNSETIFF, &request) < 0) return -1;
    return ioctl(fd, TUNSETOFFLOAD, 0);
}

// The flags (SIOCGIFFLAGS of netdevice(7)) of the interface behind a tap, under the name that it has now; -1 with errno.
// `socket`: any socket of the same network namespace.
static inline int unic_tap_flags(int fd, int socket) {
    struct ifreq request;
    memset(&request, 0, sizeof request);
    if (ioctl(fd, TUNGETIFF, &request) < 0 || ioctl(socket, SIOCGIFFLAGS, &request) < 0) return -1;
    return (uint16_t)request.ifr_flags;
}

// An address of ip(7) or ipv6(7). Returns its length, 0 if `count` is neither 4 nor 16.
static inline socklen_t unic_ip_address(struct sockaddr_storage *storage, const void *bytes, size_t count, uint16_t port) {
    memset(storage, 0, sizeof *storage);
    if (count == 4) {
        struct sockaddr_in *address = (struct sockaddr_in *)storage;
        address->sin_family = AF_INET;
        address->sin_port = htons(port);
        memcpy(&address->sin_addr, bytes, count);
        return sizeof *address;
    }
    if (count != 16) return 0;
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    memcpy(&address->sin6_addr, bytes, count);
    return sizeof *address;
}

static inline int unic_bind_ip(int fd, const void *bytes, size_t count, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t length = unic_ip_address(&storage, bytes, count, port);
    return bind(fd, (struct sockaddr *)&storage, length);
}

static inline int unic_connect_ip(int fd, const void *bytes, size_t count, uint16_t port) {
    struct sockaddr_storage storage;
    socklen_t length = unic_ip_address(&storage, bytes, count, port);
    return connect(fd, (struct sockaddr *)&storage, length);
}

// Takes nothing in from now on, or takes in again (socket(7), SO_ATTACH_FILTER): a filter of one instruction, "keep 0 bytes".
static inline int unic_shut_ears(int fd) {
    struct sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
    struct sock_fprog program = {1, &nothing};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
static inline int unic_open_ears(int fd) {
    int unused = 0;
    return setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

#endif
