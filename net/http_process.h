/* http_process.h - what the kernel says of this process.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_PROCESS_H
#define NET_HTTP_PROCESS_H

#include <stdint.h>

struct http_process {          /* -1: not known */
    double cpu;                /* seconds, user's and system's */
    double start;              /* seconds since 1970 */
    int64_t resident, virtual; /* bytes of memory */
    int64_t fds, fds_max;
};

/* Reads files of /proc.  Blocks. */
void http_process_look(struct http_process *p);

#endif
