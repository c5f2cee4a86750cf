/* redis_shared.c - one connection for the commands of many.
 *
 * Who asks appends its command to a line and waits.  A line has two coroutines:
 * one connects, then reads replies and gives them out in the order of the
 * commands; the other writes what has gathered until its turn comes, and gives
 * up on a server that is silent.  When the connection breaks both end, who
 * waits for a reply fails, and the next who asks makes a new line.
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

#define OPEN_TIME (10 * CO_SECOND)
#define SILENCE_MAX (30 * CO_SECOND)

enum {
    PIECE = 256 * 1024, /* of what is written, each in time */
    KEEP = 64 * 1024,   /* of a buffer, until the next is written */
};

struct question {
    struct list link; /* of its line, until it has its reply */
    struct co_cond answered;
    redisReply *reply;
    int err;       /* instead; 0: none yet */
    bool forsaken; /* nobody waits for it: who takes it off its line frees it */
};

struct line { /* a connection */
    struct net_redis *redis;
    struct co *dialler;  /* the reader, while it connects */
    redisContext *c;     /* then the reader's, but for its descriptor */
    sds out;             /* commands to be written */
    struct list asked;   /* questions that were appended, in order */
    struct co_cond more; /* for the writer */
    int64_t heard;       /* when it last was not silent */
    int err;             /* it broke */
    int users;           /* coroutines that have not ended */
};

struct net_redis {
    struct co_mutex lock;
    struct redis_settings settings;
    int64_t open_timeout, silence_max;
    struct line *line; /* the one in use, or NULL */
    bool closing;
    unsigned inside; /* lines that have not ended, calls that have not returned
                      */
    struct co_cond empty;
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

static void go_out(struct net_redis *r)
{
    if (--r->inside == 0)
        co_cond_broadcast(&r->empty);
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
    go_out(r);
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

    if (!list_empty(&l->asked))
        until = l->heard + l->redis->silence_max;
    if (co_cond_wait(&l->more, &l->redis->lock, until) == 0)
        return 0;
    if (errno == ETIMEDOUT &&
        (list_empty(&l->asked) || co_now() < l->heard + l->redis->silence_max))
        return 0;
    return -1;
}

static void write_commands(void *arg)
{
    struct line *l = arg;
    sds spare = sdsempty();

    co_mutex_lock(&l->redis->lock);
    if (spare == NULL)
        break_line(l, ENOMEM);
    while (l->err == 0)
        if ((sdslen(l->out) > 0 ? write_some(l, &spare) : wait_for_more(l)) < 0)
            break_line(l, reason(errno));
    leave(l);
    sdsfree(spare);
}

/* Gives out all replies that have come. */
static void hand_out(struct line *l)
{
    while (l->err == 0) {
        struct question *q;
        redisReply *reply;

        if (redis_next(l->c, &reply) < 0)
            break_line(l, errno);
        if (l->err != 0 || reply == NULL)
            return;
        q = next_asked(l);
        if (q != NULL) {
            answer(q, reply, 0);
        } else { /* nobody asked: who asks next would get what is not its */
            freeReplyObject(reply);
            break_line(l, EPROTO);
        }
    }
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
            break_line(l, reason(errno));
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
        break_line(l, reason(err));
    if (l->err == 0 && co_go(write_commands, l) < 0)
        break_line(l, errno);
    else if (l->err == 0)
        l->users++;
    read_replies(l);
    leave(l);
}

/* ---- Asking ----------------------------------------------------------------
 */

/* Under the lock: the line in use, or a new one.  NULL + errno. */
static struct line *line_of(struct net_redis *r)
{
    struct line *l = r->line;

    if (r->closing)
        errno = ESHUTDOWN;
    if (r->closing || l != NULL)
        return r->closing ? NULL : l;
    l = calloc(1, sizeof *l);
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
    r->line = l;
    return l;
}

/* Puts the command into the queue, and q behind it.  0, or -1 with errno. */
static int send_question(struct line *l, struct question *q,
                         const char *command, size_t len)
{
    bool was_empty = sdslen(l->out) == 0;
    sds more = sdscatlen(l->out, command, len);

    if (more == NULL) {
        errno = ENOMEM;
        return -1;
    }
    l->out = more;
    if (list_empty(&l->asked))
        l->heard = co_now();
    list_push(&l->asked, &q->link);
    if (was_empty)
        co_cond_signal(&l->more);
    return 0;
}

/* Takes q.  Under the lock.  NULL + errno. */
static redisReply *ask(struct net_redis *r, struct question *q,
                       int64_t deadline, const char *command, size_t len)
{
    struct line *l = line_of(r);
    redisReply *reply;
    int err;

    if (l == NULL || send_question(l, q, command, len) < 0) {
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
    char *command;
    va_list args;
    size_t len;
    int err;

    if (q == NULL)
        return NULL;
    va_start(args, format);
    command = redis_format(format, args, &len);
    va_end(args);
    if (command == NULL) {
        err = errno;
        free(q);
        errno = err;
        return NULL;
    }
    co_mutex_lock(&r->lock);
    r->inside++;
    reply = ask(r, q, deadline, command, len);
    err = errno;
    go_out(r);
    co_mutex_unlock(&r->lock);
    redisFreeCommand(command);
    errno = err;
    return reply;
}

/* ---- Its life --------------------------------------------------------------
 */

struct net_redis *net_redis_new(const struct net_redis_config *config)
{
    struct net_redis *r;

    if (config->silence_max < 0 || config->pool.open_timeout < 0) {
        errno = EINVAL;
        return NULL;
    }
    r = calloc(1, sizeof *r);
    if (r == NULL)
        return NULL;
    r->silence_max =
        config->silence_max == 0 ? SILENCE_MAX : config->silence_max;
    r->open_timeout =
        config->pool.open_timeout == 0 ? OPEN_TIME : config->pool.open_timeout;
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
    while (r->inside > 0)
        (void)co_cond_wait(&r->empty, &r->lock, CO_FOREVER);
    co_mutex_unlock(&r->lock);
    if (co_self() != NULL)
        (void)co_hold_cancel(held);
    redis_settings_free(&r->settings);
    free(r);
}
