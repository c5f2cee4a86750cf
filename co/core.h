/* core.h - the two structs of the engine: the coroutine and its scheduler.
 *
 * Private to co/.  Fields are grouped by who may touch them.  A coroutine
 * belongs to one scheduler, whose thread is its "owner"; other threads reach it
 * only through its post, which they put into the owner's inbox.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CORE_H
#define CO_CORE_H

#include "co/asan.h"
#include "co/co.h"
#include "co/context.h"
#include "co/hidden.h"
#include "co/list.h"
#include "co/poller.h"
#include "co/stack.h"
#include "co/sys.h"
#include "co/timer.h"
#include <stdatomic.h>

struct wait;
struct sched;
struct ask;

/* What other threads tell the owner of something.  bits says what; while
 * POST_QUEUED is among them the post stands in an inbox, or is about to. */
struct post {
    struct post *next; /* whoever set POST_QUEUED, then the inbox's owner */
    atomic_uint bits;
};

enum {
    POST_QUEUED = 1,
    POST_START = 2,   /* a coroutine spawned from elsewhere: first run */
    POST_WAKE = 4,    /* its ticket was claimed: make it ready */
    POST_CANCEL = 8,  /* co_cancel() */
    POST_FREE = 16,   /* it has ended and nobody owns the handle any more */
    POST_CLOSED = 32, /* of an fd: its generation has moved on */
    POST_LOOK = 64    /* of an fd: who waits tries again */
};

/* What the C++ runtime keeps for each thread about exceptions being handled
 * (Itanium C++ ABI, 2.2.2). */
struct cxx_globals {
    void *caught;
    unsigned uncaught;
};

/* What a switch takes from the thread, when it is there at all: a C++ exception
 * that is being handled, what a library keeps (co_sys_guest()). */
enum { KEPT_CXX = 1, KEPT_GUEST = 2 };

struct guest {
    void *(*take)(void);
    void (*give)(void *kept);
    void (*drop)(void);
};
extern HIDDEN _Atomic(const struct guest *) switch_guest;

/* The order is that of cache lines of 64 bytes (x86-64, assembly back end): a
 * switch touches the first, spawning and ending the first two, waiting for most
 * things the first three. */
struct co {
    /* Owner thread only. */
    struct stack stack; /* first: the stack module finds it here */
    struct context context;
    int err;           /* errno while switched away */
    bool cancelled;    /* co_cancel(), as the owner has seen it */
    bool hold;         /* co_hold_cancel() */
    uint8_t kept;      /* KEPT_*: what was taken from the thread */
    bool detached;     /* from birth; constant */
    struct wait *wait; /* the ticket it is parked on, or NULL */

    /* Owner thread writes, any thread reads. */
    _Atomic(struct sched *) sched; /* NULL: this stack runs nothing */

    /* Any thread. */
    struct post post;

    /* Owner thread only: time. */
    int64_t timer_at; /* what its heap entry stands for; 0: no entry */
    int64_t limit;    /* co_limit_deadline() */

    int line;      /* constant, see below */
    bool ended;    /* these two under joiners.lock; here they fill a gap */
    bool released; /* detached, or joined */

    /* Set when spawned, then constant. */
    co_fn *fn;
    void *arg;
    void (*at_end)(struct co *co); /* of a group; NULL without one */
    uint64_t id;
    const char *name, *file;

    /* Not side by side: two stores are cheaper than what gcc makes of one. */
    int64_t deadline; /* owner; of wait; CO_FOREVER when there is none */
    void **keys;      /* owner; values of co_key_set() */
    int64_t since;    /* owner; of wait: sched.now when it began */
    struct co_waitq joiners;

    struct cxx_globals cxx; /* owner; with KEPT_CXX */
    void *guest;            /* owner; with KEPT_GUEST */
    struct list any;        /* owner; in sched.any until it starts */
    struct co_group *group; /* constant; NULL unless of co_group_go() */
    struct list member;     /* under group->waiters.lock */
    struct asan_fiber fiber;
};

