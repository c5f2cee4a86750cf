/* wait.h - the ticket: how anything waits for anything.
 *
 * Private to co/.  A ticket lives on the stack of whoever waits, so waiting
 * allocates nothing.  It is given to one source or several (a waitq, an fd),
 * and fired exactly once.  The protocol:
 *
 *   wait_open(&w, kind, deadline)   -1 ECANCELED when cancelled
 *   waitq_lock(q)
 *   look whether one must wait at all; if not: unlock, done
 *   if (wait_passed(&w))            may not wait: unlock, fail with errno
 *   waitq_push(q, &w.link)
 *   waitq_unlock(q)
 *   wait_park(&w)                   0, or -1 with errno
 *
 * and on the other side, under q's lock:
 *
 *   w = waitq_claim(q)              one winner per ticket; NULL: nobody waits
 *   copy what is owed; w->data, w->fired say where
 *   waitq_unlock(q)
 *   wait_wake(w)                    touches w no more
 *
 * Who may claim.  A ticket in one queue (not `shared`) is claimed under that
 * queue's lock by being taken out of it: a time-out or a cancel takes the same
 * lock and looks whether it is still linked.  A ticket that several sources
 * hold (`shared`: a select) is claimed by compare-and-swap; its owner takes it
 * out of the other queues afterwards, under their locks.  A ticket that only
 * its owner's thread holds (an fd, a sleep) needs neither.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_WAIT_H
#define CO_WAIT_H

#include "co/hidden.h"
#include "co/runq.h"
#include <errno.h>

struct wait_link { /* a ticket's place in one queue */
    struct wait_link *next, *prev;
    struct wait *wait;
    bool linked;            /* under the queue's lock */
    bool trusts;            /* of an fd: parked without asking the kernel */
    int index;              /* the select's case; reported as wait->fired */
    void *data;             /* the source's own: where to copy from or to */
    uint32_t events, ready; /* of an fd: waited for; seen */
};

/* What a ticket waits for: for those who look on (record.c), but for the line
 * that is drawn below. */
enum wait_kind {
    WAIT_SLEEP, /* no source at all */
    WAIT_FD,    /* link.index is its number */
    WAIT_CHAN,  /* no queue: a channel that is NULL */
    WAIT_SELECT,
    WAIT_COND,
    WAIT_SEM,
    WAIT_GROUP,
    WAIT_JOIN,
    WAIT_QUIET, /* the end of the others */
    WAIT_SURE,  /* no cancel ends this and what follows */
    WAIT_MUTEX,
    WAIT_OFFLOAD,
    WAIT_DUMP /* co_dump() */
};

struct wait {
    struct co *co;          /* who waits; NULL: a plain thread */
    struct co_waitq *queue; /* the one queue of a ticket not shared, or NULL */
    struct co_waitq *guard; /* whose lock guards that queue; often itself */
    bool shared;            /* several sources hold it */
    uint8_t kind;           /* enum wait_kind; set by who opens it */
    atomic_int claimed;
    int why;                 /* set by the winner: 0, or an errno */
    struct wait_link *fired; /* set by waitq_claim(): the link that won */
    int64_t deadline;
    struct wait_link link; /* for the one source of a simple wait */
    atomic_int thread;     /* plain thread: futex */
    int thread_fd; /* plain thread waiting for fds: its eventfd, or -1 */
};

/* The deadline of a ticket whose owner must not park: an embedded scheduler's
 * host, between two steps, would wait for who only runs when it steps. */
#define WAIT_DEADLOCK INT64_MIN

/* -1 ECANCELED when the running coroutine is cancelled and does not hold it. */
static inline int wait_check(void)
{
    struct co *co = co_running();

    if (__builtin_expect(co != NULL && co->cancelled && !co->hold, 0)) {
        errno = ECANCELED;
        return -1;
    }
    return 0;
}

static inline void wait_init(struct wait *w, enum wait_kind kind, struct co *co,
                             int64_t deadline)
{
    atomic_init(&w->claimed, 0); /* first: the rest is then in one piece */
    w->co = co;
    w->queue = NULL;
    w->shared = false;
    w->kind = (uint8_t)kind;
    w->why = 0;
    w->fired = NULL;
    w->deadline = deadline;
    w->link.wait = w;
    w->link.linked = false;
    if (co == NULL) {
        atomic_init(&w->thread, 0);
        w->thread_fd = -1;
        if (sched_of_host != NULL)
            w->deadline = deadline > CO_NOWAIT ? WAIT_DEADLOCK : CO_NOWAIT;
    }
}

/* wait_open() after a wait_check() that said 0. */
static inline void wait_open_checked(struct wait *w, enum wait_kind kind,
                                     int64_t deadline)
{
    struct co *co = co_running();

    if (co != NULL && !co->hold && co->limit < deadline)
        deadline = co->limit;
    wait_init(w, kind, co, deadline);
}

/* Sets w up, for a wait until deadline or the coroutine's own limit.  -1 as
 * wait_check(). */
static inline int wait_open(struct wait *w, enum wait_kind kind,
                            int64_t deadline)
{
    if (wait_check() < 0)
        return -1;
    wait_open_checked(w, kind, deadline);
    return 0;
}

