/* sched.h - the loop that a scheduler's thread runs.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SCHED_H
#define CO_SCHED_H

#include "co/sched_set.h"

struct sched *sched_open(unsigned index); /* NULL with errno */
void sched_close(struct sched *s);

/* Makes the calling thread s, runs until sched_set.quit, and unmakes it. */
void sched_run(struct sched *s);

/* Makes s look round soon; from any thread. */
void sched_nudge(struct sched *s);

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
