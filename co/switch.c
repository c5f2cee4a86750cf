/* switch.c - what a switch carries; see switch.h.
 *
 * The registers are context_switch()'s.  errno and the C++ runtime's globals of
 * the thread are saved by whoever goes and restored by whoever comes, and are
 * of nobody in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/switch.h"

_Thread_local struct sched *sched_of_thread;

/* Nothing of s may be used after the switch: the stack can come back on another
 * thread. */
void switch_leave(struct sched *s, struct co *co)
{
    switch_go(s, co);
    switch_arrive(co);
}

void switch_arrive(struct co *co)
{
    struct sched *s = co_sched_of(co);

    asan_arrive(&co->fiber, &s->fiber);
    *s->errno_at = 0;
}

void switch_enter(struct sched *s, struct co *co)
{
    s->running = co;
    asan_leave(&s->fiber, &co->fiber);
    context_switch(&s->loop, &co->context);
    asan_arrive(&s->fiber, NULL);
}
