/* redis_shared.c - one connection for the commands of many.
 *
 * Who asks appends its command and waits.  A coroutine of the connection's
 * writes what has gathered until its turn comes, another one reads replies and
 * gives them out in the order of the commands.  When the connection breaks,
 * both end, who waits for a reply fails, and the next who asks makes a new one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/list.h"
#include "net/net.h"
#include "net/redis.h"
#include "net/redis_conn.h"
#include <errno.h>
#include <hiredis/sds.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#define SEND_TIME (30 * CO_SECOND) /* until the server takes commands */

struct question {
    struct list link; /* of its line, until it has its reply */
    struct co_cond answered;
    redisReply *reply;
    int err;       /* instead; 0: none yet */
    bool forsaken; /* nobody waits for it: who takes it off its line frees it */
};

struct line { /* a connection */
    struct net_redis *redis;
    redisContext *c;     /* the reader's, but for its descriptor */
    sds out;             /* commands to be written */
    struct list asked;   /* questions that were appended, in order */
    struct co_cond more; /* for the writer */
    int err;             /* it broke */
    int users;           /* the two coroutines that have not ended */
};

struct net_redis {
    struct co_mutex lock;
    struct redis_settings settings;
    struct line *line; /* the one in use, or NULL */
    bool dialling;     /* somebody makes one */
    bool closing;
    unsigned lines; /* that have not ended */
    struct co_cond dialled, ended;
};

/* ---- A line, under the lock ------------------------------------------------
 */

/* Takes the reply, or NULL with err. */
static void answer(struct question *q, redisReply *reply, int err)
{
    q->reply = reply;
    q->err = err;
    if (!q->forsaken) {
        co_cond_signal(&q->answered);
        return;
    }
    if (reply != NULL)
        freeReplyObject(reply);
    free(q);
}

static struct question *next_asked(struct line *l)
{
    struct list *link = list_pop(&l->asked);

    return link == NULL ? NULL : container_of(link, struct question, link);
}

/* No more goes through it; its coroutines will notice. */
static void break_line(struct line *l, int err)
{
    struct question *q;

    if (l->err != 0)
        return;
    l->err = err;
    if (l->redis->line == l)
        l->redis->line = NULL;
    while ((q = next_asked(l)) != NULL)
        answer(q, NULL, err);
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
    redis_close(l->c);
    sdsfree(l->out);
    free(l);
    co_mutex_lock(&r->lock);
    r->lines--;
    co_cond_broadcast(&r->ended);
    co_mutex_unlock(&r->lock);
}

/* Gives out all replies that have come. */
static void hand_out(struct line *l)
{
    void *reply = NULL;

    while (l->err == 0) {
        struct question *q;

        if (redisGetReplyFromReader(l->c, &reply) != REDIS_OK)
            break_line(l, EPROTO);
        if (l->err != 0 || reply == NULL)
            return;
        q = next_asked(l);
        if (q != NULL)
            answer(q, reply, 0);
        else /* nobody asked */
            freeReplyObject(reply);
    }
}

static void read_replies(void *arg)
{
    struct line *l = arg;
    bool good;

    do {
        good = redis_receive(l->c, CO_FOREVER) == 0;
        co_mutex_lock(&l->redis->lock);
        if (good)
            hand_out(l);
        else
            break_line(l, reason(errno));
        good = l->err == 0;
        if (good)
            co_mutex_unlock(&l->redis->lock);
    } while (good);
    leave(l);
}

/* Writes what has gathered; *spare becomes the buffer that was written. */
static void write_some(struct line *l, sds *spare)
{
    sds full = l->out;
    int r, err;

    l->out = *spare;
    co_mutex_unlock(&l->redis->lock);
    r = net_write(l->c->reader->privdata, full, sdslen(full),
                  co_after(SEND_TIME));
    err = errno;
    sdsclear(full);
    *spare = full;
    co_mutex_lock(&l->redis->lock);
    if (r < 0)
        break_line(l, reason(err));
}

static void write_commands(void *arg)
{
    struct line *l = arg;
    sds spare = sdsempty();

    co_mutex_lock(&l->redis->lock);
    if (spare == NULL)
        break_line(l, ENOMEM);
    while (l->err == 0) {
        if (sdslen(l->out) > 0)
            write_some(l, &spare);
        else if (co_cond_wait(&l->more, &l->redis->lock, CO_FOREVER) < 0)
            break_line(l, reason(errno));
    }
    leave(l);
    sdsfree(spare);
}

/* ---- Making one ------------------------------------------------------------
 */

/* Connected, with both coroutines; NULL + errno. */
static struct line *new_line(struct net_redis *r, int64_t deadline)
{
    struct line *l = calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->redis = r;
    l->out = sdsempty();
    l->c = l->out == NULL ? NULL : redis_open(&r->settings, deadline);
    if (l->c == NULL) {
        int err = l->out == NULL ? ENOMEM : errno;

        sdsfree(l->out);
        free(l);
        errno = err;
        return NULL;
    }
    return l;
}

