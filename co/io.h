/* io.h - the loop around a system call, for the files that share it.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_IO_H
#define CO_IO_H

#include <stdint.h>
#include <sys/types.h>

/* One try, which must not block the thread: a result, or -1 with errno; EAGAIN
 * means wait for readiness and try again. */
typedef ssize_t io_try(int fd, void *args);

/* Tries until there is a result other than EAGAIN and EINTR, waiting for events
 * (POLLER_*) in between.  -1 with errno; EPERM: it said EAGAIN, but is of a
 * kind that one cannot wait for. */
ssize_t io_run(int fd, uint32_t events, int64_t deadline, io_try *attempt,
               void *args);

/* What of events (CO_*) is ready now, by poll(2); -1 with errno. */
int io_poll(int fd, int events);

/* CO_* as poll(2) calls them. */
short io_poll_events(int events);

#endif
