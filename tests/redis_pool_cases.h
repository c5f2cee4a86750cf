/* redis_pool_cases.h - Redis by a pool: connections, pipelines, messages.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_REDIS_POOL_CASES_H
#define TESTS_REDIS_POOL_CASES_H

#include "tests/redis_kit.h"

/* ---- Connecting ------------------------------------------------------------
 */

/* CLIENT INFO has that. */
static void works(struct net_redis_config config, const char *as)
{
    struct net_pool *p = pool_of(config);
    redisContext *c = get(p);
    redisReply *r = net_redis_command(c, SOON, "CLIENT INFO");

    CHECK(r != NULL);
    CHECK(strstr(r->str, as) != NULL);
    freeReplyObject(r);
    net_pool_put(p, c);
    net_pool_free(p);
}

static void fails(struct net_redis_config config, int err)
{
    struct net_pool *p = pool_of(config);
    int64_t begin = co_now();

    CHECK(net_pool_get(p, co_after(CO_SECOND)) == NULL);
    CHECK_EQ(errno, err);
    check_within(begin, 20 * CO_SECOND);
    net_pool_free(p);
}

static const char *unix_addr(const char *path)
{
    static char addr[NET_ADDR_MAX];

    (void)snprintf(addr, sizeof addr, "unix:%s", path);
    return addr;
}

static void users(void)
{
    struct net_pool *admins = pool_of(plain(1));
    redisContext *admin = get(admins);
    struct net_redis_config c = plain(1);

    says(net_redis_command(admin, SOON, "ACL SETUSER me on >%s ~* +@all",
                           "pass word"),
         "OK");
    says(net_redis_command(admin, SOON,
                           "ACL SETUSER little on >pw ~* +client|info"),
         "OK");
    c.user = "me";
    c.password = "pass word";
    works(c, "user=me");
    c.database = 3;
    works(c, "db=3");
    c.database = 99;
    fails(c, EACCES);
    c = plain(1);
    c.user = "little"; /* who may not do PING */
    c.password = "pw";
    works(c, "user=little");
    c.database = 3;
    fails(c, EACCES);
    c.password = "guessed";
    fails(c, EACCES);
    c.user = NULL; /* AUTH where none is asked for */
    fails(c, EACCES);
    says(net_redis_command(admin, SOON, "CONFIG SET requirepass %s", "open"),
         "OK");
    fails(plain(1), EACCES);
    c = plain(1);
    c.password = "open";
    works(c, "user=default");
    c.password = "shut";
    fails(c, EACCES);
    says(net_redis_command(admin, SOON, "CONFIG SET requirepass %s", ""), "OK");
    works(plain(1), "user=default");
    net_pool_put(admins, admin);
    net_pool_free(admins);
}

static void addresses(void)
{
    struct net_redis_config c = plain(1);

    works(c, "db=0");
    c.addr = unix_addr(server_text("REDIS_SOCKET"));
    c.database = 15;
    works(c, "db=15");
    c.addr = "unix:/nonexistent";
    fails(c, ENOENT);
    c.addr = "nonsense";
    fails(c, EINVAL);
    c.addr = "127.0.0.1:1";
    fails(c, ECONNREFUSED);
    c.addr = at_port(silent_port());
    fails(c, ETIMEDOUT);
    c.addr = unix_addr(server_text("RELAY")); /* says "error", not "-ERR" */
    fails(c, EPROTO);
}

/* A server that has to be asked later. */
static void busy(void)
{
    struct net_pool *p = pool_of(plain(3)), *other = pool_of(plain(1));
    redisContext *c = get(p), *stuck = get(p);
    redisContext *late = NULL;

    says(net_redis_command(c, SOON, "CONFIG SET busy-reply-threshold 1"), "OK");
    CHECK_EQ(redisAppendCommand(stuck, "EVAL %s 0", "while true do end"), 0);
    fails_with(net_redis_reply(stuck, co_after(200 * CO_MSEC)), ETIMEDOUT);
    CHECK((late = net_pool_get(other, SOON)) == NULL);
    CHECK_EQ(errno, EAGAIN);
    says(net_redis_command(c, SOON, "SCRIPT KILL"), "OK");
    takes(net_redis_reply(stuck, SOON), REDIS_REPLY_ERROR);
    late = get(other);
    net_pool_put(other, late);
    net_pool_put(p, stuck);
    net_pool_put(p, c);
    net_pool_free(other);
    net_pool_free(p);
}

static void bad_configs(void)
{
    CHECK(net_redis_pool(&(struct net_redis_config){ .user = "me" }) == NULL);
    CHECK_EQ(errno, EINVAL);
    CHECK(net_redis_new(&(struct net_redis_config){ .user = "me" }) == NULL);
    CHECK_EQ(errno, EINVAL);
    CHECK(net_redis_new(&(struct net_redis_config){ .silence_max = -1 }) ==
          NULL);
    CHECK_EQ(errno, EINVAL);
    CHECK(net_redis_pool(&(struct net_redis_config){
              .pool = { .max = 1, .min = 2 } }) == NULL);
    CHECK_EQ(errno, EINVAL);
    net_redis_free(NULL);
}

