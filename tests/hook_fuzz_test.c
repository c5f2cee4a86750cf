/* hook_fuzz_test.c - random programs, under the hooks and without them.
 *
 *   hook_fuzz_test                     many: fixed ones, and new ones each time
 *   hook_fuzz_test SEED [COUNT]        those from SEED on; one is printed
 *   hook_fuzz_test SEED --steps MASK   of that one only some steps
 *
 * A program is a list of operations on pipes, sockets, eventfds and files, made
 * by three actors (tests/hook_fuzz/).  A call is made only when the kernel's
 * answer is certain: at once, or after what one other actor does then.  So two
 * runs have to agree in all values, errnos and data; and one of them is on
 * threads, in a program that has nothing of ours (hook_fuzz_plain), the other
 * is in coroutines, with the hooks.
 *
 * Half of the seeds are the same each time; where the others begin is random,
 * and printed.  Of a program that differs, hangs or dies, steps are left out
 * as long as it still does; what is left is printed, with both sides' results
 * and the command that runs it again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "tests/hook_fuzz/hooked/worker.h"
#include "tests/test.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>

enum {
    PROGRAMS = 100000,
    JOBS = 4,
    FAILURES_MOST = 3,  /* of a job */
    TRIES = 5,          /* of a program that does not fail each time */
    MINIMISE_MS = 20000 /* for all of it */
};

enum outcome { SAME, DIFFERS, HANGS, DIES };

static const char *const outcomes[] = {
    "is the same on both sides",
    "differs",
    "does not come to an end",
    "kills the process",
};

static struct progress *progress;
static const char *self;
static int slow = 1; /* how many times everything takes */

/* ---- A worker ---------------------------------------------------------------
 */

static enum outcome end_of(pid_t pid)
{
    int status = 0;

    (void)TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
    if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_SAME)
        return SAME;
    return WIFEXITED(status) && WEXITSTATUS(status) == WORKER_DIFFERS ? DIFFERS
                                                                      : DIES;
}

/* In a process of its own, which may hang no longer than that in a program. */
static enum outcome run_worker(const struct work *work, int limit_ms)
{
    unsigned long done = 0;
    struct pollfd ended = { .events = POLLIN };
    int alive[2]; /* a pipe: it ends with the worker */
    enum outcome outcome;
    pid_t pid;

    CHECK(pipe2(alive, O_CLOEXEC) == 0);
    progress->done = 0;
    progress->seed = work->first;
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0)
        worker_main(FUZZ_PLAIN, work, progress);
    (void)close(alive[1]);
    ended.fd = alive[0];
    while (TEMP_FAILURE_RETRY(poll(&ended, 1, limit_ms)) == 0 &&
           progress->done > done)
        done = progress->done;
    (void)poll(&ended, 1, 0);
    if (ended.revents == 0)
        (void)kill(pid, SIGKILL);
    outcome = end_of(pid);
    (void)close(ended.fd);
    return ended.revents == 0 ? HANGS : outcome;
}

/* ---- A program that fails ---------------------------------------------------
 */

/* How it fails: some do so only at times. */
static enum outcome try_alone(struct work *work, int tries, int limit_ms)
{
    enum outcome outcome = SAME;

    for (int i = 0; i < tries && outcome == SAME; i++)
        outcome = run_worker(work, limit_ms);
    return outcome;
}

/* The step at which the two sides parted, or the last that was begun. */
static unsigned last_step(const struct program *p, enum outcome outcome)
{
    static const struct record none;
    const struct record *here = progress->here.records;
    unsigned i = 0;

    if (outcome == DIFFERS)
        while (i < p->count - 1 &&
               memcmp(&here[i], &progress->plain.records[i], sizeof *here) == 0)
            i++;
    else if (progress->hooked)
        while (i < p->count - 1 &&
               memcmp(&here[i + 1], &none, sizeof none) != 0)
            i++;
    else
        i = p->count - 1;
    return i;
}

/* Leaves out each step without which it still fails; again, until there is
 * none.  First the later ones: what comes after the failure goes at once. */
static void minimise(struct work *work, const struct program *p, int tries,
                     int limit_ms)
{
    long long end = test_now_ms() + MINIMISE_MS;
    uint64_t before;

    do {
        before = work->kept;
        for (int i = (int)p->count - 1; i >= 0; i--) {
            uint64_t kept = work->kept;

            if (!(kept >> i & 1) || test_now_ms() > end)
                continue;
            work->kept = kept & ~(UINT64_C(1) << i);
            if (try_alone(work, tries, limit_ms) == SAME)
                work->kept = kept;
        }
    } while (work->kept != before && test_now_ms() < end);
}

static void print_records(const struct program *p)
{
    const struct answer *plain = &progress->plain, *here = &progress->here;

    for (unsigned i = 0; i < p->count; i++) {
        const struct record *r[2] = { &plain->records[i], &here->records[i] };

        if (memcmp(r[0], r[1], sizeof *r[0]) == 0)
            continue;
        fprintf(stderr, "  step %u, %s:\n", i,
                step_name((enum step_kind)p->steps[i].kind));
        for (int k = 0; k < 2; k++)
            fprintf(stderr,
                    "    %s slot %d, %d calls, the first: %lld %s, "
                    "hash of all %08x\n",
                    k == 0 ? "threads:   " : "coroutines:", r[k]->slot,
                    r[k]->calls, (long long)r[k]->ret,
                    r[k]->err != 0 ? strerror(r[k]->err) : "", r[k]->hash);
    }
    if (plain->left_open != here->left_open)
        fprintf(stderr, "  left open: %d, %d\n", plain->left_open,
                here->left_open);
}

