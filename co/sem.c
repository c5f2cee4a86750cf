/* sem.c - the semaphore: a number, and who waits for it to be positive.
 *
 * A post goes straight to the first waiter, who need not look again, so nobody
 * can be overtaken.  The number is positive only while nobody waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/wait.h"

int co_sem_wait(struct co_sem *s, int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, WAIT_SEM, deadline) < 0)
        return -1;
    waitq_lock(&s->waiters);
    if (s->value > 0) {
        s->value--;
        waitq_unlock(&s->waiters);
        return 0;
    }
    if (wait_passed(&w)) {
        waitq_unlock(&s->waiters);
        return -1;
    }
    waitq_push(&s->waiters, &w.link);
    waitq_unlock(&s->waiters);
    return wait_park(&w);
}

void co_sem_post(struct co_sem *s)
{
    struct wait *w = NULL;

    waitq_lock(&s->waiters);
    /* The user may have started it below zero: those posts wake nobody. */
    if (s->value != 0 || (w = waitq_claim(&s->waiters)) == NULL)
        s->value++;
    waitq_unlock(&s->waiters);
    if (w != NULL)
        wait_wake(w);
}
