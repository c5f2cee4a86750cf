/* coro_test.c - coroutines: spawned, run, joined, cancelled.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/co.h"
#include "co/core.h"
#include "tests/test.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/* Stacks that end on another scheduler fill its cache, and then come back: more
 * than that are lost.  Only the full counts go beyond. */
enum { CROWD = 1000, MOST_STACKS = STACK_CACHE + 3000 };

static void nothing(void *arg) { (void)arg; }

static void run(co_fn *fn, unsigned schedulers)
{
    struct co_config config = { .schedulers = schedulers };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

static struct co *spawn_on(unsigned i, co_fn *fn, void *arg)
{
    struct co_attr attr = { .on = co_sched_at(i) };
    struct co *co = co_spawn(fn, arg, &attr);

    CHECK(co != NULL);
    return co;
}

static void join(struct co *co) { CHECK_EQ(co_join(co, CO_FOREVER), 0); }

/* ---- Taking turns ---------------------------------------------------------
 */

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
    join(a);
    join(b);
    CHECK_EQ(steps, 6);
    for (int i = 0; i < 6; i++)
        CHECK_EQ(order[i], i % 2 + 1);
}

static void yields(void) { run(root_yields, 1); }

static void keep_errno(void *arg)
{
    int mine = (int)(intptr_t)arg;

    CHECK_EQ(errno, 0);
    for (int i = 0; i < 20; i++) {
        errno = mine + i;
        if (i % 5 == 4)
            CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
        else
            co_yield_now();
        if (i % 5 != 4)
            CHECK_EQ(errno, mine + i);
    }
}

static void root_errno(void *arg)
{
    struct co *all[100];

    (void)arg;
    for (int i = 0; i < 100; i++)
        all[i] =
            spawn_on((unsigned)i % 2, keep_errno, (void *)(intptr_t)(1000 * i));
    for (int i = 0; i < 100; i++)
        join(all[i]);
}

static void errno_survives(void) { run(root_errno, 2); }

/* ---- The handle -----------------------------------------------------------
 */

static void sleep_for_ever(void *arg)
{
    (void)arg;
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
}

static void join_cancelled(void *arg)
{
    CHECK(co_join(arg, CO_FOREVER) == -1 && errno == ECANCELED);
}

static void root_joins(void *arg)
{
    struct co *ended = co_spawn(nothing, NULL, NULL);
    struct co *sleeper = co_spawn(sleep_for_ever, NULL, NULL), *joiner;

    (void)arg;
    CHECK(ended != NULL && sleeper != NULL);
    co_yield_now();
    CHECK_EQ(co_join(ended, CO_NOWAIT), 0);
    CHECK(co_join(sleeper, CO_NOWAIT) == -1 && errno == ETIMEDOUT);
    CHECK(co_join(sleeper, co_after(CO_MSEC)) == -1 && errno == ETIMEDOUT);
    CHECK(co_join(co_self(), CO_FOREVER) == -1 && errno == EDEADLK);

    joiner = co_spawn(join_cancelled, sleeper, NULL);
    CHECK(joiner != NULL);
    co_yield_now();
    co_cancel(joiner);
    join(joiner);
    co_cancel(sleeper); /* still ours */
    join(sleeper);
}

static void joins(void) { run(root_joins, 1); }

static void root_detaches(void *arg)
{
    long rounds = test_count(50000);

    (void)arg;
    for (long i = 0; i < rounds; i++) {
        struct co *early = spawn_on(i % 2, nothing, NULL);
        struct co *late = spawn_on(i % 2, nothing, NULL);

        co_detach(early);
        co_yield_now();
        co_detach(late);
    }
    CHECK(stack_count() < MOST_STACKS);
}

static void detaches(void) { run(root_detaches, 2); }

/* On a stack of its own size each: those are put back by another way. */
static void root_odd_stacks(void *arg)
{
    struct co_attr attr = { .stack_size = 300000 };

    (void)arg;
    for (int round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++) {
            struct co *co = co_spawn(nothing, NULL, &attr);

            CHECK(co != NULL);
            co_detach(co);
        }
        co_yield_now();
    }
    CHECK(stack_bytes_mapped() < 500 * 1048576L);
}

static void odd_stacks_are_used_again(void) { run(root_odd_stacks, 1); }

