/* sched_test.c - the loop: nobody starves, work spreads, idle means idle.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sched.h"
#include "tests/test.h"
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CROWD = 1000 };

static void nothing(void *arg) { (void)arg; }

static void run(co_fn *fn, unsigned schedulers)
{
    struct co_config config = { .schedulers = schedulers };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

static struct co *spawn_on(struct co_sched *on, co_fn *fn, void *arg)
{
    struct co_attr attr = { .on = on };
    struct co *co = co_spawn(fn, arg, &attr);

    CHECK(co != NULL);
    return co;
}

static void join(struct co *co) { CHECK_EQ(co_join(co, CO_FOREVER), 0); }

/* ---- Nobody starves -------------------------------------------------------
 */

static atomic_bool enough;

static void yield_for_ever(void *arg)
{
    long *turns = arg;

    while (!enough) {
        ++*turns;
        co_yield_now();
    }
}

static void sleep_on(void *arg)
{
    for (int i = 0; i < 20; i++)
        CHECK_EQ(co_sleep_until(co_after(100 * CO_USEC)), 0);
    (void)arg;
}

static void read_pipe(void *arg)
{
    char byte;

    CHECK_EQ(co_read(*(int *)arg, &byte, 1, CO_FOREVER), 1);
}

/* Beside one that is always ready: timers, descriptors, what other threads
 * send; and it, too, has its turns. */
static void root_yielder(void *arg)
{
    long turns = 0, yielders = (intptr_t)arg;
    struct co *all[8], *reader;
    int ends[2];

    enough = false;
    CHECK_EQ(pipe(ends), 0);
    for (long i = 0; i < yielders; i++)
        all[i] = spawn_on(NULL, yield_for_ever, &turns);
    reader = spawn_on(NULL, read_pipe, &ends[0]);
    join(spawn_on(NULL, sleep_on, NULL));
    join(spawn_on(co_sched_at(1), sleep_on, NULL)); /* its end is a post */
    CHECK(co_join(reader, CO_NOWAIT) == -1 && errno == ETIMEDOUT);
    CHECK_EQ(write(ends[1], "", 1), 1);
    join(reader);
    CHECK(turns > 100);
    enough = true;
    for (long i = 0; i < yielders; i++)
        join(all[i]);
    CHECK_EQ(close(ends[0]) + close(ends[1]), 0);
}

static void root_starves(void *arg)
{
    (void)arg;
    root_yielder((void *)1);
    root_yielder((void *)8);
}

static void nobody_starves(void) { run(root_starves, 2); }

/* ---- Where they run -------------------------------------------------------
 */

struct place {
    struct co_sched *sched;
    pthread_t thread;
};

static void stay(void *arg)
{
    struct place *p = arg;

    *p = (struct place){ co_sched_self(), pthread_self() };
    for (int i = 0; i < 20; i++) {
        if (i % 4 == 0)
            CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
        else
            co_yield_now();
        CHECK(co_sched_self() == p->sched);
        CHECK(pthread_equal(pthread_self(), p->thread));
    }
}

static void root_stays(void *arg)
{
    struct co_sched *on[] = { NULL, co_sched_at(0), co_sched_at(2),
                              co_sched_idlest(), CO_ANY };
    struct place places[100];
    struct co *all[100];

    (void)arg;
    for (int i = 0; i < 100; i++)
        all[i] = spawn_on(on[i % 5], stay, &places[i]);
    for (int i = 0; i < 100; i++) {
        join(all[i]);
        if (i % 5 == 0) /* born where its parent is */
            CHECK(places[i].sched == co_sched_self());
        else if (i % 5 < 4)
            CHECK(places[i].sched == on[i % 5]);
    }
}

static void started_ones_stay(void) { run(root_stays, 3); }

static void note_place(void *arg)
{
    int64_t end = co_after(20 * CO_USEC);

    *(struct co_sched **)arg = co_sched_self();
    while (co_now() < end)
        continue; /* some work */
}

/* How many of a crowd, all spawned here, ran elsewhere. */
static int count_spread(struct co_sched *on)
{
    static struct co_sched *at[CROWD];
    static struct co *all[CROWD];
    int elsewhere = 0;

    for (int i = 0; i < CROWD; i++)
        all[i] = spawn_on(on, note_place, &at[i]);
    for (int i = 0; i < CROWD; i++) {
        join(all[i]);
        elsewhere += at[i] != co_sched_self();
    }
    return elsewhere;
}

/* The other scheduler sleeps, or has less to do; how soon it takes its share is
 * the machine's matter, that it does is ours. */
static void root_spreads(void *arg)
{
    int64_t end = co_after(20 * CO_SECOND);
    int elsewhere = 0;

    (void)arg;
    CHECK_EQ(count_spread(NULL), 0);
    while (elsewhere < CROWD / 10 && co_now() < end) {
        int n = count_spread(CO_ANY);

        CHECK(n < CROWD); /* this one works, too */
        elsewhere += n;
    }
    CHECK(elsewhere >= CROWD / 10);
}

static void any_spreads(void) { run(root_spreads, 2); }

/* ---- From other threads ---------------------------------------------------
 */

static void *spawn_and_join(void *arg)
{
    long rounds = test_count(5000);

    for (long i = 0; i < rounds; i++) {
        struct place p;

        join(spawn_on(i % 3 == 0 ? NULL : co_sched_at(i % 3 - 1), stay, &p));
        CHECK_EQ(co_go(nothing, NULL), 0);
        CHECK(!pthread_equal(p.thread, pthread_self()));
    }
    return arg;
}

static void plain_threads_spawn(void)
{
    struct co_config config = { .schedulers = 2 };
    pthread_t threads[4];

    CHECK_EQ(co_start(&config), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_create(&threads[i], NULL, spawn_and_join, NULL), 0);
    for (int i = 0; i < 4; i++)
        CHECK_EQ(pthread_join(threads[i], NULL), 0);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

/* ---- Idle means idle ------------------------------------------------------
 */

static void sleep_for_ever(void *arg)
{
    (void)arg;
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
}

static long switches(void)
{
    struct rusage usage;

    CHECK_EQ(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_nvcsw;
}

/* This thread sleeps three tenths of a second, which is one context switch, or
 * a few if it has to wait for the cpu; the schedulers make none. */
static void idle(void)
{
    struct co_config config = { .schedulers = 4 };
    struct co *all[CROWD];
    long before;

    CHECK_EQ(co_start(&config), 0);
    for (int i = 0; i < CROWD; i++)
        all[i] = spawn_on(CO_ANY, sleep_for_ever, NULL);
    test_sleep_ms(300); /* what has ended is tidied up */
    before = switches();
    test_sleep_ms(300);
    CHECK(switches() - before <= 10);
    for (int i = 0; i < CROWD; i++) {
        co_cancel(all[i]);
        join(all[i]);
    }
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

int main(void)
{
    RUN(nobody_starves);
    RUN(started_ones_stay);
    RUN(any_spreads);
    RUN(plain_threads_spawn);
    if (!under_storm())
        RUN(idle);
    return 0;
}
