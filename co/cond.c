/* cond.c - the condition: a queue of waiters, each of whom gives up a mutex
 * after he has joined it, so that a signal under that mutex is not missed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/wait.h"

int co_cond_wait(struct co_cond *c, struct co_mutex *m, int64_t deadline)
{
    struct wait w;
    int r, err;

    if (wait_open(&w, WAIT_COND, deadline) < 0 || wait_passed(&w))
        return -1;
    waitq_lock(&c->waiters);
    waitq_push(&c->waiters, &w.link);
    waitq_unlock(&c->waiters);
    co_mutex_unlock(m);
    r = wait_park(&w);
    err = errno;
    co_mutex_lock(m);
    errno = err;
    return r;
}

void co_cond_signal(struct co_cond *c)
{
    struct wait *w;

    waitq_lock(&c->waiters);
    w = waitq_claim(&c->waiters);
    waitq_unlock(&c->waiters);
    if (w != NULL)
        wait_wake(w);
}

/* All are claimed before the first is woken: who waits again is not woken a
 * second time. */
void co_cond_broadcast(struct co_cond *c)
{
    struct wait_link *all;

    waitq_lock(&c->waiters);
    all = waitq_claim_all(&c->waiters, 0);
    waitq_unlock(&c->waiters);
    wait_wake_all(all);
}
