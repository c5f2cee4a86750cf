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
    TRIES = 4,
    JOBS_MAX = 100,
    AT_ONCE = 3, /* they wait more than they compute */
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

static bool run(const struct inject_plan *plan)
{
    struct left before = look();
    pthread_t thread;

    (void)alarm(RUN_S * (under_valgrind() ? 5 : 1));
    inject_arm(plan);
    CHECK_EQ(pthread_create(&thread, NULL, thread_main, NULL), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    inject_disarm();
    check_left(&before);
    return inject_fired();
}

static void run_well(void) { CHECK(!run(&(struct inject_plan){ 0 })); }

/* Whether a call failed.  Then once more without: it goes on as if nothing had
 * been. */
static bool fail(const struct inject_plan *plan)
{
    bool fired = run(plan);

    if (fired)
        run_well();
    return fired;
}

static void *tell_tid(void *arg)
{
    *(pid_t *)arg = gettid();
    return NULL;
}

/* With the first thread TSan starts one of its own, which stays.  The first
 * goes, but a little after it was joined: until then it would be counted. */
static void settle_in(void)
{
    struct timespec pause = { 0, 50000 };
    pthread_t thread;
    pid_t tid = 0;

    CHECK_EQ(pthread_create(&thread, NULL, tell_tid, &tid), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    while (tgkill(getpid(), tid, 0) == 0)
        (void)nanosleep(&pause, NULL);
}

static bool fail_afresh(const struct inject_plan *plan)
{
    pid_t pid = test_fork();
    int status;

    CHECK(pid >= 0);
    if (pid == 0) {
        settle_in();
        _exit(fail(plan) ? 0 : 3);
    }
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    if (status != 0 && status != 3 << 8)
        exit(1);
    return status == 0;
}

/* n = 1, 2, 3 ... until nothing fails any more. */
static long fail_each(int variant)
{
    struct inject_plan plan = { .variant = variant, .only = scenario->how };
    long failures = 0;

    for (plan.n = 1 + variant % stride;; plan.n += stride) {
        if (!(scenario->how > 0 ? fail_afresh(&plan) : fail(&plan)))
            return failures;
        failures++;
        CHECK(plan.n < RUNS_MAX);
    }
}

/* A place that has not failed with this errno: because other calls came between
 * each time, or since it is reached only after another failure, which then
 * happens, too. */
static bool fail_at(struct inject_site *s, int variant)
{
    for (long more = 0; more < TRIES; more++) {
        struct inject_plan plan = { .n = atomic_load(&s->first_n),
                                    .variant = atomic_load(&s->first_variant),
                                    .also = s,
                                    .also_variant = variant };
        bool fired;

        if (plan.n > 0) /* a little later, a little sooner */
            plan.n += more % 2 == 0 ? more / 2 : -(more + 1) / 2;
        fired = run(&plan) && inject_fired_at(s);
        run_well();
        if (fired)
            return true;
    }
    return false;
}

static long fail_rest(void)
{
    long failures = 0;

    for (int i = 0; i < INJECT_SITES; i++) {
        struct inject_site *s = &inject_log->site[i];

        for (int v = 0; atomic_load(&s->armed) &&
                        v < inject_variants[atomic_load(&s->call) - 1];
             v++)
            if (atomic_load(&s->failed[v]) == 0 && !fail_at(s, v))
                break;
            else
                failures++;
    }
    return failures;
}

static void run_all(void)
{
    long failures = 0, some;
    int variant = 0;

    if (scenario->how <= 0) /* what is made once a process is no leak later */
        run_well();
    while (scenario->how >= 0 && (some = fail_each(variant++)) > 0)
        failures += some;
    if (scenario->how <= 0 && stride == 1)
        failures += fail_rest();
    fprintf(stderr, "  %-22s %ld failures\n", scenario->name, failures);
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
    settle_in();
    run_all();
    exit(0);
}

/* ---- All of them
 * --------------------------------------------------------------- */

struct job {
    const struct scenario *scenario;
    struct inject_log *log;
    pid_t pid;
};

static struct job jobs[JOBS_MAX];
static int job_count;

static void tell_where(const struct job *j)
{
    fprintf(stderr, "fault_test: in %s, last check in line %d, n = %ld:\n",
            j->scenario->name, atomic_load(&j->log->line),
            atomic_load(&j->log->n));
    for (int i = 0; i < 2; i++) {
        struct inject_site *s = atomic_load(&j->log->failed[i]);

        if (s == NULL)
            continue;
        fprintf(stderr, "%s had failed with errno %d, called from\n",
                inject_names[atomic_load(&s->call) - 1],
                atomic_load(&j->log->failed_as[i]));
        report_place(atomic_load(&s->caller));
    }
}

static void begin(struct job *j)
{
    j->log = inject_log_new();
    j->pid = test_fork();
    CHECK(j->pid >= 0);
    if (j->pid == 0) {
        inject_log = j->log;
        scenario = j->scenario;
        child();
    }
}

/* Waits for any of those that run. */
static bool end_one(void)
{
    int status;
    pid_t pid = wait(&status);

    CHECK(pid > 0);
    for (struct job *j = jobs; j < jobs + job_count; j++) {
        if (j->pid != pid)
            continue;
        if (WIFSIGNALED(status))
            fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
        if (status != 0)
            tell_where(j);
        return status == 0;
    }
    return true;
}

static void add_jobs(const struct scenario *s, int argc, char **argv)
{
    for (; s->name != NULL; s++) {
        bool wanted = argc == 1;

        for (int i = 1; i < argc; i++)
            wanted = wanted || strcmp(argv[i], s->name) == 0;
        if (wanted) {
            CHECK(job_count < JOBS_MAX);
            jobs[job_count++].scenario = s;
        }
    }
}

static bool report_all(void)
{
    struct inject_log *logs[JOBS_MAX];

    for (int i = 0; i < job_count; i++)
        logs[i] = jobs[i].log;
    return report(logs, job_count, stride == 1);
}

/* fault_test [name...]: these scenarios alone. */
int main(int argc, char **argv)
{
    bool good = true;
    int running = 0;

    if (under_storm()) {
        fprintf(stderr, "skipped: calls that are made again after a signal "
                        "are more than can be counted through\n");
        return 77;
    }
    if (test_count(100) < 10)
        stride = under_valgrind() ? 29 : 11;
    add_jobs(scenarios_runtime, argc, argv);
    add_jobs(scenarios_wait, argc, argv);
    add_jobs(scenarios_io, argc, argv);
    add_jobs(scenarios_ready, argc, argv);
    add_jobs(scenarios_net, argc, argv);
    add_jobs(scenarios_embed, argc, argv);
    add_jobs(scenarios_inside, argc, argv);
    add_jobs(scenarios_http, argc, argv);
    add_jobs(scenarios_files, argc, argv);
    add_jobs(scenarios_serving, argc, argv);
    add_jobs(scenarios_forms, argc, argv);
    for (int i = 0; i < job_count; i++, running++) {
        if (running == AT_ONCE) {
            good = end_one() && good;
            running--;
        }
        begin(&jobs[i]);
    }
    while (running-- > 0)
        good = end_one() && good;
    if (argc == 1)
        good = report_all() && good;
    return good ? 0 : 1;
}
