/* runtime_test.c - start, stop, signals, and what is left afterwards.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/co.h"
#include "tests/test.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Children of fork() start threads here. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

static void nothing(void *arg) { (void)arg; }

/* ---- co_run ---------------------------------------------------------------
 */

static void root_thread(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    CHECK(co_self() != NULL && strcmp(co_name(co_self()), "root") == 0);
    CHECK(co_sched_self() == co_sched_at(0));
    CHECK(co_run(nothing, NULL, NULL) == -1 && errno == EALREADY);
}

static void runs_on_the_caller(void)
{
    pthread_t thread;

    memset(&thread, 0, sizeof thread);
    CHECK_EQ(co_run(root_thread, &thread, NULL), 0);
    CHECK(pthread_equal(thread, pthread_self()));
    CHECK(co_self() == NULL && co_id() == 0 && co_sched_self() == NULL);
}

static void refuses_bad_configs(void)
{
    struct co_config bad[] = {
        { .schedulers = 257 },   { .stack_size = 1 },
        { .stack_size = 65536 }, { .grace = -1 },
        { .timer_slack = -1 },   { .offload_threads = ~0u },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(co_run(nothing, NULL, &bad[i]) == -1 && errno == EINVAL);
        CHECK(co_start(&bad[i]) == -1 && errno == EINVAL);
    }
    CHECK_EQ(co_run(nothing, NULL, NULL), 0);
}

static void nothing_without_it(void)
{
    CHECK(co_spawn(nothing, NULL, NULL) == NULL && errno == ESHUTDOWN);
    CHECK(co_go(nothing, NULL) == -1 && errno == ESHUTDOWN);
    CHECK(co_shutdown(CO_FOREVER) == -1 && errno == ESHUTDOWN);
    CHECK(co_sched_at(0) == NULL && co_sched_idlest() == NULL);
    co_stop(); /* does nothing */
}

static void root_counts(void *arg)
{
    unsigned n = 0;

    while (co_sched_at(n) != NULL)
        n++;
    *(unsigned *)arg = n;
}

static void makes_schedulers(void)
{
    static const unsigned counts[] = { 1, 2, 7, 256 };

    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct co_config config = { .schedulers = counts[i] };
        unsigned n = 0;

        if (counts[i] > 100 && under_valgrind())
            continue; /* it has fewer threads to give */
        CHECK_EQ(co_run(root_counts, &n, &config), 0);
        CHECK_EQ(n, counts[i]);
    }
}

static void root_limit(void *arg)
{
    struct co *all[9];

    (void)arg;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 9; i++) {
            struct co_attr attr = { .on = i % 2 ? CO_ANY : NULL };

            all[i] = co_spawn(nothing, NULL, &attr);
            CHECK(all[i] != NULL); /* with the root: ten */
        }
        if (round == 0) {
            /* None of those born here has run; the others may have. */
            for (int i = 0; i < 5; i++)
                (void)co_spawn(nothing, NULL, NULL);
            CHECK(co_spawn(nothing, NULL, NULL) == NULL && errno == EAGAIN);
            CHECK(co_go(nothing, NULL) == -1 && errno == EAGAIN);
        }
        for (int i = 0; i < 9; i++)
            CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
        while (round == 0 && co_spawn(nothing, NULL, NULL) == NULL)
            co_yield_now();
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    }
}

static void limits_coroutines(void)
{
    struct co_config config = { .schedulers = 2, .max_coroutines = 10 };

    CHECK_EQ(co_run(root_limit, NULL, &config), 0);
}

/* ---- The end --------------------------------------------------------------
 */

static atomic_int unwound;

static void late_one(void *arg)
{
    (void)arg;
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    atomic_fetch_add(&unwound, 1);
}

static void sleep_for_ever(void *arg)
{
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ECANCELED);
    CHECK(co_cancelled());
    CHECK_EQ(co_go(late_one, arg), 0); /* still possible */
    atomic_fetch_add(&unwound, 1);
}

static void root_leaves(void *arg)
{
    for (int i = 0; i < 100; i++) {
        struct co_attr attr = { .on = CO_ANY,
                                .stack_size = i % 2 ? 100000 : 0 };

        CHECK(co_spawn(sleep_for_ever, arg, &attr) != NULL);
        if (i % 10 == 0)
            co_yield_now(); /* some have begun to wait, some have not */
    }
}

static void cancels_what_is_left(void)
{
    struct co_config config = { .schedulers = 3 };

    CHECK_EQ(co_run(root_leaves, NULL, &config), 0);
    CHECK_EQ(unwound, 200);
}

