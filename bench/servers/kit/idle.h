/* idle.h - who was silent for how long: a list in which everybody who says
 * something goes to the end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_IDLE_H
#define BENCH_SERVERS_KIT_IDLE_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct idle_member { /* the first of what is in the list */
    int64_t last;    /* ms, when it said something */
    struct idle_member *prev, *next;
};

struct idle {
    int64_t now;             /* ms, as of idle_clock() */
    int64_t limit;           /* ms */
    struct idle_member head; /* next is who was silent longest */
};

static inline void idle_clock(struct idle *l)
{
    struct timespec t;

    /* Cannot fail: the clock exists and t is ours. */
    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    l->now = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static inline void idle_init(struct idle *l, unsigned seconds)
{
    l->limit = seconds * INT64_C(1000);
    l->head.prev = l->head.next = &l->head;
    idle_clock(l);
}

static inline void idle_leave(struct idle_member *m)
{
    m->prev->next = m->next;
    m->next->prev = m->prev;
}

static inline void idle_join(struct idle *l, struct idle_member *m)
{
    m->last = l->now;
    m->next = &l->head;
    m->prev = l->head.prev;
    m->prev->next = m;
    l->head.prev = m;
}

static inline void idle_touch(struct idle *l, struct idle_member *m)
{
    idle_leave(m);
    idle_join(l, m);
}

/* Who has been silent for too long, or NULL. */
static inline void *idle_expired(struct idle *l)
{
    struct idle_member *m = l->head.next;

    return m != &l->head && l->now - m->last >= l->limit ? m : NULL;
}

/* ms until somebody may be, or -1. */
static inline int64_t idle_wait(const struct idle *l)
{
    const struct idle_member *m = l->head.next;

    return m == &l->head ? -1 : l->limit - (l->now - m->last);
}

#endif