/* Under the lock.  -1: without memory for them. */
static int start(struct line *l)
{
    int err;

    l->redis->lines++;
    l->users = 2;
    if (co_go(read_replies, l) == 0) {
        if (co_go(write_commands, l) == 0)
            return 0;
        l->users = 1;
        break_line(l, errno);
        errno = l->err;
        return -1;
    }
    err = errno;
    l->redis->lines--;
    redis_close(l->c);
    sdsfree(l->out);
    free(l);
    errno = err;
    return -1;
}

/* Under the lock, which it gives up meanwhile. */
static int dial(struct net_redis *r, int64_t deadline)
{
    struct line *l;
    int err;

    r->dialling = true;
    co_mutex_unlock(&r->lock);
    l = new_line(r, deadline);
    err = errno;
    co_mutex_lock(&r->lock);
    r->dialling = false;
    co_cond_broadcast(&r->dialled);
    errno = err;
    if (l == NULL || start(l) < 0)
        return -1;
    r->line = l;
    if (r->closing)
        break_line(l, ESHUTDOWN);
    return 0;
}

/* The line in use, which others may have made meanwhile; NULL + errno. */
static struct line *line_of(struct net_redis *r, int64_t deadline)
{
    while (!r->closing && r->line == NULL) {
        if (r->dialling) {
            if (co_cond_wait(&r->dialled, &r->lock, deadline) < 0)
                return NULL;
        } else if (dial(r, deadline) < 0) {
            return NULL;
        }
    }
    if (r->closing)
        errno = ESHUTDOWN;
    return r->closing ? NULL : r->line;
}

/* ---- Public ----------------------------------------------------------------
 */

struct net_redis *net_redis_new(const struct net_redis_config *config)
{
    struct net_redis *r = calloc(1, sizeof *r);

    if (r == NULL)
        return NULL;
    if (redis_settings_make(&r->settings, config) == 0)
        return r;
    free(r);
    return NULL;
}

void net_redis_free(struct net_redis *r)
{
    bool held;

    if (r == NULL)
        return;
    held = co_self() != NULL && co_hold_cancel(true);
    co_mutex_lock(&r->lock);
    r->closing = true;
    if (r->line != NULL)
        break_line(r->line, ESHUTDOWN);
    while (r->lines > 0)
        if (co_cond_wait(&r->ended, &r->lock, CO_FOREVER) < 0)
            break; /* the runtime has ended, and they with it */
    co_mutex_unlock(&r->lock);
    if (co_self() != NULL)
        (void)co_hold_cancel(held);
    redis_settings_free(&r->settings);
    free(r);
}

/* Puts the command into the queue, and q behind it.  0, or -1 with errno. */
static int send_question(struct line *l, struct question *q, const char *cmd,
                         size_t len)
{
    bool was_empty = sdslen(l->out) == 0;
    sds more = sdscatlen(l->out, cmd, len);

    if (more == NULL) {
        errno = ENOMEM;
        return -1;
    }
    l->out = more;
    list_push(&l->asked, &q->link);
    if (was_empty)
        co_cond_signal(&l->more);
    return 0;
}

/* Under the lock.  NULL + errno. */
static redisReply *ask(struct net_redis *r, struct question *q,
                       int64_t deadline, const char *cmd, size_t len)
{
    struct line *l = line_of(r, deadline);
    redisReply *reply;
    int err;

    if (l == NULL || send_question(l, q, cmd, len) < 0) {
        err = errno;
        free(q);
        errno = err;
        return NULL;
    }
    while (q->reply == NULL && q->err == 0)
        if (co_cond_wait(&q->answered, &r->lock, deadline) < 0)
            break;
    if (q->reply == NULL && q->err == 0) {
        q->forsaken = true;
        return NULL;
    }
    reply = q->reply;
    err = q->err;
    free(q);
    errno = err;
    return reply;
}

redisReply *net_redis_ask(struct net_redis *r, int64_t deadline,
                          const char *format, ...)
{
    struct question *q = calloc(1, sizeof *q);
    redisReply *reply = NULL;
    char *cmd = NULL;
    va_list args;
    int len, err;

    if (q == NULL)
        return NULL;
    va_start(args, format);
    len = redisvFormatCommand(&cmd, format, args);
    va_end(args);
    if (len < 0) {
        free(q);
        errno = len == -1 ? ENOMEM : EINVAL;
        return NULL;
    }
    co_mutex_lock(&r->lock);
    reply = ask(r, q, deadline, cmd, (size_t)len);
    err = errno;
    co_mutex_unlock(&r->lock);
    redisFreeCommand(cmd);
    errno = err;
    return reply;
}
