/* group_test.c - groups.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"
#include <stdatomic.h>

static atomic_long ran, cancelled;

static void quick(void *arg)
{
    (void)arg;
    atomic_fetch_add(&ran, 1);
    if (atomic_load(&ran) % 3 == 0)
        co_yield_now();
}

static void until_cancelled(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sleep_until(CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    atomic_fetch_add(&cancelled, 1);
}

/* ---- The group lives on the stack of who waits ------------------------------
 */

static long rounds;

static void many_groups(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        struct co_group g = { 0 };

        for (int j = 0; j < 5; j++)
            CHECK_EQ(co_group_go(&g, quick, NULL), 0);
        CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
        CHECK_EQ(g.running, 0);
        CHECK(g.members == NULL);
        memset(&g, 0xff, sizeof g);
    }
}

static void on_the_stack(void)
{
    rounds = test_count(5000);
    atomic_store(&ran, 0);
    for (int place = 0; place < PLACES; place++) {
        struct task t;

        task_start(&t, place, many_groups, NULL);
        task_join(&t);
    }
    CHECK_EQ(atomic_load(&ran), PLACES * rounds * 5);
}

/* ---- Cancel races with the ends ---------------------------------------------
 */

static void sleep_a_little(void *arg)
{
    (void)co_sleep_until(co_after((long)arg % 30 * CO_USEC));
    atomic_fetch_add(&ran, 1);
}

static void cancel_groups(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        struct co_group g = { 0 };
        long before = atomic_load(&ran);

        for (long j = 0; j < 5; j++)
            CHECK_EQ(co_group_go(&g, sleep_a_little, (void *)(i + j)), 0);
        if (i % 2 == 0)
            (void)co_sleep_until(co_after(i % 40 * CO_USEC));
        co_group_cancel(&g);
        CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
        CHECK_EQ(atomic_load(&ran), before + 5);
    }
}

static void cancel_races(void)
{
    rounds = test_count(5000);
    for (int place = 0; place < PLACES; place++) {
        struct task t;

        task_start(&t, place, cancel_groups, NULL);
        task_join(&t);
    }
}

/* ---- Work done elsewhere, several waiters -----------------------------------
 */

static struct co_group shared;

static void wait_shared(void *arg)
{
    (void)arg;
    CHECK_EQ(co_group_wait(&shared, CO_FOREVER), 0);
    CHECK_EQ(atomic_load(&ran), 3);
}

static void finish_one(void *arg)
{
    (void)arg;
    task_yield();
    atomic_fetch_add(&ran, 1);
    co_group_done(&shared);
}

static void counted(void)
{
    for (long i = 0; i < test_count(2000); i++) {
        struct task tasks[6];

        atomic_store(&ran, 0);
        co_group_add(&shared, 3);
        for (int j = 0; j < 3; j++) {
            task_start(&tasks[j], j, wait_shared, NULL);
            task_start(&tasks[3 + j], j, finish_one, NULL);
        }
        for (int j = 0; j < 6; j++)
            task_join(&tasks[j]);
    }
}

/* ---- On one scheduler -------------------------------------------------------
 */

static struct co_group family;

static void cancel_own_group(void *arg)
{
    (void)arg;
    co_group_cancel(&family);
    CHECK_EQ(co_sleep_until(CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    atomic_fetch_add(&cancelled, 1);
}

/* Nobody should; but it must not lock up. */
static void wait_for_own_group(void *arg)
{
    (void)arg;
    CHECK_EQ(co_group_wait(&family, CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    atomic_fetch_add(&cancelled, 1);
}

static void root_family(void *arg)
{
    (void)arg;
    atomic_store(&cancelled, 0);
    CHECK_EQ(co_group_wait(&family, CO_NOWAIT), 0); /* nothing runs */
    for (int i = 0; i < 10; i++)
        CHECK_EQ(co_group_go(&family, until_cancelled, NULL), 0);
    CHECK_EQ(co_group_wait(&family, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_group_wait(&family, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(family.running, 10); /* a time-out leaves them running */
    CHECK_EQ(co_group_go(&family, wait_for_own_group, NULL), 0);
    CHECK_EQ(co_group_go(&family, cancel_own_group, NULL), 0);
    CHECK_EQ(co_group_wait(&family, CO_FOREVER), 0);
    CHECK_EQ(atomic_load(&cancelled), 12);
    /* It stays cancelled: what is started later starts so. */
    CHECK_EQ(co_group_go(&family, until_cancelled, NULL), 0);
    CHECK_EQ(co_group_wait(&family, CO_FOREVER), 0);
    CHECK_EQ(atomic_load(&cancelled), 13);
}

static void one_family(void) { CHECK_EQ(co_run(root_family, NULL, NULL), 0); }

int main(void)
{
    RUN(one_family);
    tasks_up();
    RUN(on_the_stack);
    RUN(cancel_races);
    RUN(counted);
    tasks_down();
    return 0;
}
