/* hook_redis_test.c - hiredis in coroutines, against a Redis of our own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <sys/time.h>

enum { MESSAGES = 200 };

struct client {
    int number;
    int port; /* of the silent server */
};

static redisContext *connected(int number)
{
    redisContext *c = number % 2 == 0
                          ? redisConnect("127.0.0.1", server_port("REDIS_PORT"))
                          : redisConnectUnix(server_text("REDIS_SOCKET"));

    CHECK(c != NULL);
    if (c->err != 0)
        fprintf(stderr, "    %s\n", c->errstr);
    CHECK_EQ(c->err, 0);
    return c;
}

/* The reply must be of this type; to be freed. */
static redisReply *reply(redisContext *c, int type, const char *command, ...)
{
    va_list args;
    redisReply *r;

    va_start(args, command);
    r = redisvCommand(c, command, args);
    va_end(args);
    if (r == NULL)
        fprintf(stderr, "    %s: %s\n", command, c->errstr);
    CHECK(r != NULL);
    CHECK_EQ(r->type, type);
    return r;
}

static void asks(void *arg)
{
    int number = ((struct client *)arg)->number;
    redisContext *c = connected(number);
    size_t size = 1000000;
    char *big = malloc(size);
    redisReply *r;

    for (int i = 0; i < 50; i++) {
        freeReplyObject(
            reply(c, REDIS_REPLY_STATUS, "SET key:%d %d", number, i));
        r = reply(c, REDIS_REPLY_STRING, "GET key:%d", number);
        CHECK_EQ(atoi(r->str), i);
        freeReplyObject(r);
    }
    CHECK(big != NULL);
    memset(big, 'a' + number, size);
    freeReplyObject(
        reply(c, REDIS_REPLY_STATUS, "SET big:%d %b", number, big, size));
    r = reply(c, REDIS_REPLY_STRING, "GET big:%d", number);
    CHECK_EQ(r->len, size);
    CHECK_EQ(memcmp(r->str, big, size), 0);
    freeReplyObject(r);
    for (int i = 0; i < 1000; i++)
        CHECK_EQ(redisAppendCommand(c, "ECHO %d", i), REDIS_OK);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(redisGetReply(c, (void **)&r), REDIS_OK);
        CHECK_EQ(atoi(r->str), i);
        freeReplyObject(r);
    }
    free(big);
    redisFree(c);
}

static void many_at_once(void)
{
    struct client clients[16] = { 0 };

    for (int i = 0; i < 16; i++)
        clients[i].number = i;
    at_once(asks, clients, sizeof *clients, 16);
}

/* A subscriber says when it listens: the number of those that a message
 * reached. */
static void publishes(redisContext *c, int number)
{
    for (int i = 0; i < MESSAGES; i++) {
        redisReply *r;
        long long reached;

        do {
            r = reply(c, REDIS_REPLY_INTEGER, "PUBLISH channel:%d %d",
                      number / 2, i);
            reached = r->integer;
            freeReplyObject(r);
        } while (reached == 0);
        CHECK_EQ(reached, 1);
    }
}

static void subscribes(redisContext *c, int number)
{
    redisReply *r =
        reply(c, REDIS_REPLY_ARRAY, "SUBSCRIBE channel:%d", number / 2);

    freeReplyObject(r);
    for (int i = 0; i < MESSAGES; i++) {
        CHECK_EQ(redisGetReply(c, (void **)&r), REDIS_OK);
        CHECK_EQ(r->elements, 3);
        CHECK_EQ(strcmp(r->element[0]->str, "message"), 0);
        CHECK_EQ(atoi(r->element[2]->str), i);
        freeReplyObject(r);
    }
}

static void talks(void *arg)
{
    int number = ((struct client *)arg)->number;
    redisContext *c = connected(number / 2);

    (number % 2 == 0 ? subscribes : publishes)(c, number);
    redisFree(c);
}

static void pub_sub(void)
{
    struct client clients[8] = { 0 };

    for (int i = 0; i < 8; i++)
        clients[i].number = i;
    at_once(talks, clients, sizeof *clients, 8);
}

/* Even ones wait for what odd ones bring. */
static void pops(void *arg)
{
    int number = ((struct client *)arg)->number;
    redisContext *c = connected(number / 2);
    redisReply *r;

    if (number % 2 == 0) {
        r = reply(c, REDIS_REPLY_ARRAY, "BLPOP list:%d 100", number / 2);
        CHECK_EQ(strcmp(r->element[1]->str, "brought"), 0);
    } else {
        r = reply(c, REDIS_REPLY_INTEGER, "RPUSH list:%d brought", number / 2);
    }
    freeReplyObject(r);
    redisFree(c);
}

static void blocking_pops(void)
{
    struct client clients[20] = { 0 };

    for (int i = 0; i < 20; i++)
        clients[i].number = i;
    at_once(pops, clients, sizeof *clients, 20);
}

/* By SO_RCVTIMEO. */
static void fails_in_time(void *arg)
{
    struct client *client = arg;
    redisContext *c = redisConnect("127.0.0.1", client->port);
    int64_t begin = co_now();

    CHECK(c != NULL && c->err == 0);
    CHECK_EQ(redisSetTimeout(c, (struct timeval){ .tv_usec = 500000 }),
             REDIS_OK);
    CHECK(redisCommand(c, "PING") == NULL);
    CHECK_EQ(c->err, REDIS_ERR_IO);
    CHECK_EQ(errno, EAGAIN);
    CHECK(co_now() - begin >= 480 * CO_MSEC); /* the kernel's clock is coarse */
    check_within(begin, 5 * CO_SECOND);
    redisFree(c);
}

static void own_timeout(void)
{
    struct client clients[20] = { 0 };
    int64_t begin = co_now();
    int port = silent_port();

    for (int i = 0; i < 20; i++)
        clients[i].port = port;
    at_once(fails_in_time, clients, sizeof *clients, 20);
    check_within(begin, 5 * CO_SECOND); /* one by one: 10 s */
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

static void command_fails(void *arg)
{
    redisContext *c = redisConnect("127.0.0.1", *(int *)arg);

    CHECK(c != NULL && c->err == 0);
    CHECK(redisCommand(c, "PING") == NULL);
    CHECK_EQ(errno, co_cancelled() ? ECANCELED : ETIMEDOUT);
    CHECK_EQ(c->err, REDIS_ERR_IO);
    redisFree(c);
}

static void limit_and_cancel(void)
{
    int port = silent_port();
    struct ending endings[] = {
        { command_fails, &port, false },
        { command_fails, &port, true },
    };

    at_once(ends_in_time, endings, sizeof *endings, 2);
}

static void tests(void)
{
    RUN(many_at_once);
    RUN(pub_sub);
    RUN(blocking_pops);
    RUN(own_timeout);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

int main(void) { return run_clients(tests); }
