/* overflow_busy_test.c - a coroutine runs off its stack while everybody else is
 * at work: other schedulers switch, allocate and write to the stream that the
 * report goes to.  It names the coroutine, and nothing deadlocks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/core.h"
#include "tests/child.h"
#include <pthread.h>
#include <sys/resource.h>

/* Sanitizers would take the signal, and keep local arrays elsewhere. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);
const char *__asan_default_options(void)
{
    return "handle_segv=0:handle_sigbus=0:detect_stack_use_after_return=0";
}
const char *__tsan_default_options(void) { return "handle_segv=0"; }

enum { SCHEDULERS = 3, WORKERS = 10, THREADS = 2, MEETINGS = 200 };

/* ---- Others
 * ------------------------------------------------------------------- */

static struct co_chan *chan;
static atomic_int met;

/* Holds the locks of the heap and of the stream most of the time. */
static void make_noise(int n)
{
    void *p = malloc((size_t)(n % 100) * 1000 + 1);

    CHECK(p != NULL);
    memset(p, 1, (size_t)(n % 100) * 1000 + 1);
    fprintf(stderr, "noise %d\n", n);
    free(p);
}

static void work(void *arg)
{
    for (int n = 0;; n++) {
        int got = n;

        make_noise(n);
        if ((intptr_t)arg % 2 ? co_chan_send(chan, &n, CO_FOREVER) < 0
                              : co_chan_recv(chan, &got, CO_FOREVER) < 0)
            break;
        met++;
        co_yield_now();
    }
}

static void *work_on_thread(void *arg)
{
    for (int n = 0;; n++)
        make_noise(n);
    return arg;
}

/* ---- Whose stack is too small
 * ------------------------------------------------- */

static volatile int depth_left = 1 << 20;
static volatile char *volatile escaped; /* keeps arrays whole */

static void overflow(void *arg)
{
    volatile char frame[2000];

    escaped = frame;
    if (depth_left-- > 0)
        overflow(arg);
    frame[sizeof frame - 1] = 1;
    escaped = NULL;
}

/* A system call finds the guard, not the cpu. */
static void overflow_in_call(void *arg)
{
    char *buf = co_self()->stack.low - 10;
    int ends[2];

    (void)arg;
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "hello", 5), 5);
    (void)co_read(ends[0], buf, 100, CO_FOREVER);
    exit(3); /* came back */
}

static co_fn *how;
static unsigned gluttons = 1;

static void glutton(void *arg)
{
    while (met < MEETINGS) /* all are at work now */
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    hold_storm();
    how(arg);
}

static void root(void *arg)
{
    (void)arg;
    CHECK((chan = co_chan_new(sizeof(int), 1)) != NULL);
    for (intptr_t i = 0; i < WORKERS; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % SCHEDULERS) };

        CHECK(co_spawn(work, (void *)i, &attr) != NULL);
    }
    for (unsigned i = 0; i < gluttons; i++) {
        struct co_attr attr = { .name = "glutton", .on = co_sched_at(i) };

        CHECK(co_spawn(glutton, NULL, &attr) != NULL);
    }
    (void)co_sleep_until(CO_FOREVER);
}

static void child(void)
{
    struct co_config config = { .schedulers = SCHEDULERS };
    pthread_t thread;

    for (int i = 0; i < THREADS; i++)
        CHECK_EQ(pthread_create(&thread, NULL, work_on_thread, NULL), 0);
    CHECK_EQ(co_run(root, NULL, &config), 0);
}

static void check_report(void)
{
    check_said("corten: stack overflow in coroutine \"glutton\" (id ");
    check_said("overflow_busy_test.c:");
    check_said(" below the end of its stack of ");
    check_said("co_config.stack_size for all\n");
}

/* ---- The cases
 * ---------------------------------------------------------------- */

static void recursion(void)
{
    how = overflow;
    run_child(child);
    check_killed(SIGSEGV);
    check_report();
    CHECK_EQ(count("corten:"), 1);
}

static void system_call(void)
{
    how = overflow_in_call;
    run_child(child);
    check_killed(SIGSEGV);
    check_report();
    CHECK_EQ(count("corten:"), 1);
}

/* On all schedulers at once: each is reported whole, or dies before. */
static void all_at_once(void)
{
    how = overflow;
    gluttons = SCHEDULERS;
    run_child(child);
    gluttons = 1;
    check_killed(SIGSEGV);
    check_report();
    CHECK(count("corten:") <= SCHEDULERS);
}

/* The program's handler was there before ours, and gets its turn. */
static void last_words(int sig)
{
    static const char words[] = "the program's own handler\n";

    (void)!write(STDERR_FILENO, words, sizeof words - 1);
    _exit(sig);
}

static void child_below(void)
{
    struct sigaction act = { .sa_handler = last_words, .sa_flags = SA_ONSTACK };

    CHECK_EQ(sigaction(SIGSEGV, &act, NULL), 0);
    child();
}

static struct sigaction ours;

/* A host's, put over ours while all run, that calls what was there before. */
static void over_ours(int sig, siginfo_t *info, void *context)
{
    ours.sa_sigaction(sig, info, context);
}

static void put_over(void *arg)
{
    struct sigaction act = { .sa_sigaction = over_ours,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK };

    CHECK_EQ(sigaction(SIGSEGV, &act, &ours), 0);
    overflow(arg);
}

static void chained_handlers(void)
{
    how = overflow;
    run_child(child_below);
    check_exit(SIGSEGV);
    check_report();
    CHECK_EQ(count("the program's own handler\n"), 1);
    how = put_over;
    run_child(child);
    check_killed(SIGSEGV);
    check_report();
    run_child(child_below);
    check_exit(SIGSEGV);
    check_report();
    CHECK_EQ(count("the program's own handler\n"), 1);
}

int main(void)
{
    struct rlimit none = { 0, 0 };

    if (under_valgrind()) {
        fprintf(stderr, "skipped: valgrind reports the faults itself\n");
        return 77;
    }
    CHECK_EQ(setrlimit(RLIMIT_CORE, &none), 0);
    for (long i = test_count(50); i > 0; i--) {
        recursion();
        system_call();
        all_at_once();
        chained_handlers();
    }
    return 0;
}
