/* switch.c - what a switch carries; see switch.h.
 *
 * The registers are context_switch()'s.  errno and the C++ runtime's globals of
 * the thread are saved by whoever goes and restored by whoever comes, and are
 * of nobody in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/switch.h"
#include "co/runq.h"

_Thread_local struct sched *sched_of_thread;

static inline void save(struct sched *s, struct co *co)
{
    struct cxx_globals *cxx = s->cxx;

    co->err = *s->errno_at;
    if (cxx != NULL && (cxx->caught != NULL || cxx->uncaught != 0)) {
        co->cxx = *cxx;
        co->in_cxx = true;
        *cxx = (struct cxx_globals){ NULL, 0 };
    }
}

static inline void restore(struct sched *s, struct co *co)
{
    *s->errno_at = co->err;
    if (co->in_cxx) {
        *s->cxx = co->cxx;
        co->in_cxx = false;
    }
}

static inline void go(struct sched *s, struct co *co)
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

void switch_away(struct sched *s, struct co *co)
{
    save(s, co);
    go(s, co);
    asan_arrive(&co->fiber, &s->fiber);
    restore(s, co);
}

/* Nothing of s may be used after the switch: the stack can come back on another
 * thread. */
void switch_leave(struct sched *s, struct co *co)
{
    go(s, co);
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
