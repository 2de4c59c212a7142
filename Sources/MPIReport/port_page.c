// Pages of this process's ports.
#include "port_page.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PAGE = 4096, VERSION = 2, VERSION_AT = 8, PROCESS_AT = 16, QUEUE_COUNT_AT = 24, FAMILY_AT = 128, URL_AT = 160, URL_SIZE = 352,
    QUEUES_AT = 512, QUEUE_SIZE = 256, QUEUE_LIMIT = 8, RECEIVED_FRAMES = 0, RECEIVED_BYTES = 8, SENT_FRAMES = 56, SENT_BYTES = 64
};
static const char magic[8] = "unicstat";

static uint64_t word(const unsigned char *page, int at) {
    uint64_t value;
    memcpy(&value, page + at, sizeof value);
    return value;
}

// Text that ends, of characters that a terminal takes.
static void text(char *into, size_t size, const unsigned char *from, size_t length) {
    size_t end = 0;
    for (; end + 1 < size && end < length && from[end]; end++) into[end] = from[end] >= ' ' && from[end] < 127 ? (char)from[end] : '?';
    into[end] = 0;
}

static bool read_page(int directory, const char *name, unsigned char page[PAGE]) {
    int file = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return false;
    struct stat status;
    bool whole = fstat(file, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() && read(file, page, PAGE) == PAGE;
    close(file);
    return whole && memcmp(page, magic, sizeof magic) == 0 && word(page, VERSION_AT) == VERSION &&
        word(page, PROCESS_AT) == (uint64_t)getpid();
}

static void take(struct unic_port *port, const unsigned char *page) {
    text(port->url, sizeof port->url, page + URL_AT, URL_SIZE);
    text(port->family, sizeof port->family, page + FAMILY_AT, URL_AT - FAMILY_AT);
    uint64_t queues = word(page, QUEUE_COUNT_AT);
    for (uint64_t queue = 0; queue < queues && queue < QUEUE_LIMIT; queue++) {
        const unsigned char *counters = page + QUEUES_AT + queue * QUEUE_SIZE;
        port->sent_frames += word(counters, SENT_FRAMES);
        port->sent_bytes += word(counters, SENT_BYTES);
        port->received_frames += word(counters, RECEIVED_FRAMES);
        port->received_bytes += word(counters, RECEIVED_BYTES);
    }
}

struct unic_port unic_own_port(void) {
    struct unic_port port = {0};
    char path[64], prefix[32];
    snprintf(path, sizeof path, "/dev/shm/unic-%u", (unsigned)geteuid());
    int length = snprintf(prefix, sizeof prefix, "port-%d-", (int)getpid());
    DIR *directory = opendir(path);
    if (!directory) return port;
    for (struct dirent *entry; (entry = readdir(directory));) {
        unsigned char page[PAGE];
        if (strncmp(entry->d_name, prefix, (size_t)length) != 0 || !read_page(dirfd(directory), entry->d_name, page)) continue;
        if (port.count++ == 0) take(&port, page);
    }
    closedir(directory);
    return port;
}
