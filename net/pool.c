/* pool.c - the calls of pool.h.
 *
 * An idle item that needs no look is got and put back under one lock, which is
 * never held while an item is opened, checked or closed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/pool.h"
#include "net/pool_slot.h"
#include <errno.h>
#include <stdlib.h>

enum { MAX = 65536 };

/* ---- Life ------------------------------------------------------------------
 */

static int take_options(struct net_pool_options *o)
{
#define DEFAULT(field, value) o->field = o->field == 0 ? (value) : o->field
    DEFAULT(max, 8);
    DEFAULT(idle_max, 300 * CO_SECOND);
    DEFAULT(age_max, 3600 * CO_SECOND);
    DEFAULT(check_after, 10 * CO_SECOND);
    DEFAULT(open_timeout, 10 * CO_SECOND);
#undef DEFAULT
    if (o->max <= MAX && o->min <= o->max && o->idle_max > 0 &&
        o->age_max > 0 && o->check_after > 0 && o->open_timeout > 0)
        return 0;
    errno = EINVAL;
    return -1;
}

struct net_pool *net_pool_new(const struct net_pool_ops *ops, void *ctx,
                              const struct net_pool_options *options)
{
    struct net_pool_options o = { 0 };
    unsigned buckets = 1;
    struct net_pool *p;

    if (options != NULL)
        o = *options;
    if (take_options(&o) < 0)
        return NULL;
    while (buckets < o.max)
        buckets *= 2;
    p = calloc(1, sizeof *p + o.max * sizeof p->slots[0]);
    if (p == NULL)
        return NULL;
    p->buckets = calloc(buckets, sizeof *p->buckets);
    if (p->buckets == NULL) {
        free(p);
        return NULL;
    }
    p->mask = buckets - 1;
    p->ops = *ops;
    p->ctx = ctx;
    p->options = o;
    p->suspect = INT64_MIN;
    for (unsigned i = 0; i < o.max; i++)
        list_push(&p->free, &p->slots[i].link);
    co_mutex_lock(&p->lock);
    if (o.min > 0)
        pool_start_keeper(p);
    co_mutex_unlock(&p->lock);
    return p;
}

void net_pool_free(struct net_pool *p)
{
    struct list *link;
    struct pool_slot *s;

    if (p == NULL)
        return;
    co_mutex_lock(&p->lock);
    p->closing = true;
    p->users++;
    while ((link = list_pop(&p->waiters)) != NULL)
        co_cond_signal(&container_of(link, struct pool_waiter, link)->cond);
    co_cond_signal(&p->call);
    while ((s = pool_pop_idle(p)) != NULL) {
        pool_close_item(p, s);
        pool_pass_on(p, s, 0);
    }
    p->users--;
    pool_leave(p);
}

/* ---- Get, put, drop --------------------------------------------------------
 */

/* A slot with or without an item, or NULL with errno. */
static struct pool_slot *wait_for_slot(struct net_pool *p, int64_t deadline)
{
    struct pool_waiter me = { .slot = NULL };

    p->stats.waiting++;
    p->users++;
    list_push(&p->waiters, &me.link);
    while (me.slot == NULL && !p->closing)
        if (co_cond_wait(&me.cond, &p->lock, deadline) < 0)
            break;
    p->users--;
    p->stats.waiting--;
    if (me.slot != NULL)
        return me.slot; /* also when it came too late, or was cancelled */
    if (p->closing) {
        errno = ESHUTDOWN;
        return NULL;
    }
    list_remove(&me.link);
    if (errno == ETIMEDOUT)
        p->stats.timeouts++;
    else
        p->stats.cancels++;
    return NULL;
}

