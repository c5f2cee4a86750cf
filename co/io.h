/* io.h - the loop around a system call, for the files that share it.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_IO_H
#define CO_IO_H

#include <stdbool.h>
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

/* Whether the running coroutine is cancelled: then with errno ECANCELED. */
bool io_cancelled(void);

/* What of events (CO_*) is ready now, by poll(2); -1 with errno. */
int io_poll(int fd, int events);

/* Whether nothing more will come from fd, a socket that was ready and yet says
 * EAGAIN: after its own shutdown(2) one for datagrams tells only who waits in
 * the kernel. */
bool io_ended(int fd);

/* CO_* as poll(2) calls them. */
short io_poll_events(int events);

/* Who is about to close a number, and has said so by fd_forget(): returns once
 * its description, if it is not ours, has the flags it came with. */
void io_settle_flags(void);

/* In the child of fork(): threads that held locks are gone. */
void io_forsake(void);

/* io_run() for what receives and sends with flags, which may say not to wait.
 */
ssize_t io_receive(int fd, int flags, int64_t deadline, io_try *attempt,
                   void *args);
ssize_t io_send(int fd, int flags, int64_t deadline, io_try *attempt,
                void *args);

/* Whether a receive goes on until all is there: a try with MSG_WAITALL does
 * not, since it does not block. */
bool io_wants_rest(int fd, int flags);

/* Receives until len is there; less when the end or an error comes first, which
 * the next call finds. */
size_t io_receive_rest(int fd, void *buf, size_t len, int flags,
                       int64_t deadline);

#endif
