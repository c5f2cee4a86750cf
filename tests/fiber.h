/* fiber.h - contexts with stacks of their own, for the tests of contexts.
 *
 * A fiber runs when the thread goes to it, and comes back to the thread; when
 * its function returns, it starts again at the next visit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FIBER_H
#define TESTS_FIBER_H

#include <stdbool.h>
#include <sys/mman.h>

#include "co/asan.h"
#include "co/context.h"
#include "tests/test.h"

enum { STACK_BYTES = 64 * 1024 };

struct fiber {
    struct context context;
    struct asan_fiber asan;
    char *stack;
    void (*run)(struct fiber *self);
    long n; /* for run() */
    bool done;
};

static struct fiber fiber_thread; /* stands for the thread's own stack */

static inline void fiber_switch(struct fiber *from, struct fiber *to)
{
    asan_leave(&from->asan, &to->asan);
    context_switch(&from->context, &to->context);
    asan_arrive(&from->asan, &fiber_thread.asan);
}

static inline void fiber_go(struct fiber *f) { fiber_switch(&fiber_thread, f); }

static inline void fiber_back(struct fiber *f)
{
    fiber_switch(f, &fiber_thread);
}

static inline void fiber_entry(void *arg)
{
    struct fiber *f = arg;

    asan_arrive(&f->asan, &fiber_thread.asan);
    for (;;) {
        f->run(f);
        f->done = true;
        fiber_back(f);
    }
}

static inline void fiber_open(struct fiber *f, void (*run)(struct fiber *))
{
    f->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(f->stack != MAP_FAILED);
    if (fiber_thread.run == NULL) {
        asan_fiber_open_thread(&fiber_thread.asan);
        fiber_thread.run = run; /* only says that it is open */
    }
    asan_fiber_open(&f->asan, f->stack, STACK_BYTES);
    f->run = run;
    f->done = false;
    CHECK_EQ(context_make(&f->context, f->stack, STACK_BYTES, fiber_entry, f),
             0);
}

static inline void fiber_close(struct fiber *f)
{
    asan_fiber_close(&f->asan);
    CHECK_EQ(munmap(f->stack, STACK_BYTES), 0);
}

static inline bool on_stack(const struct fiber *f, const void *p)
{
    return (const char *)p >= f->stack &&
           (const char *)p < f->stack + STACK_BYTES;
}

#endif
