/* snapshot.c - see snapshot.h.
 *
 * Each scheduler fills in the records of its own coroutines, between two turns
 * of its loop.  One whose loop does not turn, since a handler computes or
 * blocks its thread, cannot: then they are read from here.  For that very case
 * people need this.  The memory is made before anybody is asked, and it is not
 * given back before each has answered or was relieved of the question.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/snapshot.h"
#include "co/clock.h"
#include "co/peek.h"
#include "co/runq.h"
#include "co/sched.h"
#include "co/stats.h"
#include <errno.h>
#include <stdlib.h>

/* A scheduler has this long to answer. */
static const int64_t patience_ns = 100 * 1000 * 1000;

enum { FETCH_AHEAD = 4, FETCH_BELOW = 10, FETCH_ABOVE = 6 };

static void pause_briefly(void)
{
    struct timespec t = { 0, 100 * 1000 };

    (void)nanosleep(&t, NULL); /* shorter is as good */
}

/* ---- Who lives where --------------------------------------------------------
 */

/* The next one from number *i on that has an owner; its scheduler, or NULL. */
static struct sched *next_owner(uint32_t *i, uint32_t end)
{
    while (*i < end) {
        struct stack *stack = stack_at((*i)++);
        struct sched *s = NULL;

        if (stack != NULL) /* numbers have gaps */
            s = co_sched_of(container_of(stack, struct co, stack));
        if (s != NULL)
            return s;
    }
    return NULL;
}

static int make_records(struct snapshot *shot, uint32_t end)
{
    struct sched *s;

    for (uint32_t i = 0; (s = next_owner(&i, end)) != NULL;)
        if (s->index < shot->count)
            shot->parts[s->index].size++;
    for (unsigned i = 0; i < shot->count; i++) {
        struct part *part = &shot->parts[i];

        part->size += part->size / 16 + 64; /* for those that come meanwhile */
        part->records = malloc(part->size * sizeof *part->records);
        if (part->records == NULL)
            return -1;
    }
    for (uint32_t i = 0; (s = next_owner(&i, end)) != NULL;) {
        struct part *part =
            s->index < shot->count ? &shot->parts[s->index] : NULL;

        if (part != NULL && part->count < part->size)
            part->records[part->count++].number = i - 1;
    }
    return 0;
}

static int open_parts(struct snapshot *shot)
{
    shot->parts = calloc(shot->count, sizeof *shot->parts);
    if (shot->parts == NULL)
        return -1;
    for (unsigned i = 0; i < shot->count; i++) {
        struct part *part = &shot->parts[i];

        part->sched = sched_set.at[i];
        part->hosted = part->sched->hosted;
    }
    return make_records(shot, stack_count());
}

/* ---- Asking -----------------------------------------------------------------
 */

/* The struct of one that comes later, and the frames below it: without this,
 * waiting for memory is most of the time that the scheduler stands still. */
static void fetch(uint32_t number)
{
    const char *at = (const char *)stack_at(number);

    for (int line = -FETCH_BELOW; at != NULL && line < FETCH_ABOVE; line++)
        __builtin_prefetch(at + 64 * line);
}

static void fill(struct part *part, const struct co *running)
{
    for (size_t i = 0; i < part->count; i++) {
        if (i + FETCH_AHEAD < part->count)
            fetch(part->records[i + FETCH_AHEAD].number);
        record_take(&part->records[i], part->records[i].number, part->sched,
                    running, &part->memory);
    }
}

static void answer(struct sched *s, struct ask *ask)
{
    (void)s;
    fill(container_of(ask, struct part, ask), NULL);
}

/* An embedded one whose host we are answers here. */
static void ask(struct part *part)
{
    struct sched *s = part->sched;

    if (part->asked || atomic_load(&s->retired))
        return;
    part->ask.answer = answer;
    if (s == sched_of_host) {
        answer(s, &part->ask);
        atomic_store(&part->ask.done, true);
        part->asked = true;
    } else if (ask_put(s, &part->ask)) {
        part->asked = true;
        sched_nudge(s);
    }
}

static bool is_done(struct part *part)
{
    return atomic_load(&part->ask.done) || atomic_load(&part->sched->retired);
}

static bool all_done(struct snapshot *shot)
{
    bool all = true;

    for (unsigned i = 0; i < shot->count; i++) {
        ask(&shot->parts[i]); /* again, if somebody else was first */
        if (!is_done(&shot->parts[i]))
            all = false;
    }
    return all;
}

/* In place of a scheduler that does not answer. */
static void look_from_outside(struct part *part)
{
    struct co *running = NULL;
    int64_t turned;

    peek_words(&running, &part->sched->running, sizeof(running));
    peek_words(&turned, &part->sched->now, sizeof turned);
    part->silent = clock_now() - turned;
    fill(part, running);
}

static void conclude(struct part *part)
{
    if (part->asked && !atomic_load(&part->ask.done) &&
        !ask_withdraw(part->sched, &part->ask))
        while (!atomic_load(&part->ask.done))
            pause_briefly();
    part->answered =
        atomic_load(&part->ask.done) || atomic_load(&part->sched->retired);
    if (!atomic_load(&part->ask.done))
        look_from_outside(part);
    stats_of(part->sched, &part->stats);
}

static int take(struct snapshot *shot)
{
    int64_t end;

    if (open_parts(shot) < 0)
        return -1;
    end = clock_now() + patience_ns;
    while (!all_done(shot) && clock_now() < end)
        pause_briefly();
    for (unsigned i = 0; i < shot->count; i++)
        conclude(&shot->parts[i]);
    for (unsigned i = 0; i < shot->count; i++) {
        struct part *part = &shot->parts[i];

        for (size_t k = 0; k < part->count; k++) {
            if (part->records[k].state == RECORD_GONE)
                continue;
            shot->living++;
            record_touched(&part->records[k]);
        }
    }
    return 0;
}

int snapshot_take(struct snapshot *shot)
{
    int r = 0;

    *shot = (struct snapshot){ 0 };
    runq_enter(); /* no scheduler is freed until runq_leave() */
    shot->count = atomic_load(&sched_set.count);
    if (shot->count > 0)
        r = take(shot);
    runq_leave();
    shot->now = clock_now();
    if (r < 0) {
        snapshot_free(shot);
        errno = ENOMEM;
    }
    return r;
}

void snapshot_free(struct snapshot *shot)
{
    for (unsigned i = 0; shot->parts != NULL && i < shot->count; i++)
        free(shot->parts[i].records);
    free(shot->parts);
    *shot = (struct snapshot){ 0 };
}