static void stubborn(void *arg)
{
    bool yields = arg != NULL;

    (void)co_hold_cancel(true);
    while (yields)
        co_yield_now();
    (void)co_sleep_until(CO_FOREVER);
}

static void root_stubborn(void *arg)
{
    CHECK_EQ(co_go(stubborn, arg), 0);
    co_yield_now();
}

/* In children: after it the runtime is not to be used any more. */
static void grace_passes(void)
{
    struct co_config config = { .schedulers = 2, .grace = 10 * CO_MSEC };

    for (intptr_t yields = 0; yields < 2; yields++) {
        pid_t child = test_fork();
        int status;

        CHECK(child >= 0);
        if (child == 0) {
            CHECK(co_run(root_stubborn, (void *)yields, &config) == -1);
            CHECK_EQ(errno, ETIMEDOUT);
            CHECK(co_run(nothing, NULL, NULL) == -1 && errno == EALREADY);
            _exit(42);
        }
        CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
    }
}

/* ---- co_stop --------------------------------------------------------------
 */

static atomic_bool stopper_ends;

static void *stop_and_stop(void *arg)
{
    while (!stopper_ends)
        co_stop();
    return arg;
}

/* Before the root has started, while it runs, when it has ended. */
static void stops_at_any_time(void)
{
    struct co_config config = { .schedulers = 2 };
    long rounds = test_count(under_valgrind() ? 200 : 1000);
    pthread_t thread;

    stopper_ends = false;
    unwound = 0;
    CHECK_EQ(pthread_create(&thread, NULL, stop_and_stop, NULL), 0);
    for (long i = 0; i < rounds; i++)
        CHECK_EQ(co_run(sleep_for_ever, NULL, &config), 0);
    stopper_ends = true;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(unwound, 2 * rounds);
}

static void stop(void *arg)
{
    (void)arg;
    co_stop();
}

static void root_stops_itself(void *arg)
{
    struct co_attr attr = { .on = co_sched_at(1) };

    CHECK(co_spawn(stop, NULL, &attr) != NULL);
    sleep_for_ever(arg);
}

static void stops_from_a_coroutine(void)
{
    struct co_config config = { .schedulers = 2 };

    CHECK_EQ(co_run(root_stops_itself, NULL, &config), 0);
}

/* ---- Signals --------------------------------------------------------------
 */

static int ends[2]; /* a child says that it is ready, with one byte */

static void root_serves(void *arg)
{
    CHECK_EQ(write(ends[1], "", 1), 1);
    sleep_for_ever(arg);
}

static void root_deaf(void *arg)
{
    (void)co_hold_cancel(true);
    CHECK_EQ(write(ends[1], "", 1), 1);
    while (!co_cancelled())
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(write(ends[1], "", 1), 1);
    (void)co_sleep_until(CO_FOREVER);
    (void)arg;
}

/* The exit status of a child that runs fn and gets sig count times. */
static int signalled(co_fn *fn, int sig, int count,
                     const struct co_config *config)
{
    int status;
    pid_t child;
    char byte;

    CHECK_EQ(pipe(ends), 0);
    child = test_fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(co_run(fn, NULL, config) == 0 ? 0 : 1);
    for (int i = 0; i < count; i++) {
        CHECK_EQ(TEMP_FAILURE_RETRY(read(ends[0], &byte, 1)), 1);
        CHECK_EQ(kill(child, sig), 0);
    }
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(child, &status, 0)), child);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return status;
}

static void own_handler(int sig) { _exit(sig); }

static void signals_stop(void)
{
    struct co_config config = { .schedulers = 2 }, keep = config;
    int status;

    keep.keep_signals = true;
    CHECK_EQ(signalled(root_serves, SIGTERM, 1, &config), 0);
    CHECK_EQ(signalled(root_serves, SIGINT, 1, &config), 0);

    status = signalled(root_deaf, SIGTERM, 2, &config);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    status = signalled(root_deaf, SIGINT, 2, &config);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);

    status = signalled(root_serves, SIGTERM, 1, &keep);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK(signal(SIGTERM, own_handler) == SIG_DFL);
    status = signalled(root_serves, SIGTERM, 1, &config);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == SIGTERM);
    CHECK(signal(SIGTERM, SIG_DFL) == own_handler);
    CHECK(signal(SIGINT, SIG_DFL) == SIG_DFL); /* given back */
}

/* ---- co_start and co_shutdown ---------------------------------------------
 */

