/* redis.h - Redis, by a pool of connections, or by one that many share.
 * Conventions as in co/co.h.
 *
 *     struct net_redis *redis = net_redis_new(&config);
 *     redisReply *r = net_redis_ask(redis, co_after(CO_SECOND), "GET %s", key);
 *
 * Commands, replies and their parser are hiredis's; waiting is corten's, so no
 * hooks are needed.  A connection that is shared carries the commands of all,
 * those of one turn of the scheduler in one write, and each gets its own reply.
 * A pooled one is for what needs a connection of its own: transactions,
 * blocking commands, subscriptions.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_REDIS_H
#define NET_REDIS_H

#include "net/pool.h"
#include <hiredis/hiredis.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

struct net_redis_config { /* public; zero means the default; copied */
    const char *addr;     /* as net_dial() takes it; "127.0.0.1:6379" */
    const char *user;     /* for AUTH; the server's default */
    const char *password; /* none: no AUTH */
    unsigned database;    /* for SELECT; 0 */
    struct net_pool_options pool;
    int64_t silence_max; /* of a server that owes replies on the connection for
                            many, which is given up then; 30 s */
};

/* A pool whose items are redisContext *, connected and not in blocking mode: of
 * hiredis's calls use those that append commands, and the two below.  NULL with
 * EINVAL or ENOMEM.  net_pool_get() fails as net_dial() does, with EACCES when
 * AUTH or SELECT was refused, EAGAIN when the server takes nobody now (it loads
 * its data, it has too many clients), and EPROTO for what is no Redis.
 * net_pool_put() closes a connection that has, or is owed, replies that nobody
 * took; one that SELECT, MULTI, SUBSCRIBE and their kind changed for its next
 * user is to be changed back, or dropped.  [any] */
struct net_pool *net_redis_pool(const struct net_redis_config *config);

/* Sends what was appended, and takes the next reply, to be freed by
 * freeReplyObject(); an error that the server sent is such a reply.  NULL with
 * errno and c->errstr: the connection is of no more use; or ETIMEDOUT,
 * ECANCELED: a reply may come yet.  In either case net_pool_drop() it, unless
 * what was waited for is a message.  [waits] */
redisReply *net_redis_reply(redisContext *c, int64_t deadline);

/* redisAppendCommand() and net_redis_reply(); for who has taken all replies to
 * commands before.  EINVAL for a wrong format sends nothing.  [waits] */
redisReply *net_redis_command(redisContext *c, int64_t deadline,
                              const char *format, ...);

/* ---- One connection for many ------------------------------------------------
 */

struct net_redis; /* net_redis_new() makes it, net_redis_free() ends it */

/* Connects at the first question, and again at the first one after the
 * connection broke, within config->pool.open_timeout; what else is in
 * config->pool has no meaning.  NULL with EINVAL or ENOMEM.  [any] */
struct net_redis *net_redis_new(const struct net_redis_config *config);

/* Fails the questions that have no reply yet with ESHUTDOWN, and returns after
 * those who asked them.  Nobody may ask any more; NULL is fine.  [waits] */
void net_redis_free(struct net_redis *r);

/* The reply to a command in hiredis's format, to be freed by freeReplyObject().
 * NULL with ETIMEDOUT or ECANCELED (the command may be carried out yet), what
 * connecting can fail with (see net_redis_pool()), ECONNRESET when the
 * connection broke meanwhile (it may have been carried out), EPROTO when the
 * server said what makes no sense, EINVAL for a wrong format, ENOMEM, ESHUTDOWN
 * when the runtime is not up.  Not for commands that change the connection
 * (SELECT, MULTI, SUBSCRIBE) or block.  [waits], on plain threads as well while
 * the runtime is up */
redisReply *net_redis_ask(struct net_redis *r, int64_t deadline,
                          const char *format, ...);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
