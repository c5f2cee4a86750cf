/* wait_test.c - a ticket is fired exactly once, whoever claims it.
 *
 * On plain threads, whose tickets take the same path through a queue as those
 * of coroutines; those are in coro_test and in the tests of what waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/clock.h"
#include "co/wait.h"
#include "tests/test.h"
#include <pthread.h>
#include <sched.h>

static struct co_waitq queue;

static void *no_arg(void *fn)
{
    ((void (*)(void))fn)();
    return NULL;
}

static pthread_t start(void (*fn)(void))
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, no_arg, (void *)fn), 0);
    return thread;
}

/* ---- The lock -------------------------------------------------------------
 */

static long protected_count;

static void count_under_lock(void)
{
    long rounds = test_count(1000000);

    for (long i = 0; i < rounds; i++) {
        waitq_lock(&queue);
        protected_count++;
        if (i % 1000 == 0)
            (void)sched_yield(); /* so that others go to sleep for it */
        waitq_unlock(&queue);
    }
}

static void lock_excludes(void)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++)
        threads[i] = start(count_under_lock);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(protected_count, 4 * test_count(1000000));
    CHECK_EQ(atomic_load(&waitq_sleepers), 0);
}

/* ---- The queue ------------------------------------------------------------
 */

static void first_in_first_out(void)
{
    struct wait w[4];

    CHECK(waitq_claim(&queue) == NULL);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(wait_open(&w[i], WAIT_SLEEP, CO_FOREVER), 0);
        waitq_push(&queue, &w[i].link);
    }
    waitq_remove(&queue, &w[1].link);
    CHECK(waitq_claim(&queue) == &w[0] && w[0].fired == &w[0].link);
    waitq_remove(&queue, &w[3].link);
    CHECK(waitq_claim(&queue) == &w[2]);
    CHECK(waitq_empty(&queue) && waitq_claim(&queue) == NULL);
}

/* A ticket in two queues: the second one finds it taken, and goes on. */
static void shared_is_claimed_once(void)
{
    struct co_waitq other = { 0 };
    struct wait_link second = { 0 };
    struct wait both, next;

    CHECK_EQ(wait_open(&both, WAIT_SLEEP, CO_FOREVER), 0);
    CHECK_EQ(wait_open(&next, WAIT_SLEEP, CO_FOREVER), 0);
    both.shared = true;
    second.wait = &both;
    waitq_push(&queue, &both.link);
    waitq_push(&other, &second);
    waitq_push(&other, &next.link);
    CHECK(waitq_claim(&queue) == &both);
    CHECK(!wait_claim(&both, ETIMEDOUT) && both.why == 0);
    CHECK(waitq_claim(&other) == &next);
    wait_close(&other, &second); /* is out already: fine */
    CHECK(waitq_empty(&other) && waitq_empty(&queue));
}

static void deadlines(void)
{
    struct wait w;
    int64_t end = clock_now() + CO_MSEC;

    CHECK_EQ(wait_open(&w, WAIT_SLEEP, CO_NOWAIT), 0);
    errno = 0;
    CHECK(wait_passed(&w) && errno == ETIMEDOUT);
    CHECK_EQ(wait_open(&w, WAIT_SLEEP, end), 0);
    CHECK(!wait_passed(&w));
    waitq_lock(&queue);
    waitq_push(&queue, &w.link);
    waitq_unlock(&queue);
    CHECK(wait_park(&w) == -1 && errno == ETIMEDOUT);
    CHECK(clock_now() >= end);
    CHECK(waitq_empty(&queue)); /* it took itself out */
}

/* ---- Time-out against wake ------------------------------------------------
 */

static long tokens, taken; /* under queue's lock; by the taker */

/* Takes a token, or waits for one: whoever claims a ticket owes it one. */
static bool take(int64_t deadline)
{
    struct wait w;

    CHECK_EQ(wait_open(&w, WAIT_SLEEP, deadline), 0);
    waitq_lock(&queue);
    if (tokens > 0) {
        tokens--;
        waitq_unlock(&queue);
        return true;
    }
    waitq_push(&queue, &w.link);
    waitq_unlock(&queue);
    if (wait_park(&w) == 0)
        return true;
    CHECK_EQ(errno, ETIMEDOUT);
    return false;
}

static void give(void)
{
    struct wait *w;

    waitq_lock(&queue);
    w = waitq_claim(&queue);
    tokens += w == NULL;
    waitq_unlock(&queue);
    if (w != NULL)
        wait_wake(w);
}

static void take_many(void)
{
    long rounds = test_count(100000);

    while (taken < rounds)
        taken += take(clock_now() + taken % 50 * CO_USEC + 1);
}

static void no_token_is_lost(void)
{
    long rounds = test_count(100000);
    pthread_t taker = start(take_many);

    for (long i = 0; i < rounds; i++) {
        give();
        for (long spin = 0; spin < i % 5 * 40; spin++)
            clock_relax();
    }
    CHECK_EQ(pthread_join(taker, NULL), 0);
    CHECK(taken == rounds && tokens == 0 && waitq_empty(&queue));
}

int main(void)
{
    RUN(lock_excludes);
    RUN(first_in_first_out);
    RUN(shared_is_claimed_once);
    RUN(deadlines);
    RUN(no_token_is_lost);
    return 0;
}
