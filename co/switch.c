/* switch.c - what a switch carries; see switch.h.
 *
 * The registers are context_switch()'s.  errno and the C++ runtime's globals of
 * the thread are saved by whoever goes and restored by whoever comes, and are
 * of nobody in between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/switch.h"
#include "co/sched_set.h"
#include "co/sys.h"

_Thread_local struct sched *co_sys_thread, *sched_of_host;

static struct guest the_guest;
_Atomic(const struct guest *) switch_guest;

/* Schedulers that start later see it; of those that run, each is told. */
void co_sys_guest(void *(*take)(void), void (*give)(void *kept),
                  void (*drop)(void))
{
    unsigned count;

    the_guest = (struct guest){ take, give, drop };
    atomic_store(&switch_guest, &the_guest);
    runq_enter();
    count = atomic_load(&sched_set.count);
    for (unsigned i = 0; i < count; i++)
        atomic_store(&sched_set.at[i]->extras, true);
    runq_leave();
}

void switch_take(struct sched *s, struct co *co)
{
    struct cxx_globals *cxx = s->cxx;
    const struct guest *guest = atomic_load(&switch_guest);

    if (cxx != NULL && (cxx->caught != NULL || cxx->uncaught != 0)) {
        co->cxx = *cxx;
        co->kept |= KEPT_CXX;
        *cxx = (struct cxx_globals){ NULL, 0 };
    }
    if (guest != NULL && (co->guest = guest->take()) != NULL)
        co->kept |= KEPT_GUEST;
}

void switch_drop(void)
{
    const struct guest *guest = atomic_load(&switch_guest);

    if (guest != NULL)
        guest->drop();
}

void switch_give_back(struct sched *s, struct co *co)
{
    if (co->kept & KEPT_CXX)
        *s->cxx = co->cxx;
    if (co->kept & KEPT_GUEST)
        atomic_load(&switch_guest)->give(co->guest);
    co->kept = 0;
}

void switch_enter(struct sched *s, struct co *co)
{
    s->running = co;
    asan_leave(&s->fiber, &co->fiber);
    context_switch(&s->loop, &co->context);
    asan_arrive(&s->fiber, NULL);
}
