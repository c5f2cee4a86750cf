/* sched_open.c - a scheduler is made, and freed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/clock.h"
#include "co/fd.h"
#include "co/runq.h"
#include "co/sched.h"
#include "co/sys.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct sched *sched_open(unsigned index)
{
    struct sched *s = aligned_alloc(64, sizeof *s);

    if (s == NULL)
        return NULL;
    *s = (struct sched){ .index = index };
    if (stack_cache_open(&s->stacks) < 0)
        goto fail_memory;
    if (runq_open(s) < 0)
        goto fail_stacks;
    if (fd_open(s) < 0)
        goto fail_runq;
    if (poller_open(&s->poller) < 0)
        goto fail_fd;
    if (timer_open(&s->timer, STACK_MAX + 1) < 0)
        goto fail_poller;
    if (poller_set(&s->poller, s->eventfd, POLLER_READ, SCHED_TOKEN_EVENTFD,
                   false) < 0 ||
        poller_set(&s->poller, s->timer.fd, POLLER_READ, SCHED_TOKEN_TIMERFD,
                   false) < 0)
        goto fail_timer;
    s->now = clock_now();
    return s;

fail_timer:
    timer_close(&s->timer);
fail_poller:
    poller_close(&s->poller);
fail_fd:
    fd_close(s);
fail_runq:
    runq_close(s);
fail_stacks:
    stack_cache_close(&s->stacks);
fail_memory:
    free(s);
    return NULL;
}

void sched_forsake(struct sched *s)
{
    (void)sys.close(s->eventfd);
    s->eventfd = -1; /* a post may still come: it must write nowhere */
    (void)sys.close(s->timer.fd);
    s->timer.fd = -1;
    poller_close(&s->poller);
    stack_cache_forsake(&s->stacks);
}

void sched_close(struct sched *s)
{
    timer_close(&s->timer);
    poller_close(&s->poller);
    fd_close(s);
    runq_close(s);
    stack_cache_close(&s->stacks);
    free(s);
}