static void print_steps(const struct work *work, const struct program *p)
{
    fprintf(stderr, "its steps:");
    for (unsigned i = 0; i < p->count; i++)
        if (work->kept >> i & 1)
            fprintf(stderr, " %u:%s", i,
                    step_name((enum step_kind)p->steps[i].kind));
    fprintf(stderr, "\n");
}

/* Runs it until it fails once more, and prints that. */
static void print_run(struct work *work, const struct program *p, int tries,
                      int limit_ms)
{
    enum outcome outcome = SAME;

    work->verbose = true;
    outcome = try_alone(work, tries, limit_ms);
    fprintf(stderr, "%s", outcomes[outcome]);
    if (outcome == HANGS)
        fprintf(stderr, ": %s", progress->hooked ? "with hooks" : "plain");
    fprintf(stderr, "\n");
    if (outcome == DIFFERS)
        print_records(p);
}

static void report(uint64_t seed, enum outcome outcome)
{
    struct work work = { .first = seed, .count = 1, .kept = ~UINT64_C(0) };
    int limit_ms = 500 * slow, tries = 1;
    unsigned last;
    struct program p;

    program_make(&p, seed);
    fprintf(stderr, "program %llu %s\n", (unsigned long long)seed,
            outcomes[outcome]);
    if (outcome == DIFFERS)
        print_records(&p);
    last = last_step(&p, outcome);
    work.kept >>= 63 - last;
    if (try_alone(&work, 1, limit_ms) == SAME) {
        tries = TRIES;
        if (try_alone(&work, tries, limit_ms) == SAME) {
            fprintf(stderr, "but alone it does not, %d times\n", tries + 1);
            return;
        }
    }
    minimise(&work, &p, tries, limit_ms);
    print_steps(&work, &p);
    print_run(&work, &p, 4 * tries, limit_ms);
    fprintf(stderr, "replay: %s %llu --steps %llx\n", self,
            (unsigned long long)seed, (unsigned long long)work.kept);
}

/* ---- All --------------------------------------------------------------------
 */

static void progress_open(void)
{
    progress = mmap(NULL, sizeof *progress, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(progress != MAP_FAILED);
}

/* Returns how many have failed. */
static int run_some(uint64_t first, uint64_t count)
{
    uint64_t done = 0;
    int failures = 0;

    progress_open();
    while (done < count && failures < FAILURES_MOST) {
        struct work work = { .first = first + done,
                             .count = count - done,
                             .kept = ~UINT64_C(0) };
        enum outcome outcome = run_worker(&work, 10000 * slow);
        uint64_t seed = progress->seed;

        if (outcome == SAME)
            break;
        failures++;
        report(seed, outcome);
        done = seed + 1 - first;
    }
    return failures;
}

/* Several at a time, as programs wait most of the time: in processes. */
static int run_many(uint64_t first, uint64_t count)
{
    long long begin = test_now_ms();
    pid_t pids[JOBS];
    int failures = 0;

    for (unsigned i = 0; i < JOBS; i++) {
        uint64_t from = count * i / JOBS, to = count * (i + 1) / JOBS;

        pids[i] = test_fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(run_some(first + from, to - from));
    }
    for (unsigned i = 0; i < JOBS; i++) {
        int status = 0;

        CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pids[i], &status, 0)), pids[i]);
        failures += WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    fprintf(stderr, "  %llu programs from seed %llu, %lld ms\n",
            (unsigned long long)count, (unsigned long long)first,
            test_now_ms() - begin);
    return failures;
}

static uint64_t random_seed(void)
{
    uint32_t seed = 0;

    CHECK_EQ(getrandom(&seed, sizeof seed, 0), sizeof seed);
    return (uint64_t)seed + PROGRAMS; /* beyond the fixed ones */
}

/* 100,000 with --full; otherwise what takes some seconds. */
static uint64_t how_many(void)
{
    uint64_t count = (uint64_t)test_count(PROGRAMS);

    if (under_valgrind()) {
        slow = 8;
        return (uint64_t)test_count(PROGRAMS / 20);
    }
#if defined(CO_ASAN) || defined(CO_TSAN)
    slow = 4;
    return (uint64_t)test_count(PROGRAMS / 2);
#endif
    return count < PROGRAMS ? 1 + count / 3 : count;
}

/* One program, printed. */
static int show(uint64_t seed, uint64_t kept)
{
    struct work work = { .first = seed, .count = 1, .kept = kept };
    struct program p;

    program_make(&p, seed);
    progress_open();
    print_run(&work, &p, 1, 10000 * slow);
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t count = how_many(),
             seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 0;
    int failures;

    self = argv[0];
    if (under_storm()) {
        fprintf(stderr, "skipped: what signals interrupt is not certain\n");
        return 77;
    }
    if (argc == 2)
        return show(seed, ~UINT64_C(0));
    if (argc == 4 && strcmp(argv[2], "--steps") == 0)
        return show(seed, strtoull(argv[3], NULL, 16));
    if (argc == 3)
        return run_many(seed, strtoull(argv[2], NULL, 0)) > 0;
    failures = run_many(1, count - count / 2);
    failures += run_many(random_seed(), count / 2);
    return failures > 0;
}
