/* self.c - what a coroutine says of itself, or of one it owns.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/core.h"
#include "co/slab.h"
#include "co/sys.h"

static struct co *running(const char *why)
{
    struct co *co = co_running();

    BUG_ON(co == NULL, why);
    return co;
}

bool co_hold_cancel(bool hold)
{
    struct co *co = running("co_hold_cancel: called outside a coroutine");
    bool old = co->hold;

    co->hold = hold;
    return old;
}

int64_t co_limit_deadline(int64_t deadline)
{
    struct co *co = running("co_limit_deadline: called outside a coroutine");
    int64_t old = co->limit;

    if (deadline < old)
        co->limit = deadline;
    return old;
}

void co_restore_deadline(int64_t old)
{
    running("co_restore_deadline: called outside a coroutine")->limit = old;
}

/* Not what the system call itself stands on. */
uint64_t co_sys_turn(void)
{
    struct sched *s = sched_self();

    if (s == NULL || s->running == NULL)
        return 0;
    return (uint64_t)atomic_load_explicit(&s->counters.polls,
                                          memory_order_relaxed) *
               SCHED_MAX +
           s->index + 1;
}

void co_sys_trim(void)
{
    enum { OWN_FRAMES = 2048 };
    struct co *co = running("co_sys_trim: called outside a coroutine");

    slab_trim_below(&co->stack,
                    (uintptr_t)__builtin_frame_address(0) - OWN_FRAMES);
}

struct co *co_self(void) { return co_running(); }

uint64_t co_id(void)
{
    struct co *co = co_running();

    return co == NULL ? 0 : co->id;
}

/* A cancel from another thread may not have been taken out of the inbox yet. */
bool co_cancelled(void)
{
    struct co *co = running("co_cancelled: called outside a coroutine");

    return co->cancelled ||
           (atomic_load_explicit(&co->post.bits, memory_order_relaxed) &
            POST_CANCEL);
}

const char *co_name(const struct co *co) { return co->name; }
uint64_t co_id_of(const struct co *co) { return co->id; }

const char *co_born(const struct co *co, int *line)
{
    if (line != NULL)
        *line = co->line;
    return co->file;
}