/* ---- What is put back ------------------------------------------------------
 */

static uint64_t dropped(struct net_pool *p)
{
    struct net_pool_stats stats;

    net_pool_stats(p, &stats);
    return stats.dropped;
}

/* Nobody gets the replies of another. */
static void put_back(void)
{
    struct net_pool *p = pool_of(plain(1));
    redisContext *c = get(p);
    struct net_pool_stats stats;

    says(net_redis_command(c, SOON, "SET secret %s", "mine"), "OK");
    net_pool_put(p, c);
    CHECK(get(p) == c);
    /* One was sent, and who waited for it gave up. */
    servers("freeze redis");
    fails_with(net_redis_command(c, co_after(CO_MSEC), "GET secret"),
               ETIMEDOUT);
    net_pool_put(p, c);
    servers("thaw redis");
    CHECK_EQ(dropped(p), 1);
    c = get(p);
    says(net_redis_command(c, SOON, "ECHO a"), "a");
    /* Two were sent, and one was taken. */
    CHECK_EQ(redisAppendCommand(c, "GET secret"), 0);
    says(net_redis_command(c, SOON, "GET secret"), "mine");
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 2);
    c = get(p);
    /* Two were sent, and one will come later. */
    CHECK_EQ(redisAppendCommand(c, "GET secret"), 0);
    CHECK_EQ(redisAppendCommand(c, "BLPOP nothing 60"), 0);
    says(net_redis_reply(c, SOON), "mine");
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 3);
    c = get(p);
    CHECK_EQ(redisAppendCommand(c, "GET secret"), 0); /* not sent */
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 4);
    c = get(p);
    CHECK_EQ(redisAppendFormattedCommand(c, "PING\r\n", 6), 0);
    says(net_redis_reply(c, SOON), "PONG"); /* but not counted */
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 5);
    c = get(p);
    says(net_redis_command(c, SOON, "ECHO b"), "b");
    net_pool_drop(p, c);
    CHECK_EQ(dropped(p), 6);
    net_pool_stats(p, &stats);
    CHECK_EQ(stats.open, 0);
    net_pool_free(p);
}

static void dead_ones(void)
{
    struct net_redis_config config = plain(4);
    struct net_pool *p, *other = pool_of(plain(1));
    redisContext *c, *admin = get(other);
    struct net_pool_stats stats;

    config.pool.check_after = 1;
    p = pool_of(config);
    c = get(p);
    net_pool_put(p, c);
    CHECK(get(p) == c);
    net_pool_put(p, c);
    takes(net_redis_command(admin, SOON, "CLIENT KILL TYPE normal SKIPME yes"),
          REDIS_REPLY_INTEGER);
    c = get(p);
    says(net_redis_command(c, SOON, "ECHO a"), "a");
    net_pool_stats(p, &stats);
    CHECK_EQ(stats.dead, 1);
    /* And in use. */
    takes(net_redis_command(admin, SOON, "CLIENT KILL TYPE normal SKIPME yes"),
          REDIS_REPLY_INTEGER);
    CHECK(net_redis_command(c, SOON, "ECHO a") == NULL);
    CHECK(errno == ECONNRESET || errno == EPIPE);
    CHECK(c->err != 0 && c->errstr[0] != '\0');
    fails_with(net_redis_command(c, SOON, "ECHO a"), ECONNRESET);
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 1);
    net_pool_put(other, admin);
    net_pool_free(other);
    net_pool_free(p);
}

/* ---- Pipelines -------------------------------------------------------------
 */

static void pipeline(void)
{
    struct net_pool *p = pool_of(plain(1));
    redisContext *c = get(p);
    long n = test_count(20000);
    char number[20];

    for (long i = 0; i < n; i++)
        CHECK_EQ(redisAppendCommand(c, "ECHO %d", (int)i), REDIS_OK);
    for (long i = 0; i < n; i++) {
        (void)snprintf(number, sizeof number, "%ld", i);
        says(net_redis_reply(c, SOON), number);
    }
    CHECK_EQ(redisAppendCommand(c, "SET n %s", "x"), REDIS_OK);
    CHECK_EQ(redisAppendCommand(c, "INCR n"), REDIS_OK);
    CHECK_EQ(redisAppendCommand(c, "no such thing"), REDIS_OK);
    CHECK_EQ(redisAppendCommand(c, "GET nothing:%d", 1), REDIS_OK);
    says(net_redis_reply(c, SOON), "OK");
    says(net_redis_reply(c, SOON), "ERR value is not an integer");
    says(net_redis_reply(c, SOON), "ERR unknown command");
    takes(net_redis_reply(c, SOON), REDIS_REPLY_NIL);
    fails_with(net_redis_reply(c, co_after(CO_MSEC)), ETIMEDOUT);
    fails_with(net_redis_command(c, SOON, "GET %y"), EINVAL);
    fails_with(net_redis_command(c, SOON, " "), EINVAL);
    says(net_redis_command(c, SOON, "ECHO %s", "GET % %s"), "GET % %s");
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 0);
    net_pool_free(p);
}

