/* stats.c - counters, as their owners left them after their last turn.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/stats.h"
#include "co/runq.h"
#include "co/sched_set.h"

static uint64_t load(const atomic_ulong *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Ends before beginnings, or more would have ended than lived. */
void stats_of(const struct sched *s, struct co_stats *out)
{
    const struct counters *c = &s->counters;
    uint64_t begun;

    *out = (struct co_stats){ 0 };
    out->ended = atomic_load(&s->finished);
    begun = load(&c->arrived) + atomic_load(&s->spawned);
    out->spawned = begun - load(&c->sent);
    out->living = out->spawned > out->ended ? out->spawned - out->ended : 0;
    out->ready = atomic_load_explicit(&s->load, memory_order_relaxed);
    out->ready_max = atomic_load_explicit(&c->ready_max, memory_order_relaxed);
    out->switches = load(&c->switches);
    out->polls = load(&c->polls);
    out->fd_events = load(&c->fd_events);
    out->timers = load(&c->timers);
    out->remote_wakes = load(&c->posts);
    out->stack_bytes = stack_bytes_mapped();
}

static void add(struct co_stats *sum, const struct co_stats *s)
{
    sum->ended += s->ended;
    sum->switches += s->switches;
    sum->polls += s->polls;
    sum->fd_events += s->fd_events;
    sum->timers += s->timers;
    sum->remote_wakes += s->remote_wakes;
    sum->ready += s->ready;
    if (s->ready_max > sum->ready_max)
        sum->ready_max = s->ready_max;
}

/* Who was spawned and has not arrived yet counts, too. */
static void sum_up(struct co_stats *out)
{
    unsigned count = atomic_load(&sched_set.count);
    uint64_t begun;

    *out = (struct co_stats){ 0 };
    for (unsigned i = 0; i < count; i++) {
        struct co_stats one;

        stats_of(sched_set.at[i], &one);
        add(out, &one);
    }
    if (count == 0)
        return;
    begun = atomic_load(&sched_set.spawned_outside);
    for (unsigned i = 0; i < count; i++)
        begun += atomic_load(&sched_set.at[i]->spawned);
    out->spawned = begun;
    out->living = begun - out->ended;
    out->stack_bytes = stack_bytes_mapped();
}

void co_stats(struct co_sched *s, struct co_stats *out)
{
    *out = (struct co_stats){ 0 };
    runq_enter();
    if (s == NULL)
        sum_up(out);
    else if (atomic_load(&sched_set.count) > 0)
        stats_of((struct sched *)s, out);
    runq_leave();
}
