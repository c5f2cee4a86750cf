/* main.c - runs the scenarios: each in a process, each time with another call
 * made to fail.  See inject.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "tests/fault/inject.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <time.h>

enum {
    RUN_S = 20,      /* a run that takes longer hangs */
    SETTLES = 50000, /* looks, until what was told to end must have ended */
    RUNS_MAX = 5000,
};

/* Children of fork() start threads here. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void) { return "die_after_fork=0"; }

static const struct scenario *scenario;
static long stride = 1; /* every how many-th call is made to fail */

/* ---- What is left after a run
 * ------------------------------------------------ */

static int count_entries(const char *name)
{
    DIR *dir = opendir(name);
    int n = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

struct left {
    int fds, threads;
    long blocks, mapped;
};

static struct left look(void)
{
    return (struct left){ .fds = count_entries("/proc/self/fd"),
                          .threads = count_entries("/proc/self/task"),
                          .blocks = atomic_load(&inject_blocks),
                          .mapped = atomic_load(&inject_mapped) };
}

static bool same(const struct left *a, const struct left *b)
{
    return a->fds == b->fds && a->threads == b->threads &&
           a->blocks == b->blocks && a->mapped == b->mapped;
}

/* Detached threads end, and give back what is theirs, a little after they said
 * that they would. */
static void check_left(const struct left *before)
{
    struct timespec pause = { 0, 50000 };
    struct left now = look();

    for (int i = 0; i < SETTLES && !same(&now, before); i++) {
        (void)nanosleep(&pause, NULL);
        now = look();
    }
    if (same(&now, before))
        return;
    fprintf(stderr,
            "leaked: %d descriptors, %d threads, %ld blocks, %ld bytes "
            "mapped\n",
            now.fds - before->fds, now.threads - before->threads,
            now.blocks - before->blocks, now.mapped - before->mapped);
    exit(1);
}

/* ---- A scenario
 * -------------------------------------------------------------- */

static void *thread_main(void *arg)
{
    (void)arg;
    scenario->fn();
    return NULL;
}

/* Whether a call was made to fail. */
static bool run(long n, int variant)
{
    struct left before = look();
    pthread_t thread;

    (void)alarm(RUN_S * (under_valgrind() ? 5 : 1));
    inject_arm(n, variant);
    CHECK_EQ(pthread_create(&thread, NULL, thread_main, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    inject_disarm();
    check_left(&before);
    return inject_fired();
}

/* The n-th call fails, then none: it goes on as if nothing had been. */
static bool fail(long n, int variant)
{
    bool fired = run(n, variant);

    if (fired)
        CHECK(!run(0, 0));
    return fired;
}

static bool fail_afresh(long n, int variant)
{
    pid_t pid = test_fork();
    int status;

    CHECK(pid >= 0);
    if (pid == 0)
        _exit(fail(n, variant) ? 0 : 3);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (status != 0 && status != 3 << 8)
        exit(1);
    return status == 0;
}

static void run_all(void)
{
    bool (*once)(long, int) = scenario->fresh ? fail_afresh : fail;
    long runs = 0, fired;
    int variant = 0;

    if (!scenario->fresh) /* what is made once a process is no leak later */
        CHECK(!run(0, 0));
    do {
        fired = 0;
        for (long n = 1 + variant % stride; once(n, variant); n += stride) {
            fired++;
            CHECK(n < RUNS_MAX);
        }
        runs += fired;
        variant++;
    } while (fired > 0);
    fprintf(stderr, "%ld failures\n", runs);
}

static void on_alarm(int sig)
{
    static const char text[] = "hangs\n";

    (void)sig;
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    abort();
}

static void child(void)
{
    signal(SIGALRM, on_alarm);
    run_all();
    exit(0);
}

/* ---- All of them
 * --------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void tell_where(void)
{
    struct inject_site *s = atomic_load(&inject_shared->last);

    fprintf(stderr, "fault_test: in %s, last check in line %d, n = %ld: ",
            scenario->name, atomic_load(&inject_shared->scenario_line),
            atomic_load(&inject_shared->last_n));
    if (s == NULL) {
        fprintf(stderr, "nothing had been made to fail\n");
        return;
    }
    fprintf(stderr, "%s had failed with errno %d, called from\n",
            inject_names[atomic_load(&s->call) - 1],
            atomic_load(&inject_shared->last_errno));
    report_place(atomic_load(&s->caller));
}

static bool run_scenario(const struct scenario *s)
{
    int64_t start = now_ms();
    int status;
    pid_t pid;

    scenario = s;
    fprintf(stderr, "  %-20s ", s->name);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child();
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (status == 0) {
        if (getenv("FAULT_TIMES") != NULL)
            fprintf(stderr, "  %*s %lld ms\n", 20, "",
                    (long long)(now_ms() - start));
        return true;
    }
    if (WIFSIGNALED(status))
        fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
    tell_where();
    return false;
}

/* fault_test [name...]: these scenarios alone. */
int main(int argc, char **argv)
{
    static const struct scenario *const groups[] = {
        scenarios_runtime, scenarios_wait, scenarios_io, scenarios_net,
        scenarios_embed
    };
    bool good = true;

    inject_open();
    if (test_count(100) < 10)
        stride = under_valgrind() ? 29 : 7;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        for (const struct scenario *s = groups[i]; s->name != NULL; s++) {
            bool wanted = argc == 1;

            for (int k = 1; k < argc; k++)
                wanted = wanted || strcmp(argv[k], s->name) == 0;
            if (wanted)
                good = run_scenario(s) && good;
        }
    if (argc == 1)
        good = report(stride == 1) && good;
    return good ? 0 : 1;
}
