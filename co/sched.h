/* sched.h - the loop that a scheduler's thread runs.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SCHED_H
#define CO_SCHED_H

#include "co/sched_set.h"

/* What the poller calls a scheduler's own descriptors. */
#define SCHED_TOKEN_EVENTFD (~UINT64_C(0))
#define SCHED_TOKEN_TIMERFD (~UINT64_C(0) - 1)

struct sched *sched_open(unsigned index); /* NULL with errno */
void sched_close(struct sched *s);

/* In the child of a fork: gives up what s shares with the parent's, untouched.
 * sched_close() then frees the rest.  Safe in a signal handler. */
void sched_forsake(struct sched *s);

/* Makes the calling thread s, runs until sched_set.quit, and unmakes it. */
void sched_run(struct sched *s);

/* The same in pieces, for a thread that a host drives: makes the calling thread
 * s, but for sched_self(), which says so only while it steps; runs at most one
 * round of the ready ones, without blocking, and leaves the poller's descriptor
 * readable when something is left to do. */
void sched_enter_thread(struct sched *s);
void sched_step(struct sched *s);

/* Makes s look round soon; from any thread. */
void sched_nudge(struct sched *s);

/* The runtime stops, or an embedded s is closed: all that live on s, and all
 * that will, are cancelled.  Its owner's thread. */
void sched_cancel_all(struct sched *s);
bool sched_has_living(const struct sched *s);

/* Wakes whoever waits for the end, if it has come. */
void sched_tell_quiet(void);

/* Gives the stack of an ended coroutine, whose handle nobody owns, back.  Its
 * owner's thread. */
static inline void sched_free(struct sched *s, struct co *co)
{
    atomic_store_explicit(&co->sched, NULL, memory_order_relaxed);
    stack_put(&s->stacks, &co->stack);
}

/* The same for one that still stands on its stack: at the next call, which NULL
 * only makes happen, or when the loop runs. */
void sched_free_later(struct sched *s, struct co *co);

#endif
