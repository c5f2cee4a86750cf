/* pool.h - a bounded pool of things that are slow to open, such as connections
 * to a database.  Conventions as in co/co.h.
 *
 *     MYSQL *db = net_pool_get(pool, co_after(2 * CO_SECOND));
 *
 *     if (db == NULL)
 *         return 503;
 *     ...
 *     net_pool_put(pool, db);
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include "co/co.h"
#include <stdbool.h>
#include <stdint.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

struct net_pool; /* net_pool_new() makes it, net_pool_free() ends it */

/* Called by whoever gets, puts or drops an item, or by a coroutine of the
 * pool's own; several at the same time, never for one item. */
struct net_pool_ops {                           /* public */
    void *(*open)(void *ctx, int64_t deadline); /* NULL + errno */
    void (*close)(void *ctx, void *item);
    bool (*alive)(void *ctx, void *item); /* may be NULL: it is */
    bool (*reset)(void *ctx, void *item); /* before a put item is anyone's; may
                                             be NULL.  False: it is broken */
    void (*release)(void *ctx);           /* the last call, or NULL */
};

struct net_pool_options { /* public; zero means the default */
    unsigned max;         /* items at the same time; 8, at most 65,536 */
    unsigned min;         /* kept open, while the runtime is up; 0 */
    int64_t idle_max;     /* closed after resting this long; 5 minutes */
    int64_t age_max;      /* closed when older; 1 hour */
    int64_t check_after;  /* alive() asked after resting this long, and when
                             another item was dropped since it was opened or
                             asked; 10 s */
    int64_t open_timeout; /* for opens of the pool's own coroutine; 10 s */
};

enum { NET_POOL_WAITS = 24 }; /* classes of how long a get took */

struct net_pool_stats { /* public */
    unsigned open;      /* items that exist: idle + in_use + changing */
    unsigned idle;
    unsigned in_use;
    unsigned changing; /* being opened, checked or closed */
    unsigned waiting;  /* calls of net_pool_get() in the queue */
    uint64_t gets;     /* that returned an item */
    uint64_t timeouts; /* of net_pool_get() */
    uint64_t cancels;
    uint64_t opened;
    uint64_t open_failures;
    uint64_t dead;    /* of which alive() said no */
    uint64_t dropped; /* by net_pool_drop() */
    uint64_t retired; /* closed for their rest or age */

    /* How long gets took that returned an item: [0] found one idle, [i] less
     * than 2^i microseconds, the last one all others. */
    uint64_t waited[NET_POOL_WAITS];
};

/* Copies ops and borrows ctx until ops->release().  NULL with EINVAL for
 * options out of range (min beyond max, a negative time), or ENOMEM.  [any] */
struct net_pool *net_pool_new(const struct net_pool_ops *ops, void *ctx,
                              const struct net_pool_options *options);

/* Closes what is idle, and fails those who wait with ESHUTDOWN.  Items that are
 * out are closed when they are put; the pool's memory goes with the last one.
 * NULL is fine.  [waits], as long as ops->close() does */
void net_pool_free(struct net_pool *p);

/* An idle item, the one that rested shortest; or a fresh one while fewer than
 * max exist; or else the next one that is put back, first come, first served.
 * NULL with ETIMEDOUT, ECANCELED, ESHUTDOWN after net_pool_free() began, or the
 * errno of open().  [waits] */
void *net_pool_get(struct net_pool *p, int64_t deadline);

/* Gives an item back.  Whoever waits gets it next, before this call returns;
 * put and drop wait only when they close it.  What the pool did not give out,
 * or has back already, is a bug, and aborts. */
void net_pool_put(struct net_pool *p, void *item);  /* still good.  [waits] */
void net_pool_drop(struct net_pool *p, void *item); /* broken.  [waits] */

void net_pool_stats(struct net_pool *p, struct net_pool_stats *stats);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
