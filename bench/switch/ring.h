/* ring.h - contexts that pass on to one another, for a back end to be timed.
 *
 * Included once for each back end, after its struct context and its functions
 * were declared: each has a copy, so that its switch is called, or inlined, as
 * in a program of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SWITCH_RING_H
#define BENCH_SWITCH_RING_H

#include "bench/bench.h"
#include "bench/switch/switch.h"
#include "co/stack.h"

struct ring_member {
    struct stack stack; /* this struct is its room, see stack.h */
    struct context context;
};

enum {
    RING_AHEAD = 4, /* members prefetched before they are switched to */
    RING_LINES = 3, /* and how much of the stack below them */
};

struct ring {
    unsigned count;
    unsigned at; /* who runs */
    long left;   /* switches until it is the thread's turn */
    struct context thread;
    struct ring_member *members[]; /* the first ones again behind the last */
};

_Static_assert(sizeof(struct ring_member) <= RING_ROOM, "room of a stack");

static struct ring *ring; /* the one that turns */

/* Who runs is looked up, as a scheduler does it: a pointer kept across the
 * switch would be popped from the new stack first, and the CPU wait for it. */
static inline void ring_next(void)
{
    struct ring_member *self = ring->members[ring->at], *ahead;

    if (--ring->left == 0) {
        context_switch(&self->context, &ring->thread);
        return;
    }
    if (++ring->at == ring->count)
        ring->at = 0;
    /* What a switch touches: the member, and the lines below it. */
    ahead = ring->members[ring->at + RING_AHEAD];
    __builtin_prefetch(ahead);
    for (int line = 1; line <= RING_LINES; line++)
        __builtin_prefetch((char *)ahead - line * 64);
    context_switch(&self->context, &ring->members[ring->at]->context);
}

/* Three frames, as a handler's that calls a verb that waits. */
static __attribute__((noinline)) int ring_inner(int depth)
{
    ring_next();
    return depth + 1;
}

static __attribute__((noinline)) int ring_outer(int depth)
{
    return ring_inner(depth + 1) + 1;
}

static void ring_entry(void *arg)
{
    (void)arg;
    for (;;)
        (void)ring_outer(0);
}

static struct ring *ring_make(unsigned count)
{
    size_t pointers = count + RING_AHEAD;
    struct ring *made =
        calloc(1, sizeof(*made) + pointers * sizeof(made->members[0]));

    if (made == NULL)
        bench_die("ring");
    made->count = count;
    for (unsigned i = 0; i < count; i++) {
        struct stack *stack = stack_get(NULL, 0);
        struct ring_member *m = (struct ring_member *)stack;

        if (stack == NULL)
            bench_die(stack_why());
        made->members[i] = m;
        if (context_make(&m->context, stack->low, stack_usable(stack),
                         ring_entry, NULL) < 0)
            bench_die("context_make");
    }
    for (unsigned i = 0; i < RING_AHEAD; i++)
        made->members[count + i] = made->members[i % count];
    return made;
}

/* n switches, and one to come back. */
static void ring_turn(struct ring *r, long n)
{
    ring = r;
    r->left = n + 1;
    context_switch(&r->thread, &r->members[r->at]->context);
}

#endif
