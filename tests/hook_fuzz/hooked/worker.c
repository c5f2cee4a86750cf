/* worker.c - see worker.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/hooked/worker.h"
#include "co/co.h"
#include "tests/hook_fuzz/hooked/crew_co.h"
#include "tests/hook_fuzz/step.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 16 }; /* programs the reference may be ahead */

struct worker {
    const struct work *work;
    struct progress *progress;
    int to, from; /* the reference */
    int result;
};

static void start_reference(struct worker *w, const char *reference)
{
    int to[2], from[2];
    pid_t pid;

    if (pipe2(to, O_CLOEXEC) < 0 || pipe2(from, O_CLOEXEC) < 0 ||
        (pid = fork()) < 0) {
        perror("the reference");
        _exit(1);
    }
    if (pid == 0) {
        (void)dup2(to[0], 0);
        (void)dup2(from[1], 1);
        (void)execl(reference, reference, (char *)NULL);
        perror(reference);
        _exit(1);
    }
    (void)close(to[0]);
    (void)close(from[1]);
    w->to = to[1];
    w->from = from[0];
}

static void ask(struct worker *w, uint64_t i)
{
    struct request r = { w->work->first + i, w->work->kept, w->work->verbose };

    if (i < w->work->count && !exchange_put(w->to, &r, sizeof r))
        _exit(1);
}

static bool is_same(const struct answer *a, const struct answer *b)
{
    return a->seed == b->seed && a->count == b->count &&
           a->left_open == b->left_open &&
           memcmp(a->records, b->records, a->count * sizeof *a->records) == 0;
}

static void run_hooked(struct worker *w, struct run *run, uint64_t seed)
{
    struct answer *here = &w->progress->here;
    struct crew *crew = crew_co_open(seed);
    struct program p;

    program_make(&p, seed);
    p.kept = w->work->kept;
    here->seed = seed;
    here->count = p.count;
    if (w->work->verbose)
        dprintf(STDERR_FILENO, "in coroutines, with the hooks:\n");
    here->left_open = run_program(run, crew, &p, here->records,
                                  w->work->verbose ? STDERR_FILENO : -1);
    crew_co_close(crew);
}

static void worker_root(void *arg)
{
    struct worker *w = arg;
    struct progress *progress = w->progress;
    struct run *run = run_open();

    for (uint64_t i = 0; i < AHEAD && !w->work->verbose; i++)
        ask(w, i);
    for (uint64_t i = 0; i < w->work->count; i++) {
        progress->seed = w->work->first + i;
        progress->hooked = false;
        if (w->work->verbose) {
            dprintf(STDERR_FILENO, "on threads, plain:\n");
            ask(w, i);
        }
        if (!exchange_get(w->from, &progress->plain, sizeof progress->plain))
            _exit(1);
        progress->hooked = true;
        run_hooked(w, run, progress->seed);
        if (!is_same(&progress->plain, &progress->here)) {
            w->result = WORKER_DIFFERS;
            break;
        }
        if (!w->work->verbose)
            ask(w, i + AHEAD);
        progress->done++;
    }
    run_close(run);
}

void worker_main(const char *reference, const struct work *work,
                 struct progress *progress)
{
    struct worker w = { .work = work, .progress = progress };
    struct co_config config = { .schedulers = 2, .timer_slack = 1 };

    (void)signal(SIGPIPE, SIG_IGN);
    start_reference(&w, reference);
    if (co_run(worker_root, &w, &config) != 0) {
        perror("co_run");
        _exit(1);
    }
    exit(w.result);
}
