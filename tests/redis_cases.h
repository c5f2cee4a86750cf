/* redis_cases.h - net/redis.h against a Redis of our own: on threads without a
 * runtime, on threads beside one, in coroutines.
 *
 * The same with the hooks and without them: redis_test.c,
 * hook_redis_pool_test.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_REDIS_CASES_H
#define TESTS_REDIS_CASES_H

#include "tests/redis_fault_cases.h"
#include "tests/redis_pool_cases.h"
#include "tests/redis_shared_cases.h"

static void without_runtime(void)
{
    share_plain();
    fails_with(net_redis_ask(one, SOON, "PING"), ESHUTDOWN);
    net_redis_free(one);
}

static void in_root(void *arg)
{
    (void)arg;
    pool_cases();
    shared_cases();
    RUN(one_write);
    RUN(killed_pool);
    RUN(killed_shared);
    RUN(bad_network);
}

/* What nobody freed, with questions open, when the runtime ends. */
static void leaves_questions(void *arg)
{
    share_plain();
    in_step(0);
    servers("freeze redis");
    for (int i = 0; i < 10; i++)
        CHECK_EQ(co_go(arg, NULL), 0);
    until_ready(10);
    CHECK_EQ(co_sleep_until(co_after(10 * CO_MSEC)), 0);
}

static void ends_with_runtime(void *arg)
{
    redisReply *r;

    (void)arg;
    atomic_fetch_add(&ready, 1);
    r = net_redis_ask(one, SOON, "PING");
    CHECK(r == NULL && (errno == ECANCELED || errno == ESHUTDOWN));
}

static int run_cases(void)
{
    const struct co_config two = { .schedulers = 2 };

    if (getenv("SERVERS") == NULL) {
        printf("skipped: tests/servers.py runs this\n");
        return 77;
    }
    fprintf(stderr, " on threads\n");
    pool_cases();
    RUN(killed_pool);
    RUN(bad_network);
    RUN(without_runtime);
    fprintf(stderr, " on threads, beside coroutines\n");
    CHECK_EQ(co_start(&two), 0);
    shared_cases();
    RUN(killed_shared);
    CHECK_EQ(co_shutdown(SOON), 0);
    fprintf(stderr, " in coroutines\n");
    in_coroutines = true;
    CHECK_EQ(co_run(in_root, NULL, &two), 0);
    fprintf(stderr, "  the runtime ends\n");
    CHECK_EQ(co_run(leaves_questions, (void *)ends_with_runtime, &two), 0);
    net_redis_free(one);
    servers("thaw redis");
    return 0;
}

#endif
