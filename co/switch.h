/* switch.h - from one coroutine straight to the next.
 *
 * Private to co/.  No clock, no lock, no system call.  The scheduler's own loop
 * is switched to only when nothing is ready or the poller is due.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SWITCH_H
#define CO_SWITCH_H

#include "co/core.h"

/* From co, which runs, and stands in the run queue or has given its ticket out,
 * to the next ready one or the loop.  Returns when it is co's turn again. */
void switch_away(struct sched *s, struct co *co);

/* The same for the last time: co has ended, and its stack may already be
 * waiting for its next user.  Returns on that user's first turn. */
void switch_leave(struct sched *s, struct co *co);

/* The other side of the first switch to a coroutine. */
void switch_arrive(struct co *co);

/* From the loop to co; returns when the loop's turn comes. */
void switch_enter(struct sched *s, struct co *co);

#endif
