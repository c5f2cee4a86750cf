/* pool_keeper.c - a pool's own coroutine: opens and closes what nobody asks
 * for.
 *
 * It sleeps until the first item that it knows of is due, and for ever while
 * there are no items; putting an item never wakes it, since that one rests and
 * ages longer than those it knows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/pool_slot.h"

enum { WARM_AGAIN_S = 1 };

/* Closes an idle item whose time has come.  False: there is none. */
static bool retire_one(struct net_pool *p, int64_t now)
{
    struct list *l = p->idle.next;

    for (; l != NULL && l != &p->idle; l = l->next) {
        struct pool_slot *s = container_of(l, struct pool_slot, link);

        if (!pool_too_old(p, s, now) && !pool_rested_too_long(p, s, now))
            continue;
        pool_remove_idle(p, s);
        p->stats.retired++;
        pool_close_item(p, s);
        pool_pass_on(p, s, now);
        return true;
    }
    return false;
}

/* Opens one of those that are kept open.  False: there are enough, or it
 * failed, and *again is when to try once more. */
static bool warm_one(struct net_pool *p, int64_t now, int64_t *again)
{
    struct pool_slot *s;
    bool opened;

    if (p->used >= p->options.min || now < *again)
        return false;
    s = pool_pop_free(p);
    opened = pool_open_item(p, s, co_after(p->options.open_timeout)) == 0;
    if (!opened)
        *again = co_after(WARM_AGAIN_S * CO_SECOND);
    if (opened && p->closing)
        pool_close_item(p, s);
    pool_pass_on(p, s, co_now());
    return opened;
}

/* Items that are out now rest and age at least that much longer. */
static int64_t next_look(const struct net_pool *p, int64_t now, int64_t again)
{
    const struct net_pool_options *o = &p->options;
    int64_t next = CO_FOREVER, due;

    if (p->used > 0)
        next = now + (o->idle_max < o->age_max ? o->idle_max : o->age_max);
    if (p->used < o->min && again < next)
        next = again;
    for (struct list *l = p->idle.next; l != NULL && l != &p->idle;
         l = l->next) {
        const struct pool_slot *s = container_of(l, struct pool_slot, link);

        due = s->born + o->age_max;
        if (p->used > o->min && s->rests + o->idle_max < due)
            due = s->rests + o->idle_max;
        if (due < next)
            next = due;
    }
    return next;
}

static void keeper(void *pool)
{
    struct net_pool *p = pool;
    int64_t again = 0;

    co_mutex_lock(&p->lock);
    while (!p->closing && !co_cancelled()) {
        int64_t now = co_now();

        if (retire_one(p, now) || warm_one(p, now, &again))
            continue;
        p->unused = p->used == 0;
        (void)co_cond_wait(&p->call, &p->lock, next_look(p, now, again));
    }
    p->kept = p->unused = false;
    p->users--;
    pool_leave(p);
}

void pool_start_keeper(struct net_pool *p)
{
    if (p->kept || p->closing || co_sched_at(0) == NULL)
        return;
    p->kept = true;
    p->users++;
    if (co_go(keeper, p) < 0) { /* another time */
        p->kept = false;
        p->users--;
    }
}
