/* coro.h - making coroutines, for the rest of co/.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CORO_H
#define CO_CORO_H

#include "co/sched.h"

struct coro_plan {
    co_fn *fn;
    void *arg;
    const struct co_attr *attr; /* or NULL */
    const char *file;
    int line;
    bool detached;
    struct co_group *group; /* with at_end, called when it has ended */
    void (*at_end)(struct co *co);
};

/* Makes a coroutine and sets it up, but does not start it: NULL with errno as
 * co_spawn(). */
struct co *coro_new(const struct coro_plan *plan);

/* Lets it run on its scheduler; or, if any is set, on the first one that has
 * time for it.  A detached one is not the caller's any more. */
void coro_start(struct co *co, bool any);

/* Calls the destructors of co's keys. */
void coro_keys_end(struct co *co);

#endif
