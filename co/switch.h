/* switch.h - from one coroutine straight to the next.
 *
 * Private to co/.  No clock, no lock, no system call.  The scheduler's own loop
 * is switched to only when nothing is ready or the poller is due.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SWITCH_H
#define CO_SWITCH_H

#include "co/runq.h"

/* What a switch carries besides, where there may be such things. */
void switch_take(struct sched *s, struct co *co);
void switch_give_back(struct sched *s, struct co *co);

/* A coroutine ends: what it leaves is nobody's. */
void switch_drop(void);

static inline void switch_save(struct sched *s, struct co *co)
{
    co->err = *s->errno_at;
    if (__builtin_expect(atomic_load_explicit(&s->extras, memory_order_relaxed),
                         0))
        switch_take(s, co);
}

static inline void switch_restore(struct sched *s, struct co *co)
{
    if (__builtin_expect(co->kept != 0, 0))
        switch_give_back(s, co);
    *s->errno_at = co->err;
}

/* To the next ready one, or the loop. */
static inline void switch_go(struct sched *s, struct co *co)
{
    struct co *next = --s->budget > 0 ? runq_pop(s) : NULL;

    s->running = next;
    if (next != NULL) {
        asan_leave(&co->fiber, &next->fiber);
        context_switch(&co->context, &next->context);
    } else {
        asan_leave(&co->fiber, &s->fiber);
        context_switch(&co->context, &s->loop);
    }
}

/* From co, which runs, and stands in the run queue or has given its ticket out,
 * to the next ready one or the loop.  Returns when it is co's turn again. */
static inline void switch_away(struct sched *s, struct co *co)
{
    switch_save(s, co);
    switch_go(s, co);
    asan_arrive(&co->fiber, &s->fiber);
    switch_restore(s, co);
}

/* What a coroutine does first on the other side of its first switch. */
static inline void switch_arrive(struct co *co)
{
    struct sched *s = co_sched_of(co);

    asan_arrive(&co->fiber, &s->fiber);
    *s->errno_at = 0;
}

/* From co for the last time: it has ended, and its stack may already be waiting
 * for its next user.  Returns on that user's first turn, on another thread
 * perhaps, so nothing of s may be used after the switch. */
static inline void switch_leave(struct sched *s, struct co *co)
{
    switch_go(s, co);
    switch_arrive(co);
}

/* From the loop to co; returns when the loop's turn comes. */
void switch_enter(struct sched *s, struct co *co);

#endif
