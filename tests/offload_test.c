/* offload_test.c - the pool of threads for blocking work.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/co.h"
#include "tests/test.h"
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { BOUND = 4, MANY = 100 };

static void run(co_fn *fn, unsigned threads)
{
    struct co_config config = { .schedulers = 2, .offload_threads = threads };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

/* Runs `count` coroutines of fn and waits for them. */
static void crowd(co_fn *fn, int count)
{
    struct co *all[MANY];

    CHECK(count <= MANY);
    for (int i = 0; i < count; i++) {
        all[i] = co_spawn(fn, (void *)(intptr_t)i, NULL);
        CHECK(all[i] != NULL);
    }
    for (int i = 0; i < count; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
}

static long count_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    long n = 0;

    CHECK(dir != NULL);
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    CHECK_EQ(closedir(dir), 0);
    return n;
}

/* ---- No thread to be had ---------------------------------------------------
 */

static void no_op(void *arg) { *(bool *)arg = true; }

static void root_no_thread(void *arg)
{
    struct rlimit old, none;
    bool done = false;

    (void)arg;
    CHECK_EQ(getrlimit(RLIMIT_AS, &old), 0);
    none = old;
    none.rlim_cur = 1 << 20; /* less than what is mapped */
    CHECK_EQ(setrlimit(RLIMIT_AS, &none), 0);
    CHECK(co_offload(no_op, &done) == -1 && errno == EAGAIN && !done);
    CHECK_EQ(setrlimit(RLIMIT_AS, &old), 0);
    CHECK_EQ(co_offload(no_op, &done), 0);
    CHECK(done);
}

/* First, while the C library has no thread's stack to use again. */
static void no_thread(void)
{
#if !defined(CO_ASAN) && !defined(CO_TSAN) /* they map memory for themselves   \
                                            */
    struct co_config config = { .schedulers = 1 };
    if (!under_valgrind())
        CHECK_EQ(co_run(root_no_thread, NULL, &config), 0);
#else
    (void)root_no_thread;
#endif
}

/* ---- Results --------------------------------------------------------------
 */

struct square {
    long n, result;
    pthread_t thread;
};

static void compute(void *arg)
{
    struct square *s = arg;

    s->result = s->n * s->n;
    s->thread = pthread_self();
    CHECK(co_self() == NULL);
}

static void squares(void *arg)
{
    long rounds = test_count(1000);

    for (long i = 0; i < rounds; i++) {
        struct square s = { .n = (intptr_t)arg * rounds + i };

        errno = 5;
        CHECK_EQ(i % 8 != 0 ? co_offload(compute, &s)
                            : co_offload_lookup(compute, &s),
                 0);
        CHECK_EQ(errno, 5); /* the coroutine's own */
        CHECK_EQ(s.result, s.n * s.n);
        CHECK(!pthread_equal(s.thread, pthread_self()));
    }
}

static void root_many(void *arg)
{
    (void)arg;
    crowd(squares, MANY);
}

static void many_at_once(void) { run(root_many, 0); }

/* ---- Bounds ---------------------------------------------------------------
 */

static pthread_barrier_t barrier;

static void meet(void *arg)
{
    (void)arg;
    (void)pthread_barrier_wait(&barrier);
}

static void offload_meet(void *arg) { CHECK_EQ(co_offload(meet, arg), 0); }

/* Each round needs all threads at once, whether they must still be made or wait
 * already for work. */
static void root_grows(void *arg)
{
    long rounds = test_count(10000);

    (void)arg;
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, BOUND), 0);
    for (long i = 0; i < rounds; i++)
        crowd(offload_meet, BOUND);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

static void grows_to_its_bound(void) { run(root_grows, BOUND); }

static atomic_int inside, most_inside;

static void count_inside(void *arg)
{
    int n = atomic_fetch_add(&inside, 1) + 1;
    int most = atomic_load(&most_inside);

    (void)arg;
    while (n > most && !atomic_compare_exchange_weak(&most_inside, &most, n))
        continue;
    (void)sched_yield(); /* so that others come in if they may */
    atomic_fetch_sub(&inside, 1);
}

static void offload_count(void *arg)
{
    for (int i = 0; i < 20; i++)
        CHECK_EQ(co_offload(count_inside, arg), 0);
}

static void root_bound(void *arg)
{
    (void)arg;
    crowd(offload_count, MANY);
    CHECK(most_inside >= 1 && most_inside <= BOUND);
}

static void no_more_than_its_bound(void) { run(root_bound, BOUND); }

/* ---- Look-ups -------------------------------------------------------------
 */

