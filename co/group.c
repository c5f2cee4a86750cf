/* group.c - work started together, waited for and cancelled together.
 *
 * A member stands in the group's list from its start to its end, and leaves it
 * under the group's lock; so whoever holds that may cancel those he finds.  The
 * group may be gone as soon as somebody could see that nothing runs any more:
 * nothing is touched after that unlock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/coro.h"
#include "co/runq.h"
#include "co/wait.h"

/* Not a ring with a head, as in list.h: g->members is one pointer, to the first
 * one's link. */
static void member_add(struct co_group *g, struct co *co)
{
    struct list *first = (struct list *)g->members;

    co->member.prev = NULL;
    co->member.next = first;
    if (first != NULL)
        first->prev = &co->member;
    g->members = &co->member;
}

static void member_remove(struct co_group *g, struct co *co)
{
    struct list *l = &co->member;

    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        g->members = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
}

/* Adds n to what runs, and unlocks. */
static void count_and_unlock(struct co_group *g, long n)
{
    struct wait_link *all = NULL;

    g->running += n;
    BUG_ON(g->running < 0, "co_group: more was done than added");
    if (g->running == 0)
        all = waitq_claim_all(&g->waiters, 0);
    waitq_unlock(&g->waiters);
    wait_wake_all(all);
}

static void member_ends(struct co *co)
{
    struct co_group *g = co->group;

    waitq_lock(&g->waiters);
    member_remove(g, co);
    count_and_unlock(g, -1);
}

int co_group_go_at(struct co_group *g, co_fn *fn, void *arg, const char *file,
                   int line)
{
    struct co *co = coro_new(&(struct coro_plan){ .fn = fn,
                                                  .arg = arg,
                                                  .file = file,
                                                  .line = line,
                                                  .detached = true,
                                                  .group = g,
                                                  .at_end = member_ends });

    if (co == NULL)
        return -1;
    waitq_lock(&g->waiters);
    if (g->cancelled)
        co->cancelled = true; /* not started yet, so it is still ours */
    member_add(g, co);
    g->running++;
    waitq_unlock(&g->waiters);
    coro_start(co, false);
    return 0;
}

void co_group_add(struct co_group *g, long n)
{
    waitq_lock(&g->waiters);
    count_and_unlock(g, n);
}

void co_group_done(struct co_group *g) { co_group_add(g, -1); }

/* Ending a member's park takes the lock of what it waits for, which may be this
 * group.  So members of this thread are marked here, and a park is ended by the
 * post, as it is for those of other threads. */
static void cancel(struct co *co)
{
    if (co_sched_of(co) == sched_self()) {
        co->cancelled = true;
        if (co->wait == NULL)
            return;
    }
    runq_post(co_sched_of(co), &co->post, POST_CANCEL);
}

void co_group_cancel(struct co_group *g)
{
    waitq_lock(&g->waiters);
    g->cancelled = true;
    for (struct list *l = g->members; l != NULL; l = l->next)
        cancel(container_of(l, struct co, member));
    waitq_unlock(&g->waiters);
}

int co_group_wait(struct co_group *g, int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, WAIT_GROUP, deadline) < 0)
        return -1;
    waitq_lock(&g->waiters);
    if (g->running == 0 || wait_passed(&w)) {
        bool done = g->running == 0;

        waitq_unlock(&g->waiters);
        return done ? 0 : -1;
    }
    waitq_push(&g->waiters, &w.link);
    waitq_unlock(&g->waiters);
    return wait_park(&w);
}
