/* crew_co.c - actors are coroutines, calls go through the hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/hooked/crew_co.h"
#include "co/co.h"
#include "tests/hook_fuzz/world.h"
#include <stdlib.h>

struct actor {
    struct co_sem given, made;
    struct call *call; /* NULL: the end */
    struct co *co;
};

struct crew {
    struct actor actors[ACTORS];
};

static void act(void *arg)
{
    struct actor *a = arg;

    for (;;) {
        (void)co_sem_wait(&a->given, CO_FOREVER);
        if (a->call == NULL)
            return;
        call_make(a->call);
        co_sem_post(&a->made);
    }
}

void crew_start(struct crew *crew, int actor, struct call *c)
{
    crew->actors[actor].call = c;
    co_sem_post(&crew->actors[actor].given);
}

void crew_finish(struct crew *crew, int actor)
{
    (void)co_sem_wait(&crew->actors[actor].made, CO_FOREVER);
}

void crew_pause(struct crew *crew, unsigned how)
{
    (void)crew;
    if (how == 1)
        co_yield_now();
    if (how >= 2)
        (void)co_sleep_until(co_after(60 * CO_USEC));
}

struct crew *crew_co_open(uint64_t seed)
{
    struct crew *crew = calloc(1, sizeof *crew);

    if (crew == NULL)
        abort();
    for (int i = 1; i < ACTORS; i++) {
        bool beside = (seed & 1) != 0 && (seed >> i & 1) != 0;
        struct co_attr attr = { .on = co_sched_at(beside) };

        crew->actors[i].co = co_spawn(act, &crew->actors[i], &attr);
        if (crew->actors[i].co == NULL)
            abort();
    }
    return crew;
}

void crew_co_close(struct crew *crew)
{
    for (int i = 1; i < ACTORS; i++) {
        crew_start(crew, i, NULL);
        (void)co_join(crew->actors[i].co, CO_FOREVER);
    }
    free(crew);
}
