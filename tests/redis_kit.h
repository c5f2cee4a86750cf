/* redis_kit.h - what the cases of net/redis.h share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_REDIS_KIT_H
#define TESTS_REDIS_KIT_H

#include "net/net.h"
#include "net/redis.h"
#include "tests/clients.h"
#include "tests/faults.h"
#include <stdatomic.h>

#define SOON co_after(60 * CO_SECOND)

static inline const char *at_port(int port)
{
    static _Thread_local char addr[40];

    (void)snprintf(addr, sizeof addr, "127.0.0.1:%d", port);
    return addr;
}

/* The server of servers.py, by TCP. */
static inline struct net_redis_config plain(unsigned max)
{
    return (struct net_redis_config){ .addr =
                                          at_port(server_port("REDIS_PORT")),
                                      .pool = { .max = max } };
}

static inline struct net_pool *pool_of(struct net_redis_config config)
{
    struct net_pool *p = net_redis_pool(&config);

    CHECK(p != NULL);
    return p;
}

static inline redisContext *get(struct net_pool *p)
{
    redisContext *c = net_pool_get(p, SOON);

    CHECK(c != NULL);
    return c;
}

/* The reply is of that type; for an integer its value, else 0. */
static inline long long takes(redisReply *r, int type)
{
    long long n = 0;

    CHECK(r != NULL);
    if (r->type != type && r->type == REDIS_REPLY_ERROR)
        fprintf(stderr, "    %s\n", r->str);
    CHECK_EQ(r->type, type);
    if (type == REDIS_REPLY_INTEGER)
        n = r->integer;
    freeReplyObject(r);
    return n;
}

/* The reply is that text, and no error unless it says so. */
static inline void says(redisReply *r, const char *text)
{
    CHECK(r != NULL);
    CHECK(r->str != NULL);
    if (strncmp(r->str, text, strlen(text)) != 0)
        fprintf(stderr, "    \"%s\" is not \"%s\"\n", r->str, text);
    CHECK_EQ(strncmp(r->str, text, strlen(text)), 0);
    freeReplyObject(r);
}

static inline void fails_with(const redisReply *r, int err)
{
    CHECK(r == NULL);
    CHECK_EQ(errno, err);
}

static inline char *large_value(size_t size)
{
    char *value = malloc(size);

    CHECK(value != NULL);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)(i * 7 >> 3);
    return value;
}

static inline void is_value(redisReply *r, const char *value, size_t size)
{
    CHECK(r != NULL);
    CHECK_EQ(r->type, REDIS_REPLY_STRING);
    CHECK_EQ(r->len, size);
    CHECK_EQ(memcmp(r->str, value, size), 0);
    freeReplyObject(r);
}

#endif
