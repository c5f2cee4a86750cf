/* switch.c - what a switch carries; see switch.h.
 *
 * The registers are context_switch()'s.  errno and the C++ runtime's globals of
 * the thread are saved by whoever goes and restored by whoever comes, and are
 * of nobody in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/switch.h"
#include "co/sys.h"

_Thread_local struct sched *sched_of_thread, *sched_of_host;

static struct guest the_guest;
_Atomic(const struct guest *) switch_guest;

void co_sys_guest(void *(*take)(void), void (*give)(void *kept),
                  void (*drop)(void))
{
    the_guest = (struct guest){ take, give, drop };
    atomic_store_explicit(&switch_guest, &the_guest, memory_order_release);
}

void switch_take_guest(struct co *co)
{
    const struct guest *guest =
        atomic_load_explicit(&switch_guest, memory_order_acquire);

    co->guest = guest->take();
    if (co->guest != NULL)
        co->kept |= KEPT_GUEST;
}

void switch_give_back(struct sched *s, struct co *co)
{
    if (co->kept & KEPT_CXX)
        *s->cxx = co->cxx;
    if (co->kept & KEPT_GUEST)
        switch_guest->give(co->guest);
    co->kept = 0;
    *s->errno_at = co->err;
}

void switch_enter(struct sched *s, struct co *co)
{
    s->running = co;
    asan_leave(&s->fiber, &co->fiber);
    context_switch(&s->loop, &co->context);
    asan_arrive(&s->fiber, NULL);
}