enum {
    SCHED_BUDGET = 61, /* switches between two looks at the poller */
    SCHED_MAX = 256,
    SCHED_TIDY_ID = STACK_MAX, /* among the timers: time to tidy up */
    SCHED_TIDY_NS = 1000 * 1000 * 1000,
    FD_CHUNKS = 1 << 14, /* of FD_CHUNK descriptors each: 16 million */
    FD_CHUNK = 1 << 10
};

struct fd_entry;

/* What has happened since the start.  Written by the owner, mostly once a turn
 * of its loop, with counter_add(). */
struct counters {
    atomic_ulong sent;     /* of `spawned`: born elsewhere */
    atomic_ulong arrived;  /* spawned elsewhere, born here */
    atomic_ulong switches; /* to a coroutine */
    atomic_ulong polls, fd_events, timers;
    atomic_ulong posts; /* that came through the inbox */
    atomic_uint ready_max;
};

struct sched {
    /* Owner thread only, touched by each switch. */
    struct co *running;
    struct co **ring; /* the run queue: a ring of ring_mask + 1 places */
    uint32_t head, tail, ring_mask;
    int budget;     /* switches left until the poller's turn */
    unsigned calls; /* on descriptors, since the last wait */
    int *errno_at;
    struct cxx_globals *cxx; /* of this thread; NULL without C++ */
    atomic_bool extras;      /* a switch has more to carry; any thread sets */
    struct context loop;     /* the thread's own context */
    struct asan_fiber fiber;

    /* Owner thread only. */
    struct stack_cache stacks;
    uint64_t id_next, id_end; /* coroutine ids it may give out */
    struct co *ended;         /* its stack goes back once the loop runs */
    struct list any;          /* CO_ANY ones not started yet */
    unsigned any_count;
    struct poller poller;
    struct timer timer;
    int64_t now; /* at the last look at the clock */
    unsigned turns;
    int eventfd;
    bool tidy_set;        /* SCHED_TIDY_ID stands among the timers */
    bool remote_wake;     /* the last sleep ended by the inbox */
    unsigned spin_misses; /* in a row: spins that nothing came of */
    bool cancel_all;      /* the runtime stops: whatever starts is cancelled */
    _Atomic(struct fd_entry *) *fds; /* chunks; read by who closes an fd */
    struct fd_entry *unverified;     /* fds whose registration is trusted */
    bool watching;                   /* descriptors were registered */
    struct poller_event events[POLLER_BATCH];
    unsigned index;
    bool hosted;   /* embedded: its thread is a host's.  Constant */
    int64_t grace; /* of an embedded one: how long its close may take */

    /* Owner writes, any thread reads. */
    _Alignas(64) atomic_ulong spawned; /* by this thread, wherever they live */
    atomic_ulong finished;             /* that lived here */
    atomic_uint load;                  /* ready ones, about */
    atomic_bool retired; /* its thread runs it no more: nothing may go there */
    _Alignas(64) struct counters counters;

    /* Any thread. */
    _Alignas(64) _Atomic(struct post *) inbox; /* newest first */
    atomic_int sleeping; /* blocks in the poller: write eventfd to wake it */
    _Atomic(struct ask *) ask; /* ask.h; one at a time */
};

/* The embedded scheduler whose host this thread is, or NULL.  Between its steps
 * the thread is a plain one. */
extern _Thread_local struct sched *sched_of_host
    __attribute__((tls_model("initial-exec")));

/* The scheduler that this thread is, or NULL. */
static inline struct sched *sched_self(void) { return co_sys_thread; }

/* By the only thread that writes it: cheaper than an atomic addition. */
static inline void counter_add(atomic_ulong *counter, unsigned long n)
{
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
        memory_order_relaxed);
}

/* The coroutine that runs on this thread, or NULL. */
static inline struct co *co_running(void)
{
    struct sched *s = co_sys_thread;

    return s == NULL ? NULL : s->running;
}

/* A little later, registrations that were trusted are verified, and stacks that
 * were used deeply give pages back: not while there is work. */
static inline void sched_tidy_soon(struct sched *s)
{
    if (s->tidy_set)
        return;
    s->tidy_set = true;
    timer_set(&s->timer, SCHED_TIDY_ID, s->now + SCHED_TIDY_NS, s->now);
}

static inline struct sched *co_sched_of(const struct co *c)
{
    return atomic_load_explicit(&c->sched, memory_order_relaxed);
}

#endif