/* Like wait_open() for what can neither time out nor be cancelled. */
static inline void wait_open_sure(struct wait *w, enum wait_kind kind)
{
    wait_init(w, kind, co_running(), CO_FOREVER);
}

/* Whether the deadline is CO_NOWAIT or before: the caller must not park.  Sets
 * errno to ETIMEDOUT when so, or to EDEADLK. */
static inline bool wait_passed(const struct wait *w)
{
    if (__builtin_expect(w->deadline > CO_NOWAIT, 1))
        return false;
    errno =
        w->deadline == WAIT_DEADLOCK && w->co == NULL && sched_of_host != NULL
            ? EDEADLK
            : ETIMEDOUT;
    return true;
}

/* Gives the thread to others until the ticket is fired.  0, or -1 and errno:
 * what the winner said, ETIMEDOUT, ECANCELED.  Afterwards a ticket that is not
 * shared stands in no queue. */
int wait_park(struct wait *w);

/* Takes l out of q unless it has been fired: for the links of a shared ticket,
 * after the park. */
void wait_close(struct co_waitq *q, struct wait_link *l);

/* One winner.  For a ticket that is shared; others are claimed by
 * waitq_claim().
 */
bool wait_claim(struct wait *w, int why);

void wait_wake_thread(struct wait *w);

/* The winner's last act: makes the waiter ready, from any thread. */
static inline void wait_wake(struct wait *w)
{
    if (__builtin_expect(w->co != NULL, 1))
        runq_ready(w->co);
    else
        wait_wake_thread(w);
}

/* Owner's thread: ends the park of w with err (ETIMEDOUT, ECANCELED, EBADF),
 * unless it has been fired. */
void wait_expire(struct wait *w, int err);

/* Marks co cancelled, and ends its park unless it holds cancel off.  Owner's
 * thread. */
void wait_cancel(struct co *co);

/* ---- waitq: the locked FIFO of tickets ------------------------------------
 */

void waitq_lock_slow(struct co_waitq *q);
/* Threads asleep on any waitq's lock. */
extern HIDDEN atomic_uint waitq_sleepers;
void waitq_wake_sleeper(struct co_waitq *q);

static inline void waitq_lock(struct co_waitq *q)
{
    if (__atomic_exchange_n(&q->lock, 1, __ATOMIC_ACQUIRE) != 0)
        waitq_lock_slow(q);
}

/* Reads waitq_sleepers after the store, without a fence: whoever goes to sleep
 * makes up for it with membarrier(2).  Touches q only by its address then,
 * since it may be gone. */
static inline void waitq_unlock(struct co_waitq *q)
{
    __atomic_store_n(&q->lock, 0, __ATOMIC_RELEASE);
    atomic_signal_fence(memory_order_seq_cst);
    if (__builtin_expect(
            atomic_load_explicit(&waitq_sleepers, memory_order_relaxed) != 0,
            0))
        waitq_wake_sleeper(q);
}

/* All with q locked. */
static inline bool waitq_empty(const struct co_waitq *q)
{
    return q->head == NULL;
}

/* For queues that share a lock: it is that of guard. */
static inline void waitq_push_under(struct co_waitq *guard, struct co_waitq *q,
                                    struct wait_link *l)
{
    struct wait_link *tail = (struct wait_link *)q->tail;

    l->next = NULL;
    l->prev = tail;
    if (tail != NULL)
        tail->next = l;
    else
        q->head = l;
    q->tail = l;
    l->linked = true;
    l->wait->queue = q; /* of use only when the ticket is not shared */
    l->wait->guard = guard;
}

static inline void waitq_push(struct co_waitq *q, struct wait_link *l)
{
    waitq_push_under(q, q, l);
}

/* For who has been first before. */
static inline void waitq_push_first(struct co_waitq *q, struct wait_link *l)
{
    struct wait_link *head = (struct wait_link *)q->head;

    l->next = head;
    l->prev = NULL;
    if (head != NULL)
        head->prev = l;
    else
        q->tail = l;
    q->head = l;
    l->linked = true;
    l->wait->queue = l->wait->guard = q;
}

static inline void waitq_remove(struct co_waitq *q, struct wait_link *l)
{
    if (l->prev != NULL)
        l->prev->next = l->next;
    else
        q->head = l->next;
    if (l->next != NULL)
        l->next->prev = l->prev;
    else
        q->tail = l->prev;
    l->linked = false;
}

/* Claims all that wait, and returns them as a list that wait_wake_all() takes
 * once q is unlocked. */
struct wait_link *waitq_claim_all(struct co_waitq *q, int why);
void wait_wake_all(struct wait_link *first);

/* The first ticket that nobody else has fired, taken out and claimed; its
 * `fired` is the link that stood here.  NULL when there is none. */
static inline struct wait *waitq_claim(struct co_waitq *q)
{
    struct wait_link *l;

    while ((l = (struct wait_link *)q->head) != NULL) {
        struct wait *w = l->wait;

        waitq_remove(q, l);
        if (w->shared && !wait_claim(w, 0))
            continue;
        w->fired = l;
        return w;
    }
    return NULL;
}

#endif
