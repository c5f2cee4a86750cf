/* mutex_test.c - mutual exclusion between coroutines and threads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/tasks.h"
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static struct co_mutex m;

/* ---- Exclusion
 * ---------------------------------------------------------------
 */

enum { WORKERS = 7 };

static long counter; /* under m */
static long rounds;

static void count(void *arg)
{
    long id = (long)arg;

    for (long i = 0; i < rounds; i++) {
        long before;

        if (i % 5 != 0)
            co_mutex_lock(&m);
        else
            while (!co_mutex_trylock(&m))
                task_yield();
        before = counter;
        if ((i + id) % 16 == 0)
            task_yield(); /* others find it taken */
        counter = before + 1;
        co_mutex_unlock(&m);
    }
}

static void exclusion(void)
{
    struct task workers[WORKERS];

    rounds = test_count(50000);
    counter = 0;
    for (long i = 0; i < WORKERS; i++)
        task_start(&workers[i], (int)i % PLACES, count, (void *)i);
    for (int i = 0; i < WORKERS; i++)
        task_join(&workers[i]);
    CHECK_EQ(counter, WORKERS * rounds);
    CHECK(m.owner == NULL);
    CHECK(m.heir == NULL);
}

/* ---- Barging, and its bound
 * --------------------------------------------------
 */

static atomic_bool got;

static void wait_for_it(void *arg)
{
    (void)arg;
    co_mutex_lock(&m);
    atomic_store(&got, true);
    co_mutex_unlock(&m);
}

/* Takes it again and again without ever giving way. */
static void barge(void *arg)
{
    (void)arg;
    while (!atomic_load(&got)) {
        co_mutex_lock(&m);
        co_mutex_unlock(&m);
    }
}

static void passed_over(void)
{
    for (int a = 0; a < PLACES; a++) {
        for (int b = 0; b < PLACES; b++) {
            struct task one, other;

            int64_t start;

            atomic_store(&got, false);
            co_mutex_lock(&m);
            task_start(&other, b, wait_for_it, NULL);
            while (__atomic_load_n(&m.owner, __ATOMIC_ACQUIRE) !=
                   (void *)((uintptr_t)__atomic_load_n(&m.owner,
                                                       __ATOMIC_RELAXED) |
                            1))
                sched_yield();
            task_start(&one, a, barge, NULL);
            start = co_now();
            co_mutex_unlock(&m);
            task_join(&one); /* ends only because the other one got it */
            task_join(&other);
            CHECK(atomic_load(&got));
            CHECK(co_now() - start < CO_SECOND); /* about 1 ms */
        }
    }
}

/* ---- Order ------------------------------------------------------------------
 */

static long order[50], ordered;

static void queue_up(void *arg)
{
    co_mutex_lock(&m);
    order[ordered++] = (long)arg;
    co_yield_now(); /* the next one finds it taken when he is woken */
    co_mutex_unlock(&m);
}

static void root_fifo(void *arg)
{
    struct co_group g = { 0 };
    int64_t since = co_now();

    (void)arg;
    co_mutex_lock(&m);
    for (long i = 0; i < 50; i++)
        CHECK_EQ(co_group_go(&g, queue_up, (void *)i), 0);
    co_yield_now();
    co_mutex_unlock(&m);
    /* Who runs may take it, although others wait; unless, on a slow machine,
     * the first has waited for 1 ms by now and got it handed. */
    if (co_mutex_trylock(&m)) {
        co_yield_now(); /* the first comes too late, and stays the first */
        CHECK_EQ(ordered, 0);
        co_mutex_unlock(&m);
    } else {
        CHECK(co_now() - since >= CO_MSEC);
    }
    CHECK_EQ(co_group_wait(&g, CO_FOREVER), 0);
    for (long i = 0; i < 50; i++)
        CHECK_EQ(order[i], i);
    CHECK(m.owner == NULL);
}

static void fifo(void) { CHECK_EQ(co_run(root_fifo, NULL, NULL), 0); }

/* ---- Cancel and limits do not end a lock ------------------------------------
 */

static void lock_cancelled(void *arg)
{
    (void)arg;
    co_limit_deadline(CO_NOWAIT);
    co_mutex_lock(&m);
    CHECK(co_cancelled());
    co_mutex_unlock(&m);
}

static void root_sure(void *arg)
{
    struct co *c;

    (void)arg;
    co_mutex_lock(&m);
    CHECK((c = co_spawn(lock_cancelled, NULL, NULL)) != NULL);
    co_yield_now();
    co_cancel(c);
    co_yield_now();
    CHECK_EQ(co_join(c, CO_NOWAIT), -1);
    co_mutex_unlock(&m);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
}

static void sure(void) { CHECK_EQ(co_run(root_sure, NULL, NULL), 0); }

/* ---- Misuse -----------------------------------------------------------------
 */

static void expect_abort(void (*fn)(void))
{
    int status;
    pid_t pid;

    fflush(stderr);
    CHECK((pid = test_fork()) >= 0);
    if (pid == 0) {
        /* What it has to say belongs to the test that expects it. */
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(1);
        fn();
        _exit(0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGABRT);
}

static void unlock_free(void) { co_mutex_unlock(&m); }

static void lock_twice(void)
{
    co_mutex_lock(&m);
    co_mutex_lock(&m);
}

static void misuse(void)
{
    expect_abort(unlock_free);
    expect_abort(lock_twice);
}

int main(void)
{
    RUN(misuse);
    RUN(fifo);
    RUN(sure);
    tasks_up();
    RUN(exclusion);
    RUN(passed_over);
    tasks_down();
    return 0;
}
