/* fd_wait.h - one wait for one descriptor.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FD_WAIT_H
#define CO_FD_WAIT_H

#include <stdint.h>

struct fd_entry;

/* After an attempt that found EAGAIN: waits until fd may be ready for events.
 * gen is what fd_gen() said before the attempt.  0: try again; -1 with errno.
 * On a plain thread, too. */
int fd_wait(int fd, uint32_t gen, uint32_t events, int64_t deadline);

/* The same for reading what fd_drained() says is empty, by a coroutine. */
int fd_wait_edge(struct fd_entry *e, int64_t deadline);

#endif
