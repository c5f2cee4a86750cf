/* sleep.c - time, and giving way.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/clock.h"
#include "co/runq.h"
#include "co/switch.h"
#include "co/wait.h"
#include <errno.h>

int64_t co_now(void) { return clock_now(); }

int64_t co_after(int64_t ns)
{
    int64_t now = clock_now();

    if (ns > CO_FOREVER - now)
        return CO_FOREVER;
    return now + ns;
}

/* A wait with no source: only its deadline, or a cancel, ends it.  Which of the
 * two deadlines came decides what it says. */
int co_sleep_until(int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, WAIT_SLEEP, deadline) < 0)
        return -1;
    if (w.deadline > CO_NOWAIT) {
        (void)wait_park(&w); /* never 0 */
        if (w.why != ETIMEDOUT)
            return -1;
    } else if (wait_passed(&w) && errno == EDEADLK) {
        return -1;
    }
    if (w.deadline == deadline || w.co == NULL)
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

void co_yield_now(void)
{
    struct sched *s = sched_self();

    BUG_ON(s == NULL || s->running == NULL,
           "co_yield_now: called outside a coroutine");
    if (runq_empty(s) && --s->budget > 0)
        return;
    runq_push(s, s->running);
    switch_away(s, s->running);
}
