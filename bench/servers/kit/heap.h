/* heap.h - the textbook's timers: a binary heap with the earliest on top.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_HEAP_H
#define BENCH_SERVERS_KIT_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_timer {
    int64_t when;
    size_t at; /* in the heap */
};

struct heap { /* zero but for timers, which has room for all */
    struct heap_timer **timers;
    size_t count;
};

static inline void heap_place(struct heap *h, size_t at, struct heap_timer *t)
{
    h->timers[at] = t;
    t->at = at;
}

/* t, which is in the heap, has a new time. */
static inline void heap_fix(struct heap *h, struct heap_timer *t)
{
    size_t at = t->at;

    for (; at > 0 && t->when < h->timers[(at - 1) / 2]->when; at = (at - 1) / 2)
        heap_place(h, at, h->timers[(at - 1) / 2]);
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < h->count &&
            h->timers[child + 1]->when < h->timers[child]->when)
            child++;
        if (child >= h->count || h->timers[child]->when >= t->when)
            break;
        heap_place(h, at, h->timers[child]);
        at = child;
    }
    heap_place(h, at, t);
}

static inline void heap_add(struct heap *h, struct heap_timer *t)
{
    heap_place(h, h->count++, t);
    heap_fix(h, t);
}

static inline void heap_remove(struct heap *h, struct heap_timer *t)
{
    struct heap_timer *last = h->timers[--h->count];

    if (last == t)
        return;
    heap_place(h, t->at, last);
    heap_fix(h, last);
}

#endif
