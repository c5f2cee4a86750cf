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
#include <errno.h>
#include <hiredis/sds.h>
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

static int failed(redisContext *c, int err)
{
    if (err != ETIMEDOUT && err != ECANCELED) {
        c->err = REDIS_ERR_IO;
        (void)snprintf(c->errstr, sizeof c->errstr, "%s", strerror(err));
    }
    errno = err;
    return -1;
}

static struct net_conn *conn_of(redisContext *c) { return c->reader->privdata; }

/* A command that was sent in part would spoil those behind it. */
int redis_send(redisContext *c, int64_t deadline)
{
    if (sdslen(c->obuf) == 0)
        return 0;
    if (net_write(conn_of(c), c->obuf, sdslen(c->obuf), deadline) < 0) {
        c->err = REDIS_ERR_IO;
        return failed(c, errno);
    }
    sdsclear(c->obuf);
    return 0;
}

int redis_receive(redisContext *c, int64_t deadline)
{
    const void *data;
    ssize_t n = net_next(conn_of(c), &data, deadline);

    if (n == 0)
        errno = ECONNRESET;
    if (n <= 0)
        return failed(c, errno);
    if (redisReaderFeed(c->reader, data, (size_t)n) != REDIS_OK)
        return failed(c, ENOMEM);
    return 0;
}

redisReply *net_redis_reply(redisContext *c, int64_t deadline)
{
    void *reply = NULL;

    if (c->err != 0) {
        errno = c->err == REDIS_ERR_PROTOCOL ? EPROTO : ECONNRESET;
        return NULL;
    }
    if (redis_send(c, deadline) < 0)
        return NULL;
    for (;;) {
        if (redisGetReplyFromReader(c, &reply) != REDIS_OK) {
            errno = EPROTO;
            return NULL;
        }
        if (reply != NULL)
            return reply;
        if (redis_receive(c, deadline) < 0)
            return NULL;
    }
}

redisReply *net_redis_command(redisContext *c, int64_t deadline,
                              const char *format, ...)
{
    va_list args;
    int r;

    va_start(args, format);
    r = redisvAppendCommand(c, format, args);
    va_end(args);
    if (r == REDIS_OK)
        return net_redis_reply(c, deadline);
    errno = c->err == REDIS_ERR_OOM ? ENOMEM : EINVAL;
    return NULL;
}

/* ---- Connections -----------------------------------------------------------
 */

/* The reply has to be one that is no error. */
static int greeted(redisReply *reply)
{
    bool refused = reply != NULL && reply->type == REDIS_REPLY_ERROR;

    if (reply == NULL)
        return -1;
    freeReplyObject(reply);
    if (refused)
        errno = EACCES;
    return refused ? -1 : 0;
}

static int greet(redisContext *c, const struct redis_settings *s,
                 int64_t deadline)
{
    if (s->user != NULL && greeted(net_redis_command(c, deadline, "AUTH %s %s",
                                                     s->user, s->password)) < 0)
        return -1;
    if (s->user == NULL && s->password != NULL &&
        greeted(net_redis_command(c, deadline, "AUTH %s", s->password)) < 0)
        return -1;
    if (s->database == 0)
        return 0;
    return greeted(net_redis_command(c, deadline, "SELECT %u", s->database));
}

void redis_close(redisContext *c)
{
    int err = errno;
    struct net_conn *conn = conn_of(c);

    c->fd = -1; /* conn's to close */
    redisFree(c);
    net_close(conn);
    errno = err;
}

redisContext *redis_open(const struct redis_settings *s, int64_t deadline)
{
    struct net_conn *conn = net_dial(s->addr, deadline);
    redisContext *c;

    if (conn == NULL)
        return NULL;
    c = redisConnectFd(net_fd(conn));
    if (c == NULL) {
        net_close(conn);
        errno = ENOMEM;
        return NULL;
    }
    c->flags &= ~REDIS_BLOCK;
    c->reader->privdata = conn; /* of no use to the reader's own functions */
    if (greet(c, s, deadline) == 0)
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
    redisReply *reply = net_redis_command(item, co_after(CHECK_TIME), "PING");

    (void)ctx;
    return greeted(reply) == 0;
}

/* Replies that nobody took would be the next one's. */
static bool is_clean(void *ctx, void *item)
{
    redisContext *c = item;

    (void)ctx;
    return c->err == 0 && sdslen(c->obuf) == 0 &&
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
