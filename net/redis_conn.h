/* redis_conn.h - connections to Redis, for the files that share them.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_REDIS_CONN_H
#define NET_REDIS_CONN_H

#include "net/redis.h"

struct redis_settings {
    char *addr, *user, *password;
    unsigned database;
};

int redis_settings_make(struct redis_settings *s,
                        const struct net_redis_config *config); /* 0, or -1 */
void redis_settings_free(struct redis_settings *s);

/* Connected, and AUTH and SELECT are done.  NULL + errno. */
redisContext *redis_open(const struct redis_settings *s, int64_t deadline);
void redis_close(redisContext *c);                  /* keeps errno */
struct net_conn *redis_conn(const redisContext *c); /* borrowed */

/* Receives some.  0, or -1 with errno. */
int redis_receive(redisContext *c, int64_t deadline);

/* The next reply of what was received, or NULL.  0, or -1 with errno. */
int redis_next(redisContext *c, redisReply **reply);

#endif
