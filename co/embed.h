/* embed.h - living inside another event loop.  Conventions as in co/co.h.
 *
 * Makes the calling thread a scheduler that its own loop (libuv, GLib,
 * libevent, poll(2)) drives: one more of the process's runtime when that is up;
 * else the runtime comes up with it, with config->schedulers threads besides, 0
 * none, and goes down with the last one closed.  The host watches
 * co_embed_fd() for reading, and calls co_embed_step() whenever it is readable.
 *
 *     s = co_embed_open(NULL);
 *     while (poll(&(struct pollfd){ co_embed_fd(s), POLLIN, 0 }, 1, -1) > 0)
 *         co_embed_step(s);
 *
 * Between two steps the host's thread is a plain one, which spawns, sends,
 * posts and cancels as any other: the descriptor then becomes readable.  Only
 * waiting is different, as who is waited for may need a step: what would have
 * to wait fails with EDEADLK at once, and co_mutex_lock() of a mutex that
 * somebody holds, which cannot fail, aborts; there is co_mutex_trylock().  What
 * the host spawns without saying where lives on its own scheduler, so that
 * callbacks and coroutines never run at the same time.  CO_ANY elsewhere does
 * not come here while there are scheduler threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_EMBED_H
#define CO_EMBED_H

#include "co/co.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* NULL with errno: EALREADY when this thread is a scheduler's or has one,
 * ESHUTDOWN while the runtime stops, EAGAIN at 256 schedulers, EINVAL for a
 * config out of range, ENOMEM, EMFILE.  config may be NULL; of a runtime that
 * is up already only its grace counts.  [any] */
struct co_sched *co_embed_open(const struct co_config *config);

/* One epoll(7) descriptor for everything: coroutines made ready from anywhere,
 * descriptors they wait for, timers.  Not readable while there is nothing to
 * do.  Borrowed: nobody closes it or adds to it.  [any] */
int co_embed_fd(struct co_sched *s);

/* Runs at most one round of the ready ones, never blocks, and leaves the fd
 * readable if work is left.  How many coroutines are alive in the process, so
 * that a host can go on until 0; or -1: EPERM when called by another thread,
 * EDEADLK by a coroutine, ESHUTDOWN in the child of a fork(). */
int co_embed_step(struct co_sched *s);

/* Cancels the coroutines that live here, runs them to their ends, and gives the
 * thread back.  The last one, of a runtime that came up with one, ends that,
 * too.  Blocks for config->grace at most: -1 ETIMEDOUT, and it is still open.
 * In the child of a fork() there is nothing to close: -1 ESHUTDOWN.  By the
 * host, outside a coroutine. */
int co_embed_close(struct co_sched *s);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
