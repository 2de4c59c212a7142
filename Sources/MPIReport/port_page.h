// What a port of unic shows of itself: the page /dev/shm/unic-UID/port-PID-N (StatisticsLayout.swift has the same numbers).
#ifndef UNIC_PORT_PAGE_H
#define UNIC_PORT_PAGE_H
#include <stdbool.h>
#include <stdint.h>

struct unic_port {
    // How many this process has open. What follows is the first one's.
    int count;
    char url[160], family[32];
    uint64_t sent_frames, sent_bytes, received_frames, received_bytes;
};

struct unic_port unic_own_port(void);
#endif
