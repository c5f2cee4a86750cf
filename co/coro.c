/* coro.c - a coroutine's life: spawned, run, ended, joined.
 *
 * A stack keeps its context when a coroutine ends: the entry loop below goes
 * round and runs the next function that is put there.  The handle belongs to
 * whoever spawned it; the stack goes back when the coroutine has ended and the
 * handle was given up, whichever is later, and always on the thread that ran
 * it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/coro.h"
#include "co/bug.h"
#include "co/runq.h"
#include "co/switch.h"
#include "co/wait.h"
#include <errno.h>
#include <stdlib.h>

enum { ID_BLOCK = 1024 };

/* ---- Ending -----------------------------------------------------------------
 */

/* Whoever waits in co_join() is woken.  Afterwards the handle's owner may give
 * it up at any time: only the owner thread acts on that, and it is busy
 * here. */
static bool end_handle(struct co *co)
{
    struct wait *w;
    bool released;

    waitq_lock(&co->joiners);
    co->ended = true;
    released = co->released;
    w = waitq_claim(&co->joiners);
    waitq_unlock(&co->joiners);
    if (w != NULL)
        wait_wake(w);
    return released;
}

static void end(struct co *co)
{
    struct sched *s = co_sched_of(co);
    bool released = co->detached;

    if (co->keys != NULL)
        coro_keys_end(co);
    if (co->at_end != NULL)
        co->at_end(co);
    if (__builtin_expect(atomic_load_explicit(&s->extras, memory_order_relaxed),
                         0))
        switch_drop();
    context_reset_fp();
    if (co->timer_at != 0) {
        timer_drop(&s->timer, co->stack.number);
        co->timer_at = 0;
    }
    co->cancelled = true; /* no wait of an ended one is worth anything */
    if (!released)
        released = end_handle(co);
    atomic_store_explicit(
        &s->finished,
        atomic_load_explicit(&s->finished, memory_order_relaxed) + 1,
        memory_order_release);
    if (sched_set.max != 0)
        atomic_fetch_sub(&sched_set.living, 1);
    if (!released)
        return;
    /* A cancel may still be on its way; it then frees, too. */
    if (atomic_load_explicit(&co->post.bits, memory_order_relaxed) != 0) {
        co->ended = true; /* for who looks on: nobody else asks */
        atomic_fetch_or(&co->post.bits, POST_FREE);
    } else if (co->stack.size_class == 0) {
        sched_free(s, co); /* into our own cache: nobody can take it before
                              the switch */
    } else {
        sched_free_later(s, co);
    }
}

/* In the child of a fork there is nothing to go back to.  A thread that forks
 * and then ends, ends its child so, too.  Told by a count, since the compiler
 * may keep the address of a thread-local across fn(), and the stack may have
 * come from another thread. */
__attribute__((noinline, cold, noreturn)) static void end_in_child(void)
{
    exit(EXIT_SUCCESS);
}

/* ended and released are set by end_handle() for the next user to find; with
 * the detached ones nobody asks. */
static void entry(void *arg)
{
    struct co *co = (struct co *)arg;

    switch_arrive(co);
    for (;;) {
        struct sched *s = co_sched_of(co);
        unsigned forks = sched_set.forks;

        if (s->cancel_all)
            co->cancelled = true;
        co->fn(co->arg);
        if (__builtin_expect(sched_set.forks != forks, 0))
            end_in_child();
        end(co);
        switch_leave(s, co);
    }
}

/* ---- Spawning
 * ---------------------------------------------------------------- */

static uint64_t new_id(struct sched *s)
{
    if (s == NULL)
        return atomic_fetch_add(&sched_set.ids, 1) + 1;
    if (s->id_next == s->id_end) {
        s->id_next = atomic_fetch_add(&sched_set.ids, ID_BLOCK);
        s->id_end = s->id_next + ID_BLOCK;
    }
    return ++s->id_next;
}

/* A context on a stack that has none.  -1 with errno, and the stack is given
 * back. */
__attribute__((noinline)) static int make_context(struct sched *s,
                                                  struct co *co)
{
    struct stack *stack = &co->stack;

    asan_fiber_open(&co->fiber, stack->low, stack_usable(stack));
    if (context_make(&co->context, stack->low, stack_usable(stack), entry, co) <
        0) {
        stack_put(s == NULL ? NULL : &s->stacks, stack);
        return -1;
    }
    stack->made = true;
    return 0;
}

static inline struct co *new_stack(struct sched *s, size_t bytes)
{
    struct stack *stack = stack_get(s == NULL ? NULL : &s->stacks, bytes);
    struct co *co;

    if (stack == NULL)
        return NULL;
    co = container_of(stack, struct co, stack);
    if (!stack->made && make_context(s, co) < 0)
        return NULL;
    return co;
}

/* Whose queue it will stand in when that is not simply the caller's.  NULL with
 * errno when there is no runtime. */
__attribute__((noinline)) static struct sched *home(struct sched *s,
                                                    const struct co_sched *on)
{
    struct sched *best;

    if (atomic_load(&sched_set.count) == 0) {
        errno = ESHUTDOWN;
        return NULL;
    }
    if (on != NULL && on != CO_ANY)
        return (struct sched *)on;
    if (on == NULL && sched_of_host != NULL)
        return sched_of_host;
    best = sched_set_idlest();
    /* A sleeping one takes it at once; else it waits here for who is first. */
    if (s != NULL && !atomic_load(&best->sleeping))
        return s;
    return best;
}

