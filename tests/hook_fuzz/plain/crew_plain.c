/* crew_plain.c - the reference: actors are threads, calls are libc's.
 *
 * This program has neither the runtime nor the hooks.  It reads the programs it
 * is to run from its standard input, and writes their records.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/exchange.h"
#include "tests/hook_fuzz/step.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

struct actor {
    sem_t given, made;
    struct call *call;
};

struct crew {
    struct actor actors[ACTORS];
};

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) < 0 && errno == EINTR)
        ;
}

static void *act(void *arg)
{
    struct actor *a = arg;

    for (;;) {
        wait_for(&a->given);
        call_make(a->call);
        (void)sem_post(&a->made);
    }
    return NULL;
}

void crew_start(struct crew *crew, int actor, struct call *c)
{
    crew->actors[actor].call = c;
    (void)sem_post(&crew->actors[actor].given);
}

void crew_finish(struct crew *crew, int actor)
{
    wait_for(&crew->actors[actor].made);
}

void crew_pause(struct crew *crew, unsigned how)
{
    (void)crew;
    if (how == 1)
        (void)sched_yield();
    if (how >= 2)
        (void)usleep(60);
}

static void crew_open(struct crew *crew)
{
    for (int i = 1; i < ACTORS; i++) {
        pthread_t thread;

        (void)sem_init(&crew->actors[i].given, 0, 0);
        (void)sem_init(&crew->actors[i].made, 0, 0);
        if (pthread_create(&thread, NULL, act, &crew->actors[i]) != 0)
            abort();
    }
}

int main(void)
{
    static struct crew crew;
    static struct answer answer;
    struct request request;
    struct run *run = run_open();

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    crew_open(&crew);
    while (exchange_get(0, &request, sizeof request)) {
        struct program p;

        program_make(&p, request.seed);
        p.kept = request.kept;
        answer.seed = request.seed;
        answer.count = p.count;
        answer.left_open = run_program(run, &crew, &p, answer.records,
                                       request.verbose ? STDERR_FILENO : -1);
        if (!exchange_put(1, &answer, sizeof answer))
            return 1;
    }
    run_close(run);
    return 0;
}
