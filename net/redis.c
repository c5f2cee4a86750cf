/* redis.c - connections to Redis, and a pool of them.
 *
 * Of a context of hiredis the buffer for commands and the parser for replies
 * are used, and none of its calls that read or write: the connection is one of
 * net.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis.h"
#include "net/net.h"
#include "net/redis_conn.h"
#include "net/redis_format.h"
#include <errno.h>
#include <hiredis/sds.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_TIME (2 * CO_SECOND) /* of a PING */

/* ---- Settings --------------------------------------------------------------
 */

static char *copy(const char *s, bool *ok)
{
    char *own = s == NULL || !*ok ? NULL : strdup(s);

    *ok = *ok && (s == NULL || own != NULL);
    return own;
}

int redis_settings_make(struct redis_settings *s,
                        const struct net_redis_config *config)
{
    bool ok = true;

    if (config->user != NULL && config->password == NULL) {
        errno = EINVAL;
        return -1;
    }
    s->addr = copy(config->addr == NULL ? "127.0.0.1:6379" : config->addr, &ok);
    s->user = copy(config->user, &ok);
    s->password = copy(config->password, &ok);
    s->database = config->database;
    if (ok)
        return 0;
    redis_settings_free(s);
    errno = ENOMEM;
    return -1;
}

void redis_settings_free(struct redis_settings *s)
{
    free(s->addr);
    free(s->user);
    free(s->password);
}

/* ---- Bytes -----------------------------------------------------------------
 */

struct link { /* what a context's reader points to */
    struct net_conn *conn;
    long owed; /* replies to commands that were sent, but not taken yet */
};

static struct link *link_of(const redisContext *c)
{
    return c->reader->privdata;
}

static int failed(redisContext *c, int err)
{
    if (err != ETIMEDOUT && err != ECANCELED) {
        c->err = REDIS_ERR_IO;
        (void)snprintf(c->errstr, sizeof c->errstr, "%s", strerror(err));
    }
    errno = err;
    return -1;
}

/* How many replies the commands will have; -1 for what hiredis did not format.
 */
static long replies_to(const char *p, const char *end)
{
    long n = 0;

    while (p < end) {
        char *rest;
        long args = *p == '*' ? strtol(p + 1, &rest, 10) : -1;

        if (args < 0)
            return -1;
        n += args > 0; /* the server has no answer to nothing */
        p = rest + 2;
        while (args-- > 0) {
            long bytes = p < end ? strtol(p + 1, &rest, 10) : -1;

            if (bytes < 0 || bytes > end - rest)
                return -1;
            p = rest + 2 + bytes + 2;
        }
    }
    return n;
}

/* A command that was sent in part would spoil those behind it. */
static int send_all(redisContext *c, int64_t deadline)
{
    struct link *l = link_of(c);
    size_t len = sdslen(c->obuf);
    long replies;

    if (len == 0)
        return 0;
    replies = replies_to(c->obuf, c->obuf + len);
    l->owed = replies < 0 ? LONG_MIN / 2 : l->owed + replies;
    if (net_write(l->conn, c->obuf, len, deadline) < 0) {
        int err = errno;

        (void)failed(c, EPIPE);
        errno = err;
        return -1;
    }
    sdsclear(c->obuf);
    return 0;
}

int redis_receive(redisContext *c, int64_t deadline)
{
    const void *data;
    ssize_t n = net_next(link_of(c)->conn, &data, deadline);

    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        return failed(c, errno);
    if (redisReaderFeed(c->reader, data, (size_t)n) != REDIS_OK)
        return failed(c, ENOMEM);
    return 0;
}

int redis_next(redisContext *c, redisReply **reply)
{
    void *next = NULL;

    if (redisGetReplyFromReader(c, &next) != REDIS_OK) {
        errno = c->err == REDIS_ERR_OOM ? ENOMEM : EPROTO;
        return -1;
    }
    *reply = next;
    return 0;
}

redisReply *net_redis_reply(redisContext *c, int64_t deadline)
{
    redisReply *reply;

    if (c->err != 0) {
        errno = c->err == REDIS_ERR_PROTOCOL ? EPROTO : ECONNRESET;
        return NULL;
    }
    if (send_all(c, deadline) < 0)
        return NULL;
    for (;;) {
        if (redis_next(c, &reply) < 0)
            return NULL;
        if (reply != NULL) {
            link_of(c)->owed--;
            return reply;
        }
        if (redis_receive(c, deadline) < 0)
            return NULL;
    }
}

redisReply *net_redis_command(redisContext *c, int64_t deadline,
                              const char *format, ...)
{
    struct redis_command command;
    va_list args;
    int r;

    va_start(args, format);
    r = redis_command_begin(&command, format, args);
    va_end(args);
    if (r < 0)
        return NULL;
    r = redis_command_append(&command, &c->obuf);
    redis_command_end(&command);
    return r < 0 ? NULL : net_redis_reply(c, deadline);
}