enum { LOOKUP_THREADS = 8, LOOKUPS = 5, OTHERS = 6 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stuck, most_stuck;

static void dead_lookup(void *arg)
{
    int n = atomic_fetch_add(&stuck, 1) + 1;

    (void)arg;
    if (n > atomic_load(&most_stuck))
        atomic_store(&most_stuck, n);
    (void)pthread_mutex_lock(&gate); /* until the test opens it */
    atomic_fetch_sub(&stuck, 1);
    (void)pthread_mutex_unlock(&gate);
}

static void look_up(void *arg)
{
    CHECK_EQ(co_offload_lookup(dead_lookup, arg), 0);
}

static void root_lookups(void *arg)
{
    struct co *all[LOOKUPS];

    (void)arg;
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, OTHERS), 0);
    (void)pthread_mutex_lock(&gate);
    for (int i = 0; i < LOOKUPS; i++) {
        all[i] = co_spawn(look_up, NULL, NULL);
        CHECK(all[i] != NULL);
    }
    co_yield_now();
    crowd(offload_meet, OTHERS); /* six of the eight are free */
    (void)pthread_mutex_unlock(&gate);
    for (int i = 0; i < LOOKUPS; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
    CHECK_EQ(most_stuck, LOOKUP_THREADS / 4);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
}

/* On one scheduler: the mutex is unlocked by who locked it. */
static void lookups_leave_room(void)
{
    struct co_config config = { .schedulers = 1,
                                .offload_threads = LOOKUP_THREADS };

    CHECK_EQ(co_run(root_lookups, NULL, &config), 0);
}

/* ---- Odd ends -------------------------------------------------------------
 */

static void leave(void *arg)
{
    *(bool *)arg = true;
    pthread_exit(NULL);
}

static void root_exits(void *arg)
{
    long rounds = test_count(1000);

    (void)arg;
    for (long i = 0; i < rounds; i++) {
        bool done = false;

        CHECK_EQ(co_offload(i % 2 ? leave : no_op, &done), 0);
        CHECK(done);
    }
}

static void pthread_exit_in_fn(void) { run(root_exits, BOUND); }

/* In both queues; most of those that come after are queued when it happens. */
static void leave_often(void *arg)
{
    intptr_t number = (intptr_t)arg;

    for (intptr_t i = 0; i < 8; i++) {
        co_fn *fn = (number + i) % 3 == 0 ? no_op : leave;
        bool done = false;

        if ((number + i) % 2 == 0)
            CHECK_EQ(co_offload(fn, &done), 0);
        else
            CHECK_EQ(co_offload_lookup(fn, &done), 0);
        CHECK(done);
    }
}

static void root_all_leave(void *arg)
{
    bool done = false;

    (void)arg;
    crowd(leave_often, MANY);
    CHECK_EQ(co_offload_lookup(no_op, &done), 0); /* the place is free again */
    CHECK(done);
}

/* With a bound of one, each that leaves is the last. */
static void pthread_exit_of_many(void)
{
    for (unsigned threads = 1; threads <= 2 * BOUND; threads *= 2)
        for (long i = test_count(50); i > 0; i--)
            run(root_all_leave, threads);
}

static void offload_cancelled(void *arg)
{
    bool done = false;

    co_cancel(co_self());
    CHECK_EQ(co_offload(no_op, &done), 0); /* fn uses arg: no way out */
    CHECK(done && co_cancelled());
    (void)arg;
}

static void root_cancelled(void *arg)
{
    (void)arg;
    crowd(offload_cancelled, 1);
}

static void cancel_waits(void) { run(root_cancelled, 0); }

static void *plain(void *arg)
{
    struct square s = { .n = 7 };

    CHECK_EQ(co_offload(compute, &s), 0);
    CHECK(s.result == 49 && pthread_equal(s.thread, pthread_self()));
    return arg;
}

static void plain_thread_runs_inline(void)
{
    pthread_t thread;

    CHECK_EQ(pthread_create(&thread, NULL, plain, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

/* Takes eleven seconds: only when all counts are full. */
static void root_idle(void *arg)
{
    long before = count_threads(), now;
    int64_t end;

    (void)arg;
    CHECK_EQ(pthread_barrier_init(&barrier, NULL, BOUND), 0);
    crowd(offload_meet, BOUND);
    CHECK_EQ(pthread_barrier_destroy(&barrier), 0);
    CHECK_EQ(count_threads(), before + BOUND);
    end = co_after(100 * CO_SECOND);
    while ((now = count_threads()) > before && co_now() < end)
        CHECK_EQ(co_sleep_until(co_after(100 * CO_MSEC)), 0);
    CHECK_EQ(now, before);
    crowd(offload_count, BOUND);
}

static void idle_threads_end(void)
{
    if (test_count(100) >= 100)
        run(root_idle, BOUND);
    else
        fprintf(stderr, "    only with --full: it takes ten seconds\n");
}

int main(void)
{
    RUN(no_thread);
    RUN(many_at_once);
    RUN(grows_to_its_bound);
    RUN(no_more_than_its_bound);
    RUN(lookups_leave_room);
    RUN(pthread_exit_in_fn);
    RUN(pthread_exit_of_many);
    RUN(cancel_waits);
    RUN(plain_thread_runs_inline);
    RUN(idle_threads_end);
    return 0;
}
