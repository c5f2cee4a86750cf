/* loop.h - the event loop that the others are measured against: one thread, one
 * edge-triggered epoll set, written by hand.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_LOOP_H
#define BENCH_SERVERS_KIT_LOOP_H

#include "bench/servers/kit/service.h"

/* The next connection from source, close-on-exec; -1 with errno, EAGAIN when
 * there is none now. */
typedef int loop_next(int source);

int loop_accept(int listener);

/* Serves what next() gives, asked whenever source, which does not block, is
 * readable.  -1 with errno when there is no memory, or epoll fails; 0 when
 * source is at its end (EPIPE). */
int loop_run(const struct service *s, int source, loop_next *next);

#endif
