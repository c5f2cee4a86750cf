/* redis_line.c - see redis_line.h.
 *
 * A line has two coroutines: one connects, then reads replies and gives them
 * out in the order of the commands; the other writes what has gathered until
 * its turn comes, so all that was asked in one turn of the scheduler, and gives
 * up on a server that is silent.  Each works without the lock, and holds it
 * between.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis_line.h"
#include "net/net.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    PIECE = 256 * 1024, /* of what is written, each in time */
    KEEP = 64 * 1024,   /* of a buffer, until the next is written */
};

/* ---- A line, under the lock ------------------------------------------------
 */

/* Takes the reply, or NULL with err. */
static void answer(struct question *q, redisReply *reply, int err)
{
    q->reply = reply;
    q->err = err;
    co_cond_signal(&q->answered);
}

static struct question *next_asked(struct line *l)
{
    struct list *link = list_pop(&l->asked);

    return link == NULL ? NULL : container_of(link, struct question, link);
}

void redis_line_break(struct line *l, int err)
{
    struct question *q;

    if (l->err != 0)
        return;
    l->err = err;
    if (l->redis->line == l)
        l->redis->line = NULL;
    while ((q = next_asked(l)) != NULL)
        answer(q, NULL, err);
    if (l->dialler != NULL)
        co_cancel(l->dialler);
    if (l->c != NULL)
        (void)shutdown(l->c->fd, SHUT_RDWR);
    co_cond_signal(&l->more);
}

static int reason(int err)
{
    return err == ECANCELED ? ESHUTDOWN : err == EPIPE ? ECONNRESET : err;
}

/* ---- Its coroutines --------------------------------------------------------
 */

/* With the lock, which it gives up. */
static void leave(struct line *l)
{
    struct net_redis *r = l->redis;
    bool last = --l->users == 0;

    co_mutex_unlock(&r->lock);
    if (!last)
        return;
    if (l->c != NULL)
        redis_close(l->c);
    sdsfree(l->out);
    free(l);
    co_mutex_lock(&r->lock);
    redis_go_out(r);
    co_mutex_unlock(&r->lock);
}

/* Writes what has gathered; *spare becomes the buffer that was written, unless
 * it is large.  With the lock, which it gives up meanwhile. */
static int write_some(struct line *l, sds *spare)
{
    struct co_mutex *lock = &l->redis->lock;
    sds full = l->out;
    bool large = sdslen(full) > PIECE;
    int r = 0, err;

    l->out = *spare;
    co_mutex_unlock(lock);
    for (size_t at = 0, n; at < sdslen(full) && r == 0; at += n) {
        n = sdslen(full) - at < PIECE ? sdslen(full) - at : PIECE;
        r = net_write(redis_conn(l->c), full + at, n,
                      co_after(l->redis->silence_max));
    }
    err = errno;
    sdsclear(full);
    if (sdsalloc(full) > KEEP) {
        sdsfree(full);
        full = sdsempty();
    }
    *spare = full;
    co_mutex_lock(lock);
    if (large) /* which takes time, and no reply can come before it is there */
        l->heard = co_now();
    if (r == 0 && full != NULL)
        return 0;
    errno = r == 0 ? ENOMEM : err;
    return -1;
}

/* Until there is something to write.  -1 when the server has been silent for
 * too long, or this coroutine is cancelled. */
static int wait_for_more(struct line *l)
{
    int64_t until = CO_FOREVER;

    if (redis_line_owes(l))
        until = l->heard + l->redis->silence_max;
    if (co_cond_wait(&l->more, &l->redis->lock, until) == 0)
        return 0;
    if (errno == ETIMEDOUT &&
        (!redis_line_owes(l) || co_now() < l->heard + l->redis->silence_max))
        return 0;
    return -1;
}

static void write_commands(void *arg)
{
    struct line *l = arg;
    sds spare = sdsempty();

    co_mutex_lock(&l->redis->lock);
    if (spare == NULL)
        redis_line_break(l, ENOMEM);
    while (l->err == 0)
        if ((sdslen(l->out) > 0 ? write_some(l, &spare) : wait_for_more(l)) < 0)
            redis_line_break(l, reason(errno));
    leave(l);
    sdsfree(spare);
}

/* The next reply; -1 when nobody asked: who asks next would get it. */
static int give(struct line *l, redisReply *reply)
{
    struct question *q;

    if (l->skip > 0) {
        l->skip--;
        freeReplyObject(reply);
        return 0;
    }
    q = next_asked(l);
    if (q == NULL) {
        freeReplyObject(reply);
        errno = EPROTO;
        return -1;
    }
    l->skip = q->skip;
    answer(q, reply, 0);
    return 0;
}

/* Gives out all replies that have come. */
static void hand_out(struct line *l)
{
    redisReply *reply;

    do
        if (redis_next(l->c, &reply) < 0 ||
            (reply != NULL && give(l, reply) < 0))
            redis_line_break(l, errno);
    while (l->err == 0 && reply != NULL);
}

/* Under the lock, which it gives up meanwhile. */
static void read_replies(struct line *l)
{
    int r;

    while (l->err == 0) {
        co_mutex_unlock(&l->redis->lock);
        r = redis_receive(l->c, CO_FOREVER);
        co_mutex_lock(&l->redis->lock);
        l->heard = co_now();
        if (r == 0)
            hand_out(l);
        else
            redis_line_break(l, reason(errno));
    }
}

static void run_line(void *arg)
{
    struct line *l = arg;
    struct net_redis *r = l->redis;
    redisContext *c = redis_open(&r->settings, co_after(r->open_timeout));
    int err = errno;

    co_mutex_lock(&r->lock);
    co_detach(l->dialler);
    l->dialler = NULL;
    l->c = c;
    l->heard = co_now();
    if (c == NULL)
        redis_line_break(l, reason(err));
    if (l->err == 0 && co_go(write_commands, l) < 0)
        redis_line_break(l, errno);
    else if (l->err == 0)
        l->users++;
    read_replies(l);
    leave(l);
}

/* ---- Its beginning ---------------------------------------------------------
 */

struct line *redis_line_new(struct net_redis *r)
{
    struct line *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->redis = r;
    l->users = 1;
    l->out = sdsempty();
    if (l->out == NULL)
        errno = ENOMEM;
    else
        l->dialler = co_spawn(run_line, l, NULL);
    if (l->dialler == NULL) {
        int err = errno;

        sdsfree(l->out);
        free(l);
        errno = err;
        return NULL;
    }
    r->inside++;
    return l;
}
