/* coro_test.c - coroutines: spawned, run, joined, cancelled.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"

static int order[16], steps;

static void step(void *arg)
{
    for (int i = 0; i < 3; i++) {
        order[steps++] = (int)(intptr_t)arg;
        co_yield_now();
    }
}

static void root_yields(void *arg)
{
    struct co *a = co_spawn(step, (void *)1, NULL);
    struct co *b = co_spawn(step, (void *)2, NULL);

    (void)arg;
    CHECK(a != NULL && b != NULL);
    CHECK_EQ(co_join(a, CO_FOREVER), 0);
    CHECK_EQ(co_join(b, CO_FOREVER), 0);
    CHECK_EQ(steps, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(order[i], i % 2 + 1);
}

static void yields(void) { CHECK_EQ(co_run(root_yields, NULL, NULL), 0); }

static void root_sleeps(void *arg)
{
    int64_t until = co_after(20 * CO_MSEC);

    (void)arg;
    CHECK_EQ(co_sleep_until(until), 0);
    CHECK(co_now() >= until);
}

static void sleeps(void) { CHECK_EQ(co_run(root_sleeps, NULL, NULL), 0); }

int main(void)
{
    RUN(yields);
    RUN(sleeps);
    return 0;
}