static atomic_bool let_go;

static void holds_out(void *arg)
{
    (void)arg;
    (void)co_hold_cancel(true);
    while (!let_go)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK(co_cancelled());
}

static void starts_and_shuts_down(void)
{
    struct co_config config = { .schedulers = 2 };
    struct co *co;

    let_go = false;
    CHECK_EQ(co_start(&config), 0);
    CHECK(co_start(&config) == -1 && errno == EALREADY);
    CHECK(co_run(nothing, NULL, NULL) == -1 && errno == EALREADY);
    co = co_spawn(nothing, NULL, NULL);
    CHECK(co != NULL);
    CHECK_EQ(co_join(co, CO_FOREVER), 0); /* this thread waits */
    CHECK_EQ(co_go(holds_out, NULL), 0);
    CHECK(co_shutdown(CO_NOWAIT) == -1 && errno == ETIMEDOUT);
    CHECK(co_shutdown(co_after(10 * CO_MSEC)) == -1 && errno == ETIMEDOUT);
    CHECK(co_sched_at(1) != NULL); /* still up */
    let_go = true;
    CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    CHECK(co_sched_at(0) == NULL);
    CHECK(co_shutdown(CO_FOREVER) == -1 && errno == ESHUTDOWN);
}

/* ---- Nothing stays --------------------------------------------------------
 */

static long count_entries(const char *path)
{
    DIR *dir = opendir(path);
    long n = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    CHECK_EQ(closedir(dir), 0);
    return n;
}

static long count_maps(void)
{
    FILE *f = fopen("/proc/self/maps", "r");
    long lines = 0;
    int c;

    CHECK(f != NULL);
    while ((c = getc(f)) != EOF)
        lines += c == '\n';
    CHECK_EQ(fclose(f), 0);
    return lines;
}

static void sleep_a_little(void *arg)
{
    (void)arg;
    (void)co_sleep_until(co_after(CO_USEC));
}

static void root_works(void *arg)
{
    for (int i = 0; i < 20; i++) {
        struct co_attr attr = { .on = CO_ANY, .stack_size = 100000 * (i % 3) };

        CHECK(co_spawn(sleep_a_little, arg, i % 2 ? &attr : NULL) != NULL);
    }
    CHECK_EQ(co_offload(nothing, NULL), 0);
}

static void cycle(long rounds)
{
    struct co_config config = { .schedulers = 3 };

    for (long i = 0; i < rounds; i++) {
        CHECK_EQ(co_run(root_works, NULL, &config), 0);
        CHECK_EQ(co_start(&config), 0);
        CHECK_EQ(co_go(root_works, NULL), 0);
        CHECK_EQ(co_shutdown(CO_FOREVER), 0);
    }
}

static void leaks_nothing(void)
{
    long fds, maps;

    cycle(under_valgrind()
              ? 1
              : 5); /* what the C library keeps for ever: stacks, arenas */
    fds = count_entries("/proc/self/fd");
    maps = count_maps();
    cycle(test_count(under_valgrind() ? 50 : 200));
    CHECK_EQ(count_entries("/proc/self/fd"), fds);
#if !defined(CO_ASAN) && !defined(CO_TSAN) /* they map as they like */
    CHECK(count_maps() <= maps + 16);
#else
    (void)maps;
#endif
}

static void out_of_descriptors(void)
{
    struct co_config config = { .schedulers = 2 };
    long before = count_entries("/proc/self/fd");
    struct rlimit old, few;
    int r = -1;

    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    for (few = old, few.rlim_cur = 3; r < 0; few.rlim_cur++) {
        CHECK(few.rlim_cur < 100);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
        r = co_run(nothing, NULL, &config);
        CHECK(r == 0 || errno == EMFILE);
        if (r < 0)
            CHECK(co_start(&config) == -1 && errno == EMFILE);
    }
    CHECK(few.rlim_cur > 6); /* it failed at least once */
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    CHECK_EQ(count_entries("/proc/self/fd"), before);
}

int main(void)
{
    RUN(runs_on_the_caller);
    RUN(refuses_bad_configs);
    RUN(nothing_without_it);
    RUN(makes_schedulers);
    RUN(limits_coroutines);
    RUN(cancels_what_is_left);
    RUN(grace_passes);
    RUN(stops_at_any_time);
    RUN(stops_from_a_coroutine);
    RUN(signals_stop);
    RUN(starts_and_shuts_down);
    RUN(leaks_nothing);
    RUN(out_of_descriptors);
    return 0;
}
