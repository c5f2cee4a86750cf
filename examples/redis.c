/* redis.c - a hundred coroutines count over one connection to Redis, and the
 * one that gets to the next hundred tells whoever listens, over another.
 *
 *     redis [ADDR]          127.0.0.1:6379 unless given
 *
 * Needs libhiredis-dev. SPDX-License-Identifier: MIT
 */
#include "net/redis.h"
#include <stdio.h>

static void count(void *arg)
{
    redisReply *r = net_redis_ask(arg, co_after(CO_SECOND), "INCR counter");

    if (r == NULL)
        perror("INCR");
    else if (r->integer % 100 == 0)
        freeReplyObject(net_redis_ask(arg, co_after(CO_SECOND),
                                      "PUBLISH hundred %lld", r->integer));
    freeReplyObject(r);
}

/* The next message, or the answer to SUBSCRIBE. */
static void show(redisReply *r)
{
    if (r == NULL)
        perror("redis");
    else if (r->elements == 3 && r->element[2]->str != NULL)
        printf("%s: %s\n", r->element[1]->str, r->element[2]->str);
    freeReplyObject(r);
}

static void root(void *addr)
{
    const struct net_redis_config config = { .addr = addr };
    struct net_pool *pool = net_redis_pool(&config);
    struct net_redis *redis = net_redis_new(&config);
    redisContext *c = pool ? net_pool_get(pool, co_after(CO_SECOND)) : NULL;
    struct co_group counters = { 0 };

    if (c == NULL || redis == NULL) {
        perror("redis");
    } else {
        show(net_redis_command(c, co_after(CO_SECOND), "SUBSCRIBE hundred"));
        for (int i = 0; i < 100; i++)
            (void)co_group_go(&counters, count, redis);
        show(net_redis_reply(c, co_after(CO_SECOND)));
        net_pool_drop(pool, c);     /* subscribed, so of no use to others */
        (void)co_hold_cancel(true); /* none lasts longer than 2 s */
        (void)co_group_wait(&counters, CO_FOREVER);
    }
    net_redis_free(redis);
    net_pool_free(pool);
}

int main(int argc, char **argv)
{
    return co_run(root, argc > 1 ? argv[1] : NULL, NULL) < 0;
}
