/* redis_line.h - a connection to Redis that many share, while it is good.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_REDIS_LINE_H
#define NET_REDIS_LINE_H

#include "co/list.h"
#include "net/redis_conn.h"
#include <hiredis/sds.h>

struct question {     /* on the stack of who asks; under the lock */
    struct list link; /* of its line, until it has its reply */
    struct co_cond answered;
    redisReply *reply;
    int err;       /* instead; 0: none yet */
    unsigned skip; /* replies behind its own that nobody waits for */
};

struct line { /* a connection; under the lock */
    struct net_redis *redis;
    struct co *dialler;  /* the reader, while it connects */
    redisContext *c;     /* then the reader's, but for its descriptor */
    sds out;             /* commands to be written */
    unsigned skip;       /* the next so many replies: nobody waits for them */
    struct list asked;   /* then questions that were appended, in order */
    struct co_cond more; /* for the writer */
    int64_t heard;       /* when it last was not silent */
    int err;             /* it broke */
    int users;           /* coroutines that have not ended */
};

struct net_redis { /* under the lock, but for what never changes */
    struct co_mutex lock;
    struct redis_settings settings;
    int64_t open_timeout, silence_max;
    struct line *line; /* the one in use, or NULL */
    bool closing;
    unsigned inside; /* lines that have not ended, calls that have not returned
                      */
    struct co_cond empty;
};

/* All under the lock. */

/* It connects by itself, and takes what is asked meanwhile.  NULL + errno. */
struct line *redis_line_new(struct net_redis *r);

/* No more goes through it: those who asked fail with err, and its coroutines
 * will notice. */
void redis_line_break(struct line *l, int err);

static inline bool redis_line_owes(const struct line *l)
{
    return l->skip > 0 || !list_empty(&l->asked);
}

/* A line or a call has ended. */
static inline void redis_go_out(struct net_redis *r)
{
    if (--r->inside == 0)
        co_cond_broadcast(&r->empty);
}

#endif
