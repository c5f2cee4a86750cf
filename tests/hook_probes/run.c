/* run.c - runs probes, each in a process of its own, some at a time.
 *
 * What a probe writes down stands in memory that its process shares with this
 * one, so that nothing is lost of one that hangs or dies.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/mode.h"
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct running {
    pid_t pid; /* 0: none */
    size_t i;
    int64_t since;
};

/* ---- In the probe's process -------------------------------------------------
 */

static const struct probe_mode *mode_here;
static void *actors[ACTORS_MAX];
static size_t actor_count;

void actor_start(void (*fn)(void *arg), void *arg)
{
    NEED(actor_count < ACTORS_MAX);
    actors[actor_count] = mode_here->start(fn, arg);
    NEED(actors[actor_count] != NULL);
    actor_count++;
}

void actors_join(void)
{
    for (size_t i = 0; i < actor_count; i++)
        mode_here->join(actors[i]);
    actor_count = 0;
}

static void probe_body(const struct probe *p)
{
    int64_t begin = now_ms();

    p->fn();
    actors_join();
    if (p->waits_ms > 0)
        say("took at least %d ms: %s", p->waits_ms,
            now_ms() - begin >= p->waits_ms ? "yes" : "no");
}

static void run_one(const struct probe_mode *mode, const struct probe *p,
                    struct probe_result *result)
{
    mode_here = mode;
    probe_here = result;
    mode->enter(probe_body, p);
    result->end = END_OK;
    _exit(0);
}

/* ---- Threads ----------------------------------------------------------------
 */

struct thread {
    pthread_t id;
    void (*fn)(void *arg);
    void *arg;
};

static void thread_enter(void (*fn)(const struct probe *p),
                         const struct probe *p)
{
    fn(p);
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;

    t->fn(t->arg);
    return NULL;
}

static void *thread_start(void (*fn)(void *arg), void *arg)
{
    struct thread *t = malloc(sizeof *t);

    if (t == NULL)
        return NULL;
    t->fn = fn;
    t->arg = arg;
    if (pthread_create(&t->id, NULL, thread_main, t) == 0)
        return t;
    free(t);
    return NULL;
}

static void thread_join(void *actor)
{
    struct thread *t = actor;

    (void)pthread_join(t->id, NULL);
    free(t);
}

const struct probe_mode probe_threads = {
    .name = "threads",
    .enter = thread_enter,
    .start = thread_start,
    .join = thread_join,
};

/* ---- In the program that runs them ------------------------------------------
 */

struct probe_result *probe_results(void)
{
    void *p = mmap(NULL, probe_count() * sizeof(struct probe_result),
                   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

/* A directory for what probes leave behind. */
static void scratch_open(char *name)
{
    if (mkdtemp(name) == NULL) {
        perror(name);
        exit(1);
    }
}

static void scratch_close(const char *name)
{
    DIR *d = opendir(name);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        (void)unlinkat(dirfd(d), e->d_name, 0); /* not . and .. */
    if (d != NULL)
        (void)closedir(d);
    (void)rmdir(name);
}

static void start(const struct probe_mode *mode, struct running *r,
                  const char *scratch, struct probe_result *result)
{
    memset(result, 0, sizeof *result);
    r->since = now_ms();
    (void)fflush(NULL);
    r->pid = fork();
    if (r->pid < 0) {
        perror("fork");
        exit(1);
    }
    if (r->pid > 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(scratch) < 0) {
        perror(scratch);
        _exit(1);
    }
    run_one(mode, probe_at(r->i), result);
}

static void finish(struct running *r, int status, struct probe_result *result)
{
    r->pid = 0;
    if (result->end != END_NONE)
        return;
    result->end = END_DIED;
    result->status = status;
}

/* True when the place is free. */
static bool look(struct running *r, int limit_ms, struct probe_result *results)
{
    int status;

    if (r->pid == 0)
        return true;
    if (waitpid(r->pid, &status, WNOHANG) == r->pid) {
        finish(r, status, &results[r->i]);
        return true;
    }
    if (now_ms() - r->since < limit_ms)
        return false;
    (void)kill(r->pid, SIGKILL);
    (void)waitpid(r->pid, &status, 0);
    results[r->i].end = END_HANG;
    r->pid = 0;
    return true;
}

const bool *probes_named(const char *part)
{
    static bool chosen[PROBES_MAX];

    if (part == NULL)
        return NULL;
    for (size_t i = 0; i < probe_count(); i++)
        chosen[i] = strstr(probe_at(i)->name, part) != NULL;
    return chosen;
}

void probes_run(const struct probe_mode *mode, const bool *chosen,
                unsigned jobs, int limit_ms, struct probe_result *results)
{
    char scratch[] = "/tmp/corten-probes-XXXXXX";
    struct running running[32] = { { 0 } };
    size_t next = 0;
    unsigned busy;

    if (jobs > sizeof running / sizeof *running)
        jobs = sizeof running / sizeof *running;
    scratch_open(scratch);
    do {
        busy = 0;
        for (unsigned k = 0; k < jobs; k++) {
            if (!look(&running[k], limit_ms, results)) {
                busy++;
                continue;
            }
            while (next < probe_count() && chosen != NULL && !chosen[next])
                next++;
            if (next == probe_count())
                continue;
            running[k].i = next++;
            start(mode, &running[k], scratch, &results[running[k].i]);
            busy++;
        }
        pause_ms(2);
    } while (busy > 0);
    scratch_close(scratch);
}
