/* sem_test.c - semaphores.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"
#include <stdatomic.h>

/* ---- Back and forth between every two places --------------------------------
 */

static struct co_sem ping, pong;
static long rounds;

static void pinger(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        co_sem_post(&ping);
        CHECK_EQ(co_sem_wait(&pong, CO_FOREVER), 0);
    }
}

static void ponger(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        CHECK_EQ(co_sem_wait(&ping, CO_FOREVER), 0);
        co_sem_post(&pong);
    }
}

static void back_and_forth(void)
{
    rounds = test_count(20000);
    for (int a = 0; a < PLACES; a++) {
        for (int b = a; b < PLACES; b++) {
            struct task one, other;

            task_start(&one, a, pinger, NULL);
            task_start(&other, b, ponger, NULL);
            task_join(&one);
            task_join(&other);
            CHECK_EQ(ping.value, 0);
            CHECK_EQ(pong.value, 0);
        }
    }
}

/* ---- Units are neither lost nor made by time-outs and cancels ---------------
 */

enum { TAKERS = 6 };

static struct co_sem units;
static atomic_long taken;
static atomic_bool stop;

static void take_with_deadlines(void *arg)
{
    unsigned r = (unsigned)(uintptr_t)arg;

    while (!atomic_load(&stop)) {
        r = r * 1103515245 + 12345;
        if (co_sem_wait(&units, co_after((r >> 16) % 100 * CO_USEC)) == 0)
            atomic_fetch_add(&taken, 1);
        else if (errno == ECANCELED)
            break;
        else
            CHECK_EQ(errno, ETIMEDOUT);
    }
}

static void deadline_races(void)
{
    long posts = test_count(50000);
    struct task takers[TAKERS];

    for (long i = 0; i < TAKERS; i++)
        task_start(&takers[i], (int)i % PLACES, take_with_deadlines, (void *)i);
    for (long i = 0; i < posts; i++) {
        co_sem_post(&units);
        if (i % 3 == 0)
            CHECK(co_sem_wait(&pong, co_after(i % 50 * CO_USEC)) < 0);
    }
    for (int i = 0; i < TAKERS; i++)
        if (takers[i].co != NULL)
            co_cancel(takers[i].co);
    atomic_store(&stop, true);
    for (int i = 0; i < TAKERS; i++)
        task_join(&takers[i]);
    CHECK_EQ(atomic_load(&taken) + units.value, posts);
    units.value = 0;
}

static void wait_once(void *arg)
{
    long *result = arg;

    *result = co_sem_wait(&units, CO_FOREVER) == 0 ? 0 : errno;
}

static void cancel_races(void)
{
    long n = test_count(20000), got = 0;

    for (long i = 0; i < n; i++) {
        struct task t;
        long result = -1;

        task_start(&t, (int)i % 2, wait_once, &result);
        if (i % 4 < 2) {
            co_cancel(t.co);
            co_sem_post(&units);
        } else {
            co_sem_post(&units);
            co_cancel(t.co);
        }
        task_join(&t);
        if (result == 0)
            got++;
        else
            CHECK_EQ(result, ECANCELED);
    }
    CHECK_EQ(got + units.value, n);
    units.value = 0;
}

/* ---- Order, and trying ------------------------------------------------------
 */

static long order[100], ordered;

static void queue_up(void *arg)
{
    CHECK_EQ(co_sem_wait(&units, CO_FOREVER), 0);
    order[ordered++] = (long)arg;
}

static void root_fifo(void *arg)
{
    struct co_group g = { 0 };

    (void)arg;
    for (long i = 0; i < 100; i++)
        CHECK_EQ(co_group_go(&g, queue_up, (void *)i), 0);
    co_yield_now();
    for (int i = 0; i < 100; i++)
        co_sem_post(&units);
    /* All were handed to those who wait: there is none for who comes late. */
    CHECK_EQ(co_sem_wait(&units, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
    for (long i = 0; i < 100; i++)
        CHECK_EQ(order[i], i);
}

static void root_tries(void *arg)
{
    struct co_sem s = { .value = -1 };

    (void)arg;
    co_sem_post(&s);
    CHECK_EQ(co_sem_wait(&s, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    co_sem_post(&s);
    CHECK_EQ(co_sem_wait(&s, CO_NOWAIT), 0);
    CHECK_EQ(co_sem_wait(&s, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    co_sem_post(&s);
    co_cancel(co_self());
    CHECK_EQ(co_sem_wait(&s, CO_NOWAIT), -1);
    CHECK_EQ(errno, ECANCELED);
    co_hold_cancel(true);
    CHECK_EQ(co_sem_wait(&s, CO_NOWAIT), 0);
    co_hold_cancel(false);
}

static void take_below_zero(void *arg)
{
    CHECK_EQ(co_sem_wait((struct co_sem *)arg, CO_FOREVER), 0);
}

static void root_below_zero(void *arg)
{
    struct co_sem s = { .value = -1 };
    struct co *c = co_spawn(take_below_zero, &s, NULL);

    (void)arg;
    CHECK(c != NULL);
    co_yield_now();
    co_sem_post(&s); /* only up to zero */
    CHECK_EQ(co_join(c, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    co_sem_post(&s);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    CHECK_EQ(s.value, 0);
}

static void below_zero(void)
{
    CHECK_EQ(co_run(root_below_zero, NULL, NULL), 0);
}

static void fifo(void) { CHECK_EQ(co_run(root_fifo, NULL, NULL), 0); }
static void tries(void) { CHECK_EQ(co_run(root_tries, NULL, NULL), 0); }

int main(void)
{
    RUN(fifo);
    RUN(tries);
    RUN(below_zero);
    tasks_up();
    RUN(back_and_forth);
    RUN(deadline_races);
    RUN(cancel_races);
    tasks_down();
    return 0;
}
