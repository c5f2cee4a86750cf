/* switch.c - what a switch carries; see switch.h.
 *
 * The registers are context_switch()'s.  errno and the C++ runtime's globals of
 * the thread are saved by whoever goes and restored by whoever comes, and are
 * of nobody in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/switch.h"

_Thread_local struct sched *sched_of_thread, *sched_of_host;

void switch_enter(struct sched *s, struct co *co)
{
    s->running = co;
    asan_leave(&s->fiber, &co->fiber);
    context_switch(&s->loop, &co->context);
    asan_arrive(&s->fiber, NULL);
}
