/* swapcontext.c - the C library's own switch, which keeps the signal mask, too.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct context {
    ucontext_t ucontext;
};

static void start(unsigned high, unsigned low)
{
    void **call = (void **)(uintptr_t)((uint64_t)high << 32 | low);

    ((void (*)(void *))call[0])(call[1]);
}

static int context_make(struct context *c, void *low, size_t size,
                        void (*entry)(void *), void *arg)
{
    void **call = low; /* the far end of the stack keeps the call */
    uint64_t pointer = (uintptr_t)call;

    if (getcontext(&c->ucontext) < 0)
        return -1;
    call[0] = (void *)entry;
    call[1] = arg;
    c->ucontext.uc_stack.ss_sp = low;
    c->ucontext.uc_stack.ss_size = size;
    c->ucontext.uc_link = NULL;
    makecontext(&c->ucontext, (void (*)(void))start, 2,
                (unsigned)(pointer >> 32), (unsigned)pointer);
    return 0;
}

static void context_switch(struct context *from, struct context *to)
{
    (void)swapcontext(&from->ucontext, &to->ucontext); /* seen in the figure */
}

#include "bench/switch/ring.h"

struct ring *ring_of_swapcontext(unsigned count) { return ring_make(count); }

void ring_turn_swapcontext(struct ring *ring, long n) { ring_turn(ring, n); }

void switch_callee(void *arg) { (void)arg; }
