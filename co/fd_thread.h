/* fd_thread.h - plain threads that wait for descriptors.
 *
 * Private to co/.  They call poll(2) on the descriptors and on an eventfd of
 * their own, which a close from elsewhere, or any other source of their ticket,
 * writes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FD_THREAD_H
#define CO_FD_THREAD_H

#include "co/wait.h"
#include <poll.h>

/* Gives the ticket of this plain thread its eventfd, so that from now on
 * wait_wake() writes that.  -1 with errno when none can be made. */
int fd_thread_open(struct wait *w);

/* Puts l, a link of a plain thread's ticket, among those that
 * fd_thread_fire() fires. */
void fd_thread_add(struct wait_link *l, int fd);
void fd_thread_remove(struct wait_link *l);

/* fd_thread_add(), and sees to it that a close of fd, whose generation is gen,
 * knows.  0: the caller parks, whatever happens; -1 with errno. */
int fd_thread_watch(int fd, uint32_t gen, struct wait_link *l);

/* Blocks until w is fired, its deadline comes, or one of fds[1..n] is ready;
 * then too it counts as fired, with w->fired NULL.  fds[0] is free for our use.
 * 0, or -1 with errno as wait_park(). */
int fd_thread_park(struct wait *w, struct pollfd *fds, unsigned n);

/* In the child of a fork: of the threads that wait none is left, and this one
 * needs an eventfd of its own.  Safe in a signal handler. */
void fd_thread_forsake(void);

/* Fires all that wait for fd: EBADF, or 0 to have them look again.  [any] */
void fd_thread_fire(int fd, int why);

#endif