static int count_in(void)
{
    if (atomic_fetch_add(&sched_set.living, 1) < sched_set.max)
        return 0;
    atomic_fetch_sub(&sched_set.living, 1);
    errno = EAGAIN;
    return -1;
}

/* In one piece with its callers below, who know most of the plan. */
__attribute__((always_inline)) static inline struct co *make(
    const struct coro_plan *plan)
{
    const struct co_attr *attr = plan->attr;
    struct sched *s = sched_self(), *on;
    struct co *co;

    runq_enter(); /* until coro_start(), or we fail */
    if (s != NULL && (attr == NULL || attr->on == NULL))
        on = s;
    else if ((on = home(s, attr != NULL ? attr->on : NULL)) == NULL)
        goto fail;
    if (sched_set.max != 0 && count_in() < 0)
        goto fail;
    co = new_stack(s, attr != NULL ? attr->stack_size : 0);
    if (co == NULL)
        goto fail_count;
    co->cancelled = co->hold = false;
    co->wait = NULL;
    co->timer_at = 0;
    co->limit = CO_FOREVER;
    co->fn = plan->fn;
    co->arg = plan->arg;
    co->name = attr != NULL && attr->name != NULL ? attr->name : "";
    co->file = plan->file;
    co->line = plan->line;
    co->id = new_id(s);
    co->group = plan->group;
    co->at_end = plan->at_end;
    co->ended = false;
    co->detached = co->released = plan->detached;
    atomic_store_explicit(&co->sched, on, memory_order_release);
    return co;

fail_count:
    if (sched_set.max != 0)
        atomic_fetch_sub(&sched_set.living, 1);
fail:
    runq_leave();
    return NULL;
}

struct co *coro_new(const struct coro_plan *plan) { return make(plan); }

__attribute__((always_inline)) static inline void start(struct co *co, bool any)
{
    struct sched *s = sched_self(), *on = co_sched_of(co);

    if (s == NULL)
        atomic_fetch_add(&sched_set.spawned_outside, 1);
    else
        atomic_store_explicit(
            &s->spawned,
            atomic_load_explicit(&s->spawned, memory_order_relaxed) + 1,
            memory_order_release);
    if (on != s) {
        if (s != NULL)
            counter_add(&s->counters.sent, 1);
        runq_post(on, &co->post, POST_START);
    } else if (any) {
        list_push(&s->any, &co->any);
        s->any_count++;
    } else {
        runq_push(s, co);
    }
    runq_leave();
}

void coro_start(struct co *co, bool any) { start(co, any); }

struct co *co_spawn_at(co_fn *fn, void *arg, const struct co_attr *attr,
                       const char *file, int line)
{
    struct co *co = make(&(struct coro_plan){
        .fn = fn, .arg = arg, .attr = attr, .file = file, .line = line });

    if (co != NULL)
        start(co, attr != NULL && attr->on == CO_ANY);
    return co;
}

int co_go_at(co_fn *fn, void *arg, const char *file, int line)
{
    struct co *co = make(&(struct coro_plan){
        .fn = fn, .arg = arg, .file = file, .line = line, .detached = true });

    if (co == NULL)
        return -1;
    start(co, false);
    return 0;
}

const char *co_spawn_why(void) { return stack_why(); }

/* ---- The handle
 * ---------------------------------------------------------------- */

/* The caller has set released, and found co ended. */
static void free_handle(struct co *co)
{
    struct sched *s = sched_self();

    if (co_sched_of(co) != s)
        runq_post(co_sched_of(co), &co->post, POST_FREE);
    else if (atomic_load(&co->post.bits) != 0)
        atomic_fetch_or(&co->post.bits, POST_FREE);
    else
        sched_free(s, co);
}

/* In the child of a fork, whose handles mean nothing. */
static bool is_down(void) { return atomic_load(&sched_set.count) == 0; }

int co_join(struct co *co, int64_t deadline)
{
    struct wait w;

    if (co == co_running()) {
        errno = EDEADLK;
        return -1;
    }
    if (is_down()) {
        errno = ESHUTDOWN;
        return -1;
    }
    if (wait_open(&w, WAIT_JOIN, deadline) < 0)
        return -1;
    waitq_lock(&co->joiners);
    BUG_ON(co->released, "co_join: the handle was given up already");
    BUG_ON(!waitq_empty(&co->joiners), "co_join: another one joins it");
    if (!co->ended) {
        if (wait_passed(&w)) {
            waitq_unlock(&co->joiners);
            return -1;
        }
        waitq_push(&co->joiners, &w.link);
        waitq_unlock(&co->joiners);
        if (wait_park(&w) < 0)
            return -1;
        waitq_lock(&co->joiners);
    }
    co->released = true;
    waitq_unlock(&co->joiners);
    free_handle(co);
    return 0;
}

void co_detach(struct co *co)
{
    bool ended;

    if (is_down())
        return;
    waitq_lock(&co->joiners);
    BUG_ON(co->released, "co_detach: the handle was given up already");
    co->released = true;
    ended = co->ended;
    waitq_unlock(&co->joiners);
    if (ended)
        free_handle(co);
}

void co_cancel(struct co *co)
{
    if (is_down())
        return;
    if (co_sched_of(co) == sched_self()) {
        if (!co->ended)
            wait_cancel(co);
    } else {
        runq_post(co_sched_of(co), &co->post, POST_CANCEL);
    }
}