/* ---- Connections -----------------------------------------------------------
 */

static bool begins(const redisReply *reply, const char *with)
{
    return strncmp(reply->str, with, strlen(with)) == 0;
}

/* What refuses the connection; 0: nothing.  A user who may do little may not do
 * PING, but is known. */
static int refusal(const redisReply *reply, bool to_ping)
{
    if (reply->type != REDIS_REPLY_ERROR ||
        (to_ping && begins(reply, "NOPERM")))
        return 0;
    if (begins(reply, "LOADING") || begins(reply, "BUSY") ||
        begins(reply, "MASTERDOWN") || begins(reply, "ERR max number"))
        return EAGAIN;
    return EACCES;
}

/* Takes the replies to that many commands, of which PING is the last.  None may
 * be a refusal. */
static int greeted(redisContext *c, int commands, int64_t deadline)
{
    while (commands-- > 0) {
        redisReply *reply = net_redis_reply(c, deadline);
        int err = reply == NULL ? errno : refusal(reply, commands == 0);

        if (reply != NULL)
            freeReplyObject(reply);
        if (err != 0) {
            errno = err;
            return -1;
        }
    }
    return 0;
}

/* Asks PING in any case, so that what is no Redis is found out here. */
static int greet(redisContext *c, const struct redis_settings *s,
                 int64_t deadline)
{
    int n = 1, r = REDIS_OK;

    if (s->user != NULL)
        r |= redisAppendCommand(c, "AUTH %s %s", s->user, s->password);
    else if (s->password != NULL)
        r |= redisAppendCommand(c, "AUTH %s", s->password);
    n += s->password != NULL;
    if (s->database != 0)
        r |= redisAppendCommand(c, "SELECT %u", s->database);
    n += s->database != 0;
    r |= redisAppendCommand(c, "PING");
    if (r == REDIS_OK)
        return greeted(c, n, deadline);
    errno = ENOMEM;
    return -1;
}

struct net_conn *redis_conn(const redisContext *c) { return link_of(c)->conn; }

void redis_close(redisContext *c)
{
    int err = errno;
    struct link *l = link_of(c);

    c->fd = -1; /* conn's to close */
    redisFree(c);
    net_close(l->conn);
    free(l);
    errno = err;
}

/* Takes conn.  NULL without memory. */
static redisContext *context_of(struct net_conn *conn)
{
    struct link *l = calloc(1, sizeof *l);
    redisContext *c = l == NULL ? NULL : redisConnectFd(net_fd(conn));

    if (c == NULL) {
        free(l);
        net_close(conn);
        errno = ENOMEM;
        return NULL;
    }
    c->flags &= ~REDIS_BLOCK;
    l->conn = conn;
    c->reader->privdata = l; /* of no use to the reader's own functions */
    return c;
}

redisContext *redis_open(const struct redis_settings *s, int64_t deadline)
{
    struct net_conn *conn = net_dial(s->addr, deadline);
    redisContext *c = conn == NULL ? NULL : context_of(conn);

    if (c == NULL || greet(c, s, deadline) == 0)
        return c;
    redis_close(c);
    return NULL;
}

/* ---- The pool --------------------------------------------------------------
 */

static void *open_item(void *ctx, int64_t deadline)
{
    return redis_open(ctx, deadline);
}

static void close_item(void *ctx, void *item)
{
    (void)ctx;
    redis_close(item);
}

static bool is_alive(void *ctx, void *item)
{
    (void)ctx;
    return redisAppendCommand(item, "PING") == REDIS_OK &&
           greeted(item, 1, co_after(CHECK_TIME)) == 0;
}

/* Replies that nobody took, or that will come yet, would be the next one's. */
static bool is_clean(void *ctx, void *item)
{
    redisContext *c = item;

    (void)ctx;
    return c->err == 0 && sdslen(c->obuf) == 0 && link_of(c)->owed == 0 &&
           c->reader->pos == c->reader->len && c->reader->ridx < 0;
}

static void release(void *ctx)
{
    redis_settings_free(ctx);
    free(ctx);
}

struct net_pool *net_redis_pool(const struct net_redis_config *config)
{
    static const struct net_pool_ops ops = { open_item, close_item, is_alive,
                                             is_clean, release };
    struct redis_settings *s = malloc(sizeof *s);
    struct net_pool *pool = NULL;
    int err;

    if (s == NULL)
        return NULL;
    if (redis_settings_make(s, config) < 0) {
        err = errno;
        free(s);
    } else {
        pool = net_pool_new(&ops, s, &config->pool);
        err = errno;
        if (pool == NULL)
            release(s);
    }
    errno = err;
    return pool;
}
