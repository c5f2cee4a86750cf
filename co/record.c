/* record.c - see record.h.
 *
 * The struct and the ticket are copied as they are, then looked at in the copy:
 * so a copy taken while the owner is at work may be nonsense, but is the same
 * nonsense to each test.  Pointers to tickets and frames must point into the
 * coroutine's own stack; what else is pointed to may be gone by now, and is
 * read with peek().
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/record.h"
#include "co/chan.h"
#include "co/peek.h"
#include "co/select.h"
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(struct co) % 8 == 0, "copied in words");
_Static_assert(sizeof(struct wait) % 8 == 0, "copied in words");
_Static_assert(sizeof(struct selection) % 8 == 0, "copied in words");

struct taking {
    struct record *r;
    struct record_memory *memory;
    const struct co *at; /* the coroutine; its stack ends there */
    struct co co;        /* copies of it, and of its ticket */
    struct wait wait;
};

/* Whether bytes from p on lie in the coroutine's stack. */
static bool on_stack(const struct taking *t, const void *p, size_t bytes)
{
    uintptr_t from = (uintptr_t)p, low = (uintptr_t)t->co.stack.low;

    return from % 8 == 0 && from >= low && from <= (uintptr_t)t->at &&
           bytes <= (uintptr_t)t->at - from;
}

static void take_name(struct taking *t)
{
    struct record_memory *m = t->memory;

    if (t->co.name != m->name_at) {
        m->name_at = t->co.name;
        if (!peek_string(m->name, t->co.name, sizeof m->name))
            m->name[0] = '\0'; /* it may be "", too */
    }
    memcpy(t->r->name, m->name, sizeof t->r->name);
}

/* The record's `who`: another coroutine, that may have ended by now. */
static void take_who(struct taking *t, const struct co *who)
{
    struct record_memory *m = t->memory;

    if (who != m->who_at) {
        struct co copy;

        peek_words(&copy, who, sizeof copy);
        m->who_at = who;
        m->who_id = copy.id;
        if (!peek_string(m->who, copy.name, sizeof m->who))
            m->who[0] = '\0';
    }
    t->r->who_id = m->who_id;
    memcpy(t->r->who, m->who, sizeof t->r->who);
}

static bool is_co(const void *p)
{
    bool guard;

    return p != NULL && (const void *)stack_find(p, &guard) == p && !guard;
}

/* ---- What it waits for ------------------------------------------------------
 */

static void take_chan(struct taking *t)
{
    struct record *r = t->r;
    struct co_chan chan;

    if (t->wait.queue == NULL)
        return;
    r->object = container_of(t->wait.guard, struct co_chan, receivers);
    r->sends = t->wait.queue != t->wait.guard;
    if (!peek(&chan, r->object, sizeof chan))
        return;
    r->count = chan.count;
    r->capacity = chan.capacity;
    r->closed = chan.closed;
}

static void take_select(struct taking *t)
{
    const struct selection *at =
        container_of(t->co.wait, struct selection, wait);
    struct selection x;

    if (!on_stack(t, at, sizeof x))
        return;
    peek_words(&x, at, sizeof x);
    t->r->count = (size_t)x.count;
    t->r->capacity = (size_t)x.fds;
}

static void take_mutex(struct taking *t)
{
    struct record *r = t->r;
    struct co_mutex m;
    uintptr_t owner;

    r->object = container_of(t->wait.queue, struct co_mutex, waiters);
    if (!peek(&m, r->object, sizeof m))
        return;
    owner = (uintptr_t)m.owner & ~(uintptr_t)1; /* mutex.c: somebody waits */
    if (owner == 0)
        return;
    r->owner = RECORD_THREAD;
    if (!is_co((const void *)owner))
        return;
    r->owner = RECORD_COROUTINE;
    take_who(t, (const struct co *)owner);
}

static void take_group(struct taking *t)
{
    struct co_group g;

    t->r->object = container_of(t->wait.queue, struct co_group, waiters);
    if (peek(&g, t->r->object, sizeof g))
        t->r->count = (size_t)g.running;
}

static void take_join(struct taking *t)
{
    const struct co *other = container_of(t->wait.queue, struct co, joiners);

    t->r->object = other;
    if (is_co(other))
        take_who(t, other);
}

