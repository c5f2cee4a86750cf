/* runq.h - how a coroutine becomes ready.
 *
 * Private to co/.  On its own scheduler it goes into a ring of pointers, which
 * knows the next ones without touching them; from any other thread a post goes
 * into the scheduler's inbox, and only if the scheduler sleeps its eventfd is
 * written.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_RUNQ_H
#define CO_RUNQ_H

#include "co/core.h"
#include "co/hidden.h"

enum { RUNQ_NEAR = 8, RUNQ_FAR = 16, RUNQ_LINES = 10 };

int runq_open(struct sched *s); /* 0, or -1 with errno */
void runq_close(struct sched *s);

/* Doubles the ring; it lies in reserved memory for all stacks there can be, and
 * a coroutine stands in it at most once, so this cannot fail. */
void runq_grow(struct sched *s);

/* Threads that are no scheduler are counted while they touch one, so that none
 * is freed under them: the end of the runtime waits for the count to be 0. */
extern HIDDEN atomic_uint runq_outsiders;

static inline void runq_enter(void)
{
    if (sched_self() == NULL)
        atomic_fetch_add(&runq_outsiders, 1);
}

static inline void runq_leave(void)
{
    if (sched_self() == NULL)
        atomic_fetch_sub(&runq_outsiders, 1);
}

/* Sends p to s with bits; from any thread, s's own included. */
void runq_post(struct sched *s, struct post *p, unsigned bits);

/* Puts p, whose bits hold POST_QUEUED already, into the inbox of s. */
void runq_forward(struct sched *s, struct post *p);

/* Takes all that came in since the last call, oldest first. */
struct post *runq_take(struct sched *s);

static inline bool runq_empty(const struct sched *s)
{
    return s->head == s->tail;
}

static inline uint32_t runq_count(const struct sched *s)
{
    return s->tail - s->head;
}

static inline void runq_push(struct sched *s, struct co *co)
{
    if (__builtin_expect(s->tail - s->head > s->ring_mask, 0))
        runq_grow(s);
    s->ring[s->tail++ & s->ring_mask] = co;
}

/* Fetches more of the frames, and of the struct behind them.  Who waited stands
 * deeper than who gave way, in calls that lead from a descriptor, say, back to
 * a handler, and goes through all of them. */
static __attribute__((noinline, unused)) void runq_fetch_frames(
    const struct co *co, const char *frames)
{
    for (int i = 0; i < RUNQ_LINES; i++)
        __builtin_prefetch(frames + 64 * i);
    __builtin_prefetch((const char *)co + 64);
    __builtin_prefetch((const char *)co + 128);
}

/* NULL when empty.  Fetches what the switches to come will touch: of the one
 * RUNQ_FAR places on its struct; of the one RUNQ_NEAR on, whose struct should
 * have come by now, the frames it saved. */
static inline struct co *runq_pop(struct sched *s)
{
    uint32_t head = s->head;
    struct co *co;

    if (head == s->tail)
        return NULL;
    co = s->ring[head & s->ring_mask];
    if (s->tail - head > RUNQ_FAR) {
        struct co *near = s->ring[(head + RUNQ_NEAR) & s->ring_mask];
        const char *far =
            (const char *)s->ring[(head + RUNQ_FAR) & s->ring_mask];
        const char *sp = (const char *)context_sp(&near->context);

        __builtin_prefetch(far);
        __builtin_prefetch(sp);
        __builtin_prefetch(sp + 64);
        if (near->wait != NULL)
            runq_fetch_frames(near, sp + 128);
    }
    s->head = head + 1;
    return co;
}

/* Makes co, which is parked and whose ticket the caller has claimed, ready. */
static inline void runq_ready(struct co *co)
{
    struct sched *s = co_sched_of(co);

    if (s == sched_self())
        runq_push(s, co);
    else
        runq_post(s, &co->post, POST_WAKE);
}

#endif
