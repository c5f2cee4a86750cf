/* sched_stop.c - the end of all coroutines of a scheduler.
 *
 * They are found by the numbers of their stacks; of those that belong to others
 * only the owner is read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sched.h"
#include "co/wait.h"

/* The next one from number *i on that lives on s, or NULL. */
static struct co *next_living(const struct sched *s, uint32_t *i)
{
    while (*i < stack_count()) {
        struct stack *stack = stack_at((*i)++);
        struct co *co;

        if (stack == NULL) /* numbers have gaps */
            continue;
        co = container_of(stack, struct co, stack);
        /* Acquire: what the spawner wrote before it named the owner. */
        if (atomic_load_explicit(&co->sched, memory_order_acquire) == s &&
            !co->ended)
            return co;
    }
    return NULL;
}

void sched_cancel_all(struct sched *s)
{
    struct co *co;

    s->cancel_all = true;
    for (uint32_t i = 0; (co = next_living(s, &i)) != NULL;)
        wait_cancel(co);
}

bool sched_has_living(const struct sched *s)
{
    uint32_t i = 0;

    return next_living(s, &i) != NULL;
}

void sched_tell_quiet(void)
{
    struct wait *w = NULL;

    if (sched_set_living() > atomic_load(&sched_set.last))
        return;
    waitq_lock(&sched_set.quiet);
    w = waitq_claim(&sched_set.quiet);
    waitq_unlock(&sched_set.quiet);
    if (w != NULL)
        wait_wake(w);
}
