// Whether this process's messages go over unic.
#ifndef UNIC_ON_UNIC_H
#define UNIC_ON_UNIC_H
#include <stddef.h>

// Empty if they do; else why not and what to do, one line.
void unic_why_not(char *reason, size_t size);
#endif
