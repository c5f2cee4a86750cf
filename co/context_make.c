/* context_make.c - the first frame of a context.
 *
 * makecontext() knows what a fresh stack must look like on each CPU, and
 * setcontext() enters it right with respect to signal masks; both are slow, so
 * they are used once a stack.  The new context runs up to its entry and at once
 * switches back to its maker.  From then on it is like any other context that
 * was switched away from, and context_switch() need not tell them apart.
 *
 * SPDX-License-Identifier: MIT
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <ucontext.h>

#include "co/bug.h"
#include "co/context.h"

/* The frames up to the first switch take some 300 bytes; what entry and a
 * signal need comes on top, and only the maker knows it. */
enum { SIZE_MIN = 1024 };

/* What the maker tells the new context; on the maker's stack, as the ucontext_t
 * is: it would be a quarter of the page that the new stack has. */
struct birth {
    struct context *made;
    struct context maker;
    context_entry *entry;
    void *arg;
    bool entered;
};

void context_first(unsigned high, unsigned low)
{
    struct birth *birth =
        (struct birth *)(uintptr_t)((uint64_t)high << 32 | low);
    context_entry *entry = birth->entry;
    void *arg = birth->arg;

    birth->entered = true;
    context_reset_fp();
    context_switch(birth->made, &birth->maker);
    /* The maker has returned: *birth is gone. */
    entry(arg);
    BUG_ON(true, "the entry of a context returned");
}

int context_make(struct context *c, void *low, size_t size,
                 context_entry *entry, void *arg)
{
    struct birth birth = { .made = c, .entry = entry, .arg = arg };
    uint64_t self = (uintptr_t)&birth;
    ucontext_t start;

    if (size < SIZE_MIN) {
        errno = EINVAL;
        return -1;
    }
    if (getcontext(&start) < 0)
        return -1;
    start.uc_stack.ss_sp = low;
    start.uc_stack.ss_size = size;
    start.uc_link = NULL;
    /* makecontext() passes ints, so the pointer goes in two. */
    makecontext(&start, (void (*)(void))context_start, 2,
                (unsigned)(self >> 32), (unsigned)self);
    context_enter(&birth.maker, &start);
    return birth.entered ? 0 : -1;
}
