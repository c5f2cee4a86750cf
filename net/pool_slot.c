/* pool_slot.c - see pool_slot.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/pool_slot.h"
#include "co/bug.h"
#include <errno.h>
#include <stdlib.h>

static struct pool_slot **bucket_of(struct net_pool *p, const void *item)
{
    uint64_t hash = (uint64_t)(uintptr_t)item * UINT64_C(0x9e3779b97f4a7c15);

    return &p->buckets[(hash >> 32) & p->mask];
}

void pool_hand_out(struct net_pool *p, struct pool_slot *s)
{
    struct pool_slot **bucket = bucket_of(p, s->item);

    s->next = *bucket;
    *bucket = s;
    p->stats.in_use++;
}

struct pool_slot *pool_take_back(struct net_pool *p, const void *item)
{
    struct pool_slot **at = bucket_of(p, item), *s;

    while (*at != NULL && (*at)->item != item)
        at = &(*at)->next;
    s = *at;
    BUG_ON(s == NULL, "an item that the pool has not given out");
    *at = s->next;
    p->stats.in_use--;
    return s;
}

static struct pool_slot *slot_of(struct list *link)
{
    return link == NULL ? NULL : container_of(link, struct pool_slot, link);
}

void pool_remove_idle(struct net_pool *p, struct pool_slot *s)
{
    list_remove(&s->link);
    p->stats.idle--;
}

struct pool_slot *pool_pop_idle(struct net_pool *p)
{
    struct pool_slot *s;

    if (list_empty(&p->idle))
        return NULL;
    s = slot_of(p->idle.prev);
    pool_remove_idle(p, s);
    return s;
}

struct pool_slot *pool_pop_free(struct net_pool *p)
{
    struct pool_slot *s = slot_of(list_pop(&p->free));

    if (s != NULL) {
        p->used++;
        if (p->unused)
            co_cond_signal(&p->call);
        p->unused = false;
    }
    return s;
}

/* When a thousand wait, the stack of each has left the cache by the time of its
 * turn.  Around the waiter are, below, what the calls will use for which it
 * wants the item, and above, the frames of its caller. */
static void prefetch_stack(const struct list *waiter, int below, int above)
{
    enum { LINE = 64 };

    for (int at = -below; at <= above; at += LINE)
        __builtin_prefetch((const char *)waiter + at);
}

void pool_pass_on(struct net_pool *p, struct pool_slot *s, int64_t now)
{
    struct list *first = list_pop(&p->waiters);

    if (first != NULL) /* runs as soon as the caller waits */
        prefetch_stack(first, 1024, 512);
    if (!list_empty(&p->waiters)) /* what the next turn begins with */
        prefetch_stack(p->waiters.next, 128, 128);
    s->rests = now;
    if (first != NULL) {
        struct pool_waiter *w = container_of(first, struct pool_waiter, link);

        w->slot = s;
        co_cond_signal(&w->cond);
    } else if (s->item != NULL) {
        list_push(&p->idle, &s->link);
        p->stats.idle++;
    } else {
        list_push(&p->free, &s->link);
        p->used--;
        if (p->used < p->options.min)
            co_cond_signal(&p->call);
    }
}

bool pool_too_old(const struct net_pool *p, const struct pool_slot *s,
                  int64_t now)
{
    return now - s->born >= p->options.age_max;
}

bool pool_rested_too_long(const struct net_pool *p, const struct pool_slot *s,
                          int64_t now)
{
    return p->used > p->options.min && now - s->rests >= p->options.idle_max;
}

bool pool_to_be_checked(const struct net_pool *p, const struct pool_slot *s,
                        int64_t now)
{
    return p->ops.alive != NULL &&
           (now - s->rests >= p->options.check_after || s->known <= p->suspect);
}

void pool_leave(struct net_pool *p)
{
    bool last = p->closing && p->used == 0 && p->users == 0;

    co_mutex_unlock(&p->lock);
    if (last) {
        if (p->ops.release != NULL)
            p->ops.release(p->ctx);
        free(p->buckets);
        free(p);
    }
}

void pool_close_item(struct net_pool *p, struct pool_slot *s)
{
    void *item = s->item;

    s->item = NULL;
    co_mutex_unlock(&p->lock);
    p->ops.close(p->ctx, item);
    co_mutex_lock(&p->lock);
}

int pool_open_item(struct net_pool *p, struct pool_slot *s, int64_t deadline)
{
    void *item;
    int err;

    co_mutex_unlock(&p->lock);
    item = p->ops.open(p->ctx, deadline);
    err = errno;
    co_mutex_lock(&p->lock);
    s->item = item;
    s->born = s->known = co_now();
    if (item != NULL)
        p->stats.opened++;
    else
        p->stats.open_failures++;
    errno = err;
    return item == NULL ? -1 : 0;
}
