/* timer.h - deadlines of many ids under one timerfd.
 *
 * Private to co/.  Knows no coroutine: an id is the number of a stack.  A
 * deadline (monotonic ns) becomes a tick of 1,024 ns, rounded up, so that
 * nothing is ever early.  One that lies beyond the tick's reach stands at the
 * farthest tick; its id is then returned early, and the caller, who knows the
 * real deadline, sets it again.  All calls by the owner's thread.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_TIMER_H
#define CO_TIMER_H

#include "co/heap.h"
#include <stdint.h>

struct timer {
    struct heap heap;
    int fd;             /* the timerfd: readable when armed and due */
    int64_t base;       /* the time of tick 0 */
    int64_t origin;     /* the earliest tick when last looked at, in full */
    uint32_t armed_key; /* of the earliest entry, when it was set */
    int64_t armed; /* what the timerfd is set to; 0: not set, or it fired */
};

int timer_open(struct timer *t, uint32_t limit); /* ids below limit; 0 or -1 */
void timer_close(struct timer *t);

void timer_set(struct timer *t, uint32_t id, int64_t deadline, int64_t now);
void timer_drop(struct timer *t, uint32_t id);

/* Takes off up to max ids whose tick has come at `now`, earliest first, and
 * returns how many. */
unsigned timer_pop_due(struct timer *t, int64_t now, uint32_t *ids,
                       unsigned max);

/* Before blocking: sets the timerfd to the earliest entry plus slack, unless it
 * is set so already; makes no system call when there is no entry, and leaves an
 * alarm that is set already and earlier than needed (one idle wake-up costs
 * less than a call each time).  Returns false when the earliest is due at
 * `now`: do not block. */
bool timer_arm_new(struct timer *t, int64_t now, int64_t slack);
static inline bool timer_arm(struct timer *t, int64_t now, int64_t slack)
{
    if (t->heap.count == 0)
        return true;
    /* Set for this very entry: should it be due by now, the alarm goes off. */
    if (t->armed != 0 && heap_top(&t->heap).key == t->armed_key)
        return true;
    return timer_arm_new(t, now, slack);
}

/* The poller says that the timerfd fired: forget what it was set to. */
void timer_fired(struct timer *t);

#endif