static void take_object(struct taking *t)
{
    struct record *r = t->r;

    switch ((enum wait_kind)r->kind) {
    case WAIT_FD:
        r->fd = t->wait.link.index;
        r->events = t->wait.link.events;
        break;
    case WAIT_CHAN:
        take_chan(t);
        break;
    case WAIT_SELECT:
        take_select(t);
        break;
    case WAIT_COND:
    case WAIT_SEM:
        r->object = t->wait.queue; /* the first field of both */
        break;
    case WAIT_MUTEX:
        take_mutex(t);
        break;
    case WAIT_GROUP:
        take_group(t);
        break;
    case WAIT_JOIN:
        take_join(t);
        break;
    default:
        break;
    }
}

/* A ticket that has been fired, by whomever, only waits for its owner's turn.
 */
static bool is_fired(const struct wait *w)
{
    if (!w->shared && w->queue != NULL)
        return !w->link.linked;
    return atomic_load_explicit(&w->claimed, memory_order_relaxed) != 0;
}

static void take_state(struct taking *t, const struct co *running)
{
    struct record *r = t->r;

    r->state = t->at == running ? RECORD_RUNNING : RECORD_READY;
    if (r->state == RECORD_RUNNING || !on_stack(t, t->co.wait, sizeof t->wait))
        return;
    peek_words(&t->wait, t->co.wait, sizeof t->wait);
    if (t->wait.co != t->at || is_fired(&t->wait))
        return;
    r->state = RECORD_WAITING;
    r->kind = t->wait.kind;
    r->since = t->co.since;
    r->deadline = t->co.deadline;
    take_object(t);
}

/* ---- Its stack --------------------------------------------------------------
 */

/* By frame pointers; code without them ends the walk, or misleads it. */
static void take_frames(struct taking *t)
{
    struct record *r = t->r;
    const void *at = context_record(&t->co.context);

    while (r->frame_count < RECORD_FRAMES && on_stack(t, at, 16)) {
        uintptr_t frame[2]; /* the caller's; the return address */

        peek_words(frame, at, sizeof frame);
        if (frame[1] == 0)
            break;
        r->frames[r->frame_count++] = (const void *)frame[1];
        if (frame[0] <= (uintptr_t)at)
            break;
        at = (const void *)frame[0];
    }
}

static void take_stack(struct taking *t)
{
    struct record *r = t->r;
    const char *sp = context_sp(&t->co.context);

    r->stack_size = (uint32_t)((const char *)t->at - t->co.stack.low);
    if (r->state == RECORD_RUNNING)
        return; /* what is saved is of its last switch */
    if (sp >= t->co.stack.low && sp <= (const char *)t->at)
        r->depth = (uint32_t)((const char *)t->at - sp);
    take_frames(t);
}

void record_touched(struct record *r)
{
    struct stack *stack = stack_at(r->number);
    size_t page = (size_t)sysconf(_SC_PAGESIZE), step = 64 * page;
    unsigned char pages[64];
    char *p, *end = (char *)stack;

    if (stack == NULL)
        return;
    /* The stack has no other size while the number stands. */
    p = (char *)(((uintptr_t)end - r->stack_size) & ~(page - 1));
    for (; p < end; p += step) {
        size_t n = (size_t)(end - p) < step ? (size_t)(end - p) : step;

        if (mincore(p, n, pages) < 0)
            return;
        for (size_t i = 0; i < (n + page - 1) / page; i++)
            r->touched += pages[i] & 1 ? (uint32_t)page : 0;
    }
}

void record_take(struct record *r, uint32_t number, const struct sched *s,
                 const struct co *running, struct record_memory *memory)
{
    struct taking t = { .r = r, .memory = memory };
    struct stack *stack = stack_at(number);

    *r = (struct record){ .number = number, .fd = -1 };
    t.at = container_of(stack, struct co, stack);
    /* Acquire: what the spawner wrote before it named the owner. */
    if (stack == NULL ||
        atomic_load_explicit(&t.at->sched, memory_order_acquire) != s)
        return;
    peek_words(&t.co, t.at, sizeof t.co);
    if (t.co.ended)
        return;
    r->id = t.co.id;
    r->file = t.co.file;
    r->line = t.co.line;
    r->cancelled = t.co.cancelled;
    r->held = t.co.hold;
    take_name(&t);
    take_state(&t, running);
    take_stack(&t);
}