static void root_names(void *arg)
{
    struct co_attr attr = { .name = "bob" };
    struct co *bob = co_spawn(nothing, NULL, &attr), *no_name;
    int here = __LINE__ - 1, line;

    (void)arg;
    no_name = co_spawn(nothing, NULL, NULL);
    CHECK(bob != NULL && no_name != NULL);
    CHECK(strcmp(co_name(bob), "bob") == 0);
    CHECK(strcmp(co_name(no_name), "") == 0);
    CHECK(strcmp(co_born(bob, &line), __FILE__) == 0);
    CHECK_EQ(line, here);
    CHECK(co_born(bob, NULL) != NULL);
    CHECK_EQ(co_id_of(no_name), co_id_of(bob) + 1);
    CHECK(co_id() != 0 && co_id() == co_id_of(co_self()));
    join(bob);
    join(no_name);
}

static void names_and_birthplaces(void) { run(root_names, 1); }

static uint64_t ids[3 * CROWD];

static void spawn_crowd(void *arg)
{
    uint64_t *mine = arg;

    for (int i = 0; i < CROWD; i++) {
        struct co *co = co_spawn(nothing, NULL, NULL);

        CHECK(co != NULL);
        mine[i] = co_id_of(co);
        join(co);
    }
}

static void *spawn_crowd_thread(void *arg)
{
    spawn_crowd(arg);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Two schedulers and a plain thread spawn at the same time. */
static void ids_are_unique(void)
{
    struct co_config config = { .schedulers = 2 };
    pthread_t thread;
    struct co *a, *b;

    CHECK_EQ(co_start(&config), 0);
    a = spawn_on(0, spawn_crowd, ids);
    b = spawn_on(1, spawn_crowd, ids + CROWD);
    CHECK_EQ(pthread_create(&thread, NULL, spawn_crowd_thread, ids + 2 * CROWD),
             0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    join(a);
    join(b);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    qsort(ids, 3 * CROWD, sizeof ids[0], compare);
    CHECK(ids[0] != 0);
    for (int i = 1; i < 3 * CROWD; i++)
        CHECK(ids[i] != ids[i - 1]);
}

/* ---- Cancel ---------------------------------------------------------------
 */

static void is_cancelled(void *arg)
{
    bool old;

    CHECK(!co_cancelled());
    co_cancel(co_self());
    CHECK(co_cancelled());
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    CHECK(co_sleep_until(CO_NOWAIT) == -1 && errno == ECANCELED); /* sticky */
    old = co_hold_cancel(true);
    CHECK(!old && co_cancelled());
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK(co_hold_cancel(true)); /* within a holder */
    CHECK(co_hold_cancel(true));
    CHECK(co_hold_cancel(old));
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    (void)arg;
}

/* Cancelled while it waits and holds: the wait goes on. */
static void holds(void *arg)
{
    int64_t end;

    (void)co_hold_cancel(true);
    do { /* mostly once: the cancel comes after some 1 ms */
        end = co_after(5 * CO_MSEC);
        CHECK_EQ(co_sleep_until(end), 0);
        CHECK(co_now() >= end);
    } while (!co_cancelled());
    (void)co_hold_cancel(false);
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    (void)arg;
}

static void not_cancelled(void *arg)
{
    (void)arg;
    CHECK(!co_cancelled());
    CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
}

static void root_cancels(void *arg)
{
    struct co *co;

    (void)arg;
    for (unsigned i = 0; i < 2; i++) {
        join(spawn_on(i, is_cancelled, NULL));
        co = spawn_on(i, holds, NULL);
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        co_cancel(co);
        join(co);
        join(spawn_on(i, not_cancelled, NULL)); /* on the same stack */
    }
}

static void cancels(void) { run(root_cancels, 2); }

static void sleep_and_look(void *arg)
{
    int64_t end = co_after((intptr_t)arg);

    if (co_sleep_until(end) == 0)
        CHECK(co_now() >= end);
    else
        CHECK_EQ(errno, ECANCELED);
}

/* Cancel meets birth, wait, time-out and end; the joiner, too, is of another
 * thread and frees what it joins. */
static void cancel_rounds(void)
{
    long rounds = test_count(100000);

    for (long i = 0; i < rounds; i++) {
        struct co *co = spawn_on(1, i % 4 ? sleep_and_look : nothing,
                                 (void *)(i % 64 * CO_USEC));

        for (long spin = 0; spin < i % 7 * 50; spin++)
            clock_gettime(CLOCK_MONOTONIC, &(struct timespec){ 0 });
        co_cancel(co);
        if (i % 2)
            co_cancel(co);
        join(co);
    }
}

static void root_races(void *arg)
{
    (void)arg;
    cancel_rounds();
    CHECK(stack_count() < MOST_STACKS);
}

static void cancel_races(void) { run(root_races, 2); }

static void cancel_races_from_a_thread(void)
{
    struct co_config config = { .schedulers = 2 };

    CHECK_EQ(co_start(&config), 0);
    cancel_rounds();
    CHECK(stack_count() < MOST_STACKS);
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
}

/* ---- Stacks ---------------------------------------------------------------
 */

enum { DEEP = 150 * 1024, PAGE = 4096 };

static char *deep_low;

static void go_deep(void *arg)
{
    volatile char frame[DEEP];

    (void)arg;
    for (int i = 0; i < DEEP; i += 512)
        frame[i] = 1;
    deep_low = co_self()->stack.low;
    CHECK_EQ(frame[512], 1);
}

static long resident(char *low, size_t bytes)
{
    unsigned char vec[DEEP / PAGE];
    long n = 0;

    CHECK_EQ(mincore(low, bytes, vec), 0);
    for (size_t i = 0; i < bytes / PAGE; i++)
        n += vec[i] & 1;
    return n;
}

static void root_deep(void *arg)
{
    int64_t end = co_after(10 * CO_SECOND);
    size_t bytes = 64 * 1024; /* of 192 or so: all of them touched */
    char *middle;

    (void)arg;
    join(spawn_on(0, go_deep, NULL));
    middle = deep_low + 80 * 1024;
    CHECK(resident(middle, bytes) > 8);
    while (resident(middle, bytes) > 0 && co_now() < end)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(resident(middle, bytes), 0);
}

static void deep_ones_give_pages_back(void)
{
    if (sysconf(_SC_PAGESIZE) == PAGE)
        run(root_deep, 1);
}

static void use_a_megabyte(void *arg)
{
    volatile char frame[1 << 20];

    for (size_t i = 0; i < sizeof frame; i += 1024)
        frame[i] = 1;
    *(char *)arg = frame[1024];
}

static void root_sizes(void *arg)
{
    struct co_attr small = { .stack_size = 70000 };
    struct co_attr large = { .stack_size = (1 << 20) + 200 * 1024 };
    char done = 0;
    struct co *co;

    (void)arg;
    CHECK(co_spawn(nothing, NULL, &small) == NULL && errno == EINVAL);
    co = co_spawn(use_a_megabyte, &done, &large);
    CHECK(co != NULL);
    join(co);
    CHECK_EQ(done, 1);
}

static void sizes_of_stacks(void) { run(root_sizes, 1); }

static void root_runs_out(void *arg)
{
    enum { MOST = 100000 };
    static struct co *all[MOST];
    struct rlimit old, few;
    long n = 0;

    (void)arg;
    CHECK_EQ(getrlimit(RLIMIT_AS, &old), 0);
    few = old;
    few.rlim_cur = 1 << 20; /* less than what is mapped */
    CHECK_EQ(setrlimit(RLIMIT_AS, &few), 0);
    while (n < MOST && (all[n] = co_spawn(nothing, NULL, NULL)) != NULL)
        n++;
    CHECK(n < MOST && errno == ENOMEM);
    CHECK(strlen(co_spawn_why()) > 0);
    CHECK_EQ(setrlimit(RLIMIT_AS, &old), 0);
    while (n > 0)
        join(all[--n]);
    join(spawn_on(0, nothing, NULL)); /* and goes on */
}

static void runs_out_of_stacks(void)
{
#if !defined(CO_ASAN) && !defined(CO_TSAN) /* they map memory for themselves   \
                                            */
    if (!under_valgrind())
        run(root_runs_out, 1);
#else
    (void)root_runs_out;
#endif
}

int main(void)
{
    RUN(yields);
    RUN(errno_survives);
    RUN(joins);
    RUN(detaches);
    RUN(odd_stacks_are_used_again);
    RUN(names_and_birthplaces);
    RUN(ids_are_unique);
    RUN(cancels);
    RUN(cancel_races);
    RUN(cancel_races_from_a_thread);
    RUN(deep_ones_give_pages_back);
    RUN(sizes_of_stacks);
    RUN(runs_out_of_stacks);
    return 0;
}