static void nested(void)
{
    struct net_pool *p = pool_of(plain(1));
    redisContext *c = get(p);
    redisReply *r = net_redis_command(c, SOON, "EVAL %s 0",
                                      "return {1,{2,{3,{'x',{}}},false},'y'}");

    CHECK(r != NULL);
    CHECK_EQ(r->type, REDIS_REPLY_ARRAY);
    CHECK_EQ(r->elements, 3);
    CHECK_EQ(r->element[1]->element[1]->element[0]->integer, 3);
    CHECK_EQ(r->element[1]->element[1]->element[1]->element[1]->elements, 0);
    CHECK_EQ(r->element[1]->element[2]->type, REDIS_REPLY_NIL);
    CHECK_EQ(strcmp(r->element[2]->str, "y"), 0);
    freeReplyObject(r);
    /* Deeper than hiredis reads. */
    fails_with(net_redis_command(c, SOON, "EVAL %s 0",
                                 "return {{{{{{{{{{{{1}}}}}}}}}}}}"),
               EPROTO);
    CHECK(strstr(c->errstr, "nested") != NULL);
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 1);
    net_pool_free(p);
}

static void large(void)
{
    size_t size = under_valgrind() ? 1000000 : 10000000;
    char *value = large_value(size);
    struct net_pool *p = pool_of(plain(1));
    redisContext *c = get(p);

    says(net_redis_command(c, SOON, "SET large %b", value, size), "OK");
    for (int i = 0; i < 3; i++)
        CHECK_EQ(redisAppendCommand(c, "GET large"), REDIS_OK);
    for (int i = 0; i < 3; i++)
        is_value(net_redis_reply(c, SOON), value, size);
    net_pool_put(p, c);
    CHECK_EQ(dropped(p), 0);
    net_pool_free(p);
    free(value);
}

/* ---- Messages --------------------------------------------------------------
 */

enum { MESSAGES = 200 };

static struct net_pool *messages;
static atomic_int heard, subscribed;

static redisContext *subscribe(void)
{
    redisContext *c = get(messages);

    takes(net_redis_command(c, SOON, "SUBSCRIBE news"), REDIS_REPLY_ARRAY);
    atomic_fetch_add(&subscribed, 1);
    return c;
}

/* A connection that breaks is made anew; what was said meanwhile is lost. */
static void listens(void *arg)
{
    redisContext *c = subscribe();
    redisReply *r;
    long last = -1, n;

    (void)arg;
    for (;;) {
        r = net_redis_reply(c, co_after(20 * CO_MSEC));
        if (r == NULL && errno == ETIMEDOUT)
            continue;
        if (r == NULL && errno == ECONNRESET) {
            net_pool_drop(messages, c);
            c = subscribe();
            continue;
        }
        if (r == NULL)
            break;
        CHECK_EQ(strcmp(r->element[1]->str, "news"), 0);
        n = atol(r->element[2]->str);
        freeReplyObject(r);
        CHECK(n > last);
        last = n;
        atomic_fetch_add(&heard, 1);
        if (n == 2 * MESSAGES)
            break;
    }
    CHECK(r != NULL || errno == ECANCELED);
    net_pool_drop(messages, c);
}

static void publish(redisContext *c, int from, int to, int listeners)
{
    while (atomic_load(&subscribed) < listeners)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    for (int i = from; i < to; i++)
        CHECK_EQ(takes(net_redis_command(c, SOON, "PUBLISH news %d", i),
                       REDIS_REPLY_INTEGER),
                 1);
}

static void publishes(void *arg)
{
    struct net_pool *p = pool_of(plain(1));
    redisContext *c = get(p);

    (void)arg;
    publish(c, 0, MESSAGES, 1);
    while (atomic_load(&heard) < MESSAGES)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(takes(net_redis_command(c, SOON, "CLIENT KILL TYPE pubsub"),
                   REDIS_REPLY_INTEGER),
             1);
    publish(c, MESSAGES, 2 * MESSAGES + 1, 2);
    net_pool_put(p, c);
    net_pool_free(p);
}

static void both_sides(void *arg) { (*(co_fn **)arg)(NULL); }

static void messages_come(void)
{
    co_fn *sides[] = { listens, publishes };
    struct co *c;

    atomic_store(&heard, 0);
    atomic_store(&subscribed, 0);
    messages = pool_of(plain(1));
    at_once(both_sides, sides, sizeof *sides, 2);
    CHECK_EQ(atomic_load(&heard), 2 * MESSAGES + 1);
    if (in_coroutines) {
        CHECK((c = co_spawn(listens, NULL, NULL)) != NULL);
        while (atomic_load(&subscribed) < 3)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        co_cancel(c);
        CHECK_EQ(co_join(c, SOON), 0);
    }
    net_pool_free(messages);
}

static void pool_cases(void)
{
    RUN(bad_configs);
    RUN(addresses);
    RUN(users);
    RUN(busy);
    RUN(put_back);
    RUN(dead_ones);
    RUN(pipeline);
    RUN(nested);
    RUN(large);
    RUN(messages_come);
}

#endif
