/* load_hold.h - HTTP connections that have had one answer and are kept open.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_LOAD_HOLD_H
#define BENCH_LOAD_LOAD_HOLD_H

#include <netinet/in.h>
#include <stddef.h>

/* One request on a new connection, which then is in *fd, and its whole answer
 * as a string.  0, or -1 with errno and nothing open; EPROTO for an answer
 * without a length, or too long. */
int hold_one(const struct sockaddr_in *addr, int *fd, char *answer,
             size_t size);

/* As many connections, one after the other; -1 with errno and none. */
int hold_open(const struct sockaddr_in *addr, int *fds, unsigned count);

void hold_close(const int *fds, unsigned count);

#endif
