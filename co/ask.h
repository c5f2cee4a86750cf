/* ask.h - a question that a scheduler answers between two turns of its loop.
 *
 * Private to co/.  There all its coroutines are parked or ready, and nothing of
 * them changes but what others claim.  Whoever asks finds sched.ask empty, puts
 * his question there and wakes the scheduler; he may take it back while it
 * stands there.  The scheduler takes it out first, so whoever fails to take it
 * back waits for the answer, which is on its way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_ASK_H
#define CO_ASK_H

#include "co/core.h"

struct ask {
    /* On the scheduler's thread; must not wait. */
    void (*answer)(struct sched *s, struct ask *ask);
    atomic_bool done; /* the scheduler's last store */
};

/* For the loop. */
static inline void ask_answer(struct sched *s)
{
    struct ask *ask = atomic_exchange(&s->ask, NULL);

    if (ask == NULL)
        return;
    ask->answer(s, ask);
    atomic_store(&ask->done, true);
}

/* False: somebody else's question stands there. */
static inline bool ask_put(struct sched *s, struct ask *ask)
{
    struct ask *none = NULL;

    return atomic_compare_exchange_strong(&s->ask, &none, ask);
}

/* False: the answer is on its way, or there. */
static inline bool ask_withdraw(struct sched *s, struct ask *ask)
{
    return atomic_compare_exchange_strong(&s->ask, &ask, NULL);
}

#endif