/* Whether the item of s is still good; else it is closed. */
static bool examine(struct net_pool *p, struct pool_slot *s, int64_t now,
                    int64_t deadline)
{
    if (pool_too_old(p, s, now) || pool_rested_too_long(p, s, now)) {
        p->stats.retired++;
    } else if (pool_to_be_checked(p, s, now)) {
        int64_t old = co_self() == NULL ? 0 : co_limit_deadline(deadline);
        bool alive;

        co_mutex_unlock(&p->lock);
        s->known = co_now();
        alive = p->ops.alive(p->ctx, s->item);
        if (co_self() != NULL)
            co_restore_deadline(old);
        co_mutex_lock(&p->lock);
        if (alive)
            return true;
        p->stats.dead++;
        p->suspect = co_now();
    } else {
        return true;
    }
    pool_close_item(p, s);
    return false;
}

static void count_wait(struct net_pool *p, int64_t ns)
{
    int i = ns < 1000 ? 1 : 64 - __builtin_clzll((uint64_t)ns / 1000);

    p->stats.waited[i < NET_POOL_WAITS ? i : NET_POOL_WAITS - 1]++;
}

/* The slow way: without an idle item that can be handed out as it is.  s is one
 * that cannot, or NULL. */
static struct pool_slot *get_slowly(struct net_pool *p, struct pool_slot *s,
                                    int64_t begun, int64_t deadline)
{
    if (s == NULL)
        s = pool_pop_free(p);
    if (s == NULL)
        s = wait_for_slot(p, deadline);
    if (s == NULL)
        return NULL;
    if (s->item != NULL)
        (void)examine(p, s, begun, deadline);
    if (s->item == NULL && pool_open_item(p, s, deadline) < 0) {
        pool_pass_on(p, s, 0);
        return NULL;
    }
    count_wait(p, co_now() - begun);
    return s;
}

void *net_pool_get(struct net_pool *p, int64_t deadline)
{
    int64_t now = co_now();
    struct pool_slot *s;
    void *item;
    int err;

    co_mutex_lock(&p->lock);
    if (p->closing) {
        co_mutex_unlock(&p->lock);
        errno = ESHUTDOWN;
        return NULL;
    }
    pool_start_keeper(p);
    s = pool_pop_idle(p);
    if (__builtin_expect(s != NULL && !pool_too_old(p, s, now) &&
                             !pool_rested_too_long(p, s, now) &&
                             !pool_to_be_checked(p, s, now),
                         1)) {
        p->stats.waited[0]++;
    } else {
        s = get_slowly(p, s, now, deadline);
    }
    item = s == NULL ? NULL : s->item;
    if (s != NULL) {
        pool_hand_out(p, s);
        p->stats.gets++;
    }
    err = errno;
    pool_leave(p);
    errno = err;
    return item;
}

/* Whether the item of s may go to another one. */
static bool still_good(struct net_pool *p, struct pool_slot *s)
{
    bool good = true;

    if (p->ops.reset != NULL) {
        co_mutex_unlock(&p->lock);
        good = p->ops.reset(p->ctx, s->item);
        co_mutex_lock(&p->lock);
    }
    return good;
}

static void give_back(struct net_pool *p, void *item, bool good)
{
    int err = errno;
    struct pool_slot *s;
    int64_t now;

    co_mutex_lock(&p->lock);
    s = pool_take_back(p, item);
    good = good && still_good(p, s);
    now = co_now();
    if (!good) {
        p->stats.dropped++;
        p->suspect = now;
    } else if (pool_too_old(p, s, now)) {
        p->stats.retired++;
        good = false;
    }
    if (!good || p->closing)
        pool_close_item(p, s);
    pool_pass_on(p, s, now);
    pool_leave(p);
    errno = err;
}

void net_pool_put(struct net_pool *p, void *item) { give_back(p, item, true); }

void net_pool_drop(struct net_pool *p, void *item)
{
    give_back(p, item, false);
}

void net_pool_stats(struct net_pool *p, struct net_pool_stats *stats)
{
    co_mutex_lock(&p->lock);
    *stats = p->stats;
    stats->open = p->used;
    stats->changing = p->used - stats->idle - stats->in_use;
    co_mutex_unlock(&p->lock);
}
