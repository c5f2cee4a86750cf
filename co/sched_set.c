/* sched_set.c - see sched_set.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sched_set.h"

struct sched_set sched_set;

unsigned long sched_set_living(void)
{
    unsigned count = atomic_load(&sched_set.count);
    unsigned long ended = 0, begun = 0;

    for (unsigned i = 0; i < count; i++)
        ended += atomic_load(&sched_set.at[i]->finished);
    begun = atomic_load(&sched_set.spawned_outside);
    for (unsigned i = 0; i < count; i++)
        begun += atomic_load(&sched_set.at[i]->spawned);
    return begun - ended;
}

struct sched *sched_set_idlest(void)
{
    unsigned count = atomic_load(&sched_set.count);
    struct sched *best = NULL, *embedded = NULL;
    unsigned least = 0;

    for (unsigned i = 0; i < count; i++) {
        struct sched *s = sched_set.at[i];
        unsigned load = atomic_load_explicit(&s->load, memory_order_relaxed);

        if (atomic_load_explicit(&s->retired, memory_order_relaxed))
            continue;
        if (s->hosted) {
            embedded = embedded == NULL ? s : embedded;
            continue;
        }
        if (atomic_load_explicit(&s->sleeping, memory_order_relaxed))
            return s;
        if (best == NULL || load < least) {
            best = s;
            least = load;
        }
    }
    return best != NULL ? best : embedded;
}
