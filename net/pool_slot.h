/* pool_slot.h - the slots of a pool: who has what, and who is next.
 *
 * Private to net/.  A slot is free, or holds an item, or is where one is just
 * being opened or closed; so their number bounds the items at any moment.
 * Whoever holds a slot works on it without the lock.  A slot that becomes
 * usable, with an item or empty, goes straight to the first who waits: so while
 * somebody waits no slot is idle or free, and nobody can overtake.
 *
 * All functions are called with the lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_POOL_SLOT_H
#define NET_POOL_SLOT_H

#include "co/list.h"
#include "net/pool.h"

struct pool_slot {
    struct list link;       /* of the idle or the free ones */
    struct pool_slot *next; /* of those with the same hash */
    void *item;
    int64_t born, rests; /* since when */
    int64_t known;       /* to be good: when it was opened or checked */
};

struct pool_waiter { /* on the stack of a net_pool_get() */
    struct list link;
    struct co_cond cond;
    struct pool_slot *slot; /* what it got: its item, or NULL to open one */
};

struct net_pool {
    struct co_mutex lock;
    struct net_pool_ops ops;
    void *ctx;
    struct net_pool_options options;

    struct list idle; /* who rests longest comes first */
    struct list free;
    struct list waiters;
    struct pool_slot **buckets; /* of items in use, by address */
    unsigned mask;
    unsigned used; /* slots that are not free */
    bool closing;
    unsigned users;  /* calls that will take the lock again */
    int64_t suspect; /* when an item was last found broken */
    struct net_pool_stats stats;

    bool kept;           /* the keeper runs */
    bool unused;         /* it waits for the first item */
    struct co_cond call; /* it */

    struct pool_slot slots[];
};

/* The slot's item belongs to a caller of net_pool_get() now, and comes back. */
void pool_hand_out(struct net_pool *p, struct pool_slot *s);
struct pool_slot *pool_take_back(struct net_pool *p, const void *item);

/* The slot that rested shortest; one without an item.  NULL when there is
 * none. */
struct pool_slot *pool_pop_idle(struct net_pool *p);
struct pool_slot *pool_pop_free(struct net_pool *p);
void pool_remove_idle(struct net_pool *p, struct pool_slot *s);

/* The slot has a good item, or none: it is the next one's. */
void pool_pass_on(struct net_pool *p, struct pool_slot *s, int64_t now);

bool pool_too_old(const struct net_pool *p, const struct pool_slot *s,
                  int64_t now);
bool pool_rested_too_long(const struct net_pool *p, const struct pool_slot *s,
                          int64_t now);
bool pool_to_be_checked(const struct net_pool *p, const struct pool_slot *s,
                        int64_t now);

/* These give the lock up meanwhile.  open: 0, or -1 with errno. */
void pool_close_item(struct net_pool *p, struct pool_slot *s);
int pool_open_item(struct net_pool *p, struct pool_slot *s, int64_t deadline);

/* Gives the lock up, and the pool with it when nobody will come back. */
void pool_leave(struct net_pool *p);

/* pool_keeper.c: starts the coroutine that opens and closes what nobody asks
 * for, unless it runs, or there is no runtime that it could run in. */
void pool_start_keeper(struct net_pool *p);

#endif
