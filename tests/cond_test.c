/* cond_test.c - conditions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"

static struct co_mutex m;
static struct co_cond not_empty, not_full;

/* ---- A bounded buffer between all places ------------------------------------
 */

enum { ROOM = 4, SIDES = 6 };

static long buffer[ROOM], held, sum; /* under m */
static long rounds;

static void produce(void *arg)
{
    (void)arg;
    for (long i = 1; i <= rounds; i++) {
        co_mutex_lock(&m);
        while (held == ROOM)
            CHECK_EQ(co_cond_wait(&not_full, &m, CO_FOREVER), 0);
        buffer[held++] = i;
        co_cond_signal(&not_empty);
        co_mutex_unlock(&m);
    }
}

static void consume(void *arg)
{
    long got = 0;

    while (got < rounds) {
        /* Some give up early, and come back. */
        int64_t deadline = got % 7 == 0 ? co_after(10 * CO_USEC) : CO_FOREVER;

        co_mutex_lock(&m);
        while (held == 0)
            if (co_cond_wait(&not_empty, &m, deadline) < 0) {
                CHECK_EQ(errno, ETIMEDOUT);
                deadline = CO_FOREVER;
            }
        sum += buffer[--held];
        got++;
        co_cond_signal(&not_full);
        co_mutex_unlock(&m);
    }
    (void)arg;
}

static void bounded_buffer(void)
{
    struct task tasks[2 * SIDES];

    rounds = test_count(10000);
    for (int i = 0; i < SIDES; i++) {
        task_start(&tasks[i], i % PLACES, produce, NULL);
        task_start(&tasks[SIDES + i], i % PLACES, consume, NULL);
    }
    for (int i = 0; i < 2 * SIDES; i++)
        task_join(&tasks[i]);
    CHECK_EQ(sum, SIDES * (rounds * (rounds + 1) / 2));
    CHECK_EQ(held, 0);
}

/* ---- Broadcast
 * ---------------------------------------------------------------
 */

static struct co_cond gate;
static long generation, waiting; /* under m */

static void pass_gates(void *arg)
{
    (void)arg;
    co_mutex_lock(&m);
    for (long i = 0; i < rounds; i++) {
        long g = generation;

        /* The last to come opens it for all: a barrier. */
        if (++waiting == SIDES) {
            waiting = 0;
            generation++;
            co_cond_broadcast(&gate);
        } else {
            while (generation == g)
                CHECK_EQ(co_cond_wait(&gate, &m, CO_FOREVER), 0);
        }
    }
    co_mutex_unlock(&m);
}

static void broadcast(void)
{
    struct task tasks[SIDES];

    rounds = test_count(10000);
    for (int i = 0; i < SIDES; i++)
        task_start(&tasks[i], i % PLACES, pass_gates, NULL);
    for (int i = 0; i < SIDES; i++)
        task_join(&tasks[i]);
    CHECK_EQ(generation, rounds);
}

/* ---- Order, and errors ------------------------------------------------------
 */

static long order[20], ordered;

static void queue_up(void *arg)
{
    co_mutex_lock(&m);
    CHECK_EQ(co_cond_wait(&gate, &m, CO_FOREVER), 0);
    order[ordered++] = (long)arg;
    co_mutex_unlock(&m);
}

static void wait_cancelled(void *arg)
{
    (void)arg;
    co_mutex_lock(&m);
    CHECK_EQ(co_cond_wait(&gate, &m, CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    CHECK(!co_mutex_trylock(&m)); /* it is ours */
    CHECK_EQ(co_cond_wait(&gate, &m, CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    co_mutex_unlock(&m);
}

static void root_order(void *arg)
{
    struct co_group g = { 0 };
    struct co *c;

    (void)arg;
    for (long i = 0; i < 20; i++)
        CHECK_EQ(co_group_go(&g, queue_up, (void *)i), 0);
    co_yield_now();
    for (int i = 0; i < 10; i++)
        co_cond_signal(&gate);
    co_cond_broadcast(&gate);
    co_cond_signal(&gate); /* nobody waits: nothing is remembered */
    CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
    for (long i = 0; i < 20; i++)
        CHECK_EQ(order[i], i);

    co_mutex_lock(&m);
    CHECK_EQ(co_cond_wait(&gate, &m, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_cond_wait(&gate, &m, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    co_mutex_unlock(&m);

    CHECK((c = co_spawn(wait_cancelled, NULL, NULL)) != NULL);
    co_yield_now();
    co_mutex_lock(&m);
    co_cancel(c);
    co_yield_now(); /* it has to wait for the mutex */
    co_mutex_unlock(&m);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    CHECK(m.owner == NULL);
}

static void order_and_errors(void)
{
    CHECK_EQ(co_run(root_order, NULL, NULL), 0);
}

int main(void)
{
    RUN(order_and_errors);
    tasks_up();
    RUN(bounded_buffer);
    RUN(broadcast);
    tasks_down();
    return 0;
}
