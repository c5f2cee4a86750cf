/* redis_fault_cases.h - a Redis that dies and comes back, a network that fails:
 * each gives an error, and afterwards all is as before.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_REDIS_FAULT_CASES_H
#define TESTS_REDIS_FAULT_CASES_H

#include "tests/redis_shared_cases.h"

enum { COMMANDS = 1000, WORKERS = 10 };

static struct net_pool *pooled;
static atomic_int done, failures;
static atomic_bool killing;

/* One command, by the pool or by the shared connection; false with errno. */
static bool increments(int64_t deadline)
{
    redisContext *c;
    redisReply *r;

    if (pooled == NULL) {
        r = net_redis_ask(one, deadline, "ECHO %s", "x");
    } else {
        c = net_pool_get(pooled, deadline);
        if (c == NULL)
            return false;
        r = net_redis_command(c, deadline, "ECHO %s", "x");
        if (r == NULL) {
            int err = errno;

            net_pool_drop(pooled, c);
            errno = err;
        } else {
            net_pool_put(pooled, c);
        }
    }
    if (r == NULL)
        return false;
    says(r, "x");
    return true;
}

static bool is_fault(int err)
{
    return err == ECONNRESET || err == EPIPE || err == ECONNREFUSED ||
           err == ETIMEDOUT;
}

static void works_on(void *arg)
{
    (void)arg;
    while (atomic_load(&done) < COMMANDS || atomic_load(&killing)) {
        if (increments(SOON)) {
            atomic_fetch_add(&done, 1);
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
            continue;
        }
        if (!is_fault(errno))
            fprintf(stderr, "    %s\n", strerror(errno));
        CHECK(is_fault(errno));
        atomic_fetch_add(&failures, 1);
        CHECK_EQ(co_sleep_until(co_after(5 * CO_MSEC)), 0);
    }
}

/* Spread over the commands. */
static void kills(void *arg)
{
    int n = under_valgrind() ? 5 : 20;

    (void)arg;
    for (int i = 0; i < n; i++) {
        while (atomic_load(&done) < COMMANDS / n * i)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        CHECK_EQ(co_sleep_until(co_after(i * 317 % 7 * CO_MSEC / 2)), 0);
        servers("kill redis");
        CHECK_EQ(co_sleep_until(co_after(i % 3 * CO_MSEC)), 0);
        servers("start redis");
    }
    atomic_store(&killing, false);
}

static void through_kills(void)
{
    struct mixed all[WORKERS + 1];

    for (int i = 0; i < WORKERS; i++)
        all[i] = (struct mixed){ works_on, i };
    all[WORKERS] = (struct mixed){ kills, 0 };
    atomic_store(&done, 0);
    atomic_store(&failures, 0);
    atomic_store(&killing, true);
    at_once(runs_one, all, sizeof *all, WORKERS + 1);
    fprintf(stderr, "    %d commands, %d failed\n", atomic_load(&done),
            atomic_load(&failures));
    CHECK(atomic_load(&failures) > 0);
}

/* No connection of the pool is dead then, and nobody waits. */
static void killed_pool(void)
{
    struct net_pool_stats stats;

    pooled = pool_of(plain(4));
    through_kills();
    for (int i = 0; i < 10; i++)
        CHECK(increments(SOON));
    net_pool_stats(pooled, &stats);
    CHECK_EQ(stats.waiting, 0);
    CHECK_EQ(stats.in_use, 0);
    net_pool_free(pooled);
    pooled = NULL;
}

static void killed_shared(void)
{
    share_plain();
    through_kills();
    in_step(0);
    net_redis_free(one);
}

/* ---- The network -----------------------------------------------------------
 */

static int64_t patience; /* of who asks through the relay */

/* On a busy machine a good connection may be silent for too long as well. */
static void answers_again(void)
{
    int64_t begin = co_now();

    while (!increments(co_after(patience))) {
        CHECK(is_fault(errno));
        check_within(begin, 20 * CO_SECOND);
    }
}

/* The rule holds for one connection that was good before, and ends. */
static void breaks(int port, const char *rule)
{
    answers_again();
    (void)relay(port, rule);
    CHECK(!increments(co_after(patience)));
    if (!is_fault(errno))
        fprintf(stderr, "    %s: %s\n", rule, strerror(errno));
    CHECK(is_fault(errno));
    CHECK(!increments(co_after(patience)));
    CHECK(is_fault(errno));
    (void)relay(port, "both go");
    answers_again();
}

static void breaks_all(int port)
{
    static const char *const rules[] = {
        "down stall",
        "up stall",
        "both stall",
        "down cut",
        "up cut",
        "both cut",
        "down reset",
        "up reset",
        "both reset",
        "up stall after 3",
        "down stall after 3",
        "up cut after 3",
        "down cut after 3",
        "up reset after 3",
        "down reset after 3",
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        breaks(port, rules[i]);
    (void)relay(port, "both slow 500");
    for (int i = 0; i < 3; i++)
        answers_again();
    (void)relay(port, "both go");
}

static void bad_network(void)
{
    struct net_redis_config config = plain(1);
    int port = relay_to(server_port("REDIS_PORT"));
    char addr[40];

    (void)snprintf(addr, sizeof addr, "127.0.0.1:%d", port);
    config.addr = addr;
    config.silence_max = 100 * CO_MSEC;
    config.pool.open_timeout = 100 * CO_MSEC;
    config.pool.check_after = CO_MSEC;
    patience = under_valgrind() ? CO_SECOND : 100 * CO_MSEC;
    pooled = pool_of(config);
    breaks_all(port);
    net_pool_free(pooled);
    pooled = NULL;
    if (co_sched_idlest() == NULL)
        return; /* a shared connection needs the runtime */
    share(&config);
    breaks_all(port);
    net_redis_free(one);
}

#endif
