/* mutex.c - the mutex: an atomic word that says who owns it, and a queue.
 *
 * The word is the owner's identity, with bit 0 set while somebody waits; so
 * lock and unlock are one compare-and-swap each when nobody does.  Unlock wakes
 * the first waiter, the heir, but leaves the mutex free: whoever runs may take
 * it first, as handing it to somebody who still has to wake up would make all
 * others wait for that, too.  There is one heir at a time, and he goes back to
 * the head of the queue when he comes too late, so waiters stay in order.
 * Once he has waited for HANDOFF_NS, the next unlock makes him the owner.
 *
 * Bit 0 is set and cleared under the queue's lock only, and while it is set
 * every unlock takes that lock.  So whoever frees the memory of a mutex after
 * his unlock has come after all others who touched it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/clock.h"
#include "co/wait.h"

enum { HANDOFF_NS = 1000000 };

#define WAITERS ((uintptr_t)1)

struct waiter {
    uintptr_t self;
    int64_t since;
};

/* A coroutine's address; of a plain thread, that of one of its thread-locals.
 */
static inline uintptr_t self_id(void)
{
    struct co *co = co_running();

    return co != NULL ? (uintptr_t)co : (uintptr_t)&co_sys_thread;
}

static inline uintptr_t *word_of(struct co_mutex *m)
{
    return (uintptr_t *)&m->owner;
}

static inline bool swap(struct co_mutex *m, uintptr_t *old, uintptr_t new)
{
    return __atomic_compare_exchange_n(word_of(m), old, new, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline uintptr_t load(struct co_mutex *m)
{
    return __atomic_load_n(word_of(m), __ATOMIC_RELAXED);
}

/* By the owner, under the queue's lock: nobody else writes the word then,
 * unless it says that the mutex is free. */
static inline void store(struct co_mutex *m, uintptr_t word)
{
    __atomic_store_n(word_of(m), word, __ATOMIC_RELEASE);
}

/* Takes a mutex that is free, whoever waits. */
static bool take(struct co_mutex *m, uintptr_t self)
{
    uintptr_t old = load(m);

    while ((old & ~WAITERS) == 0)
        if (swap(m, &old, self | (old & WAITERS)))
            return true;
    return false;
}

/* Under the queue's lock: takes the mutex, or announces a waiter. */
static bool take_or_announce(struct co_mutex *m, uintptr_t self)
{
    while (!take(m, self)) {
        uintptr_t old = load(m);

        if ((old & ~WAITERS) != 0 &&
            ((old & WAITERS) || swap(m, &old, old | WAITERS)))
            return false;
    }
    return true;
}

/* The heir's turn, under the queue's lock; true when he owns the mutex. */
static bool inherit(struct co_mutex *m, uintptr_t self)
{
    if ((load(m) & ~WAITERS) == self)
        return true; /* handed */
    m->heir = NULL;
    if (!take(m, self))
        return false;
    if (waitq_empty(&m->waiters))
        store(m, self);
    return true;
}

static __attribute__((noinline)) void lock_slow(struct co_mutex *m,
                                                uintptr_t self)
{
    struct waiter me = { .self = self, .since = clock_now() };
    bool first = true, mine;

    BUG_ON((load(m) & ~WAITERS) == self, "co_mutex_lock: the caller owns it");
    for (;; first = false) {
        struct wait w;

        wait_open_sure(&w, WAIT_MUTEX);
        w.link.data = &me;
        waitq_lock(&m->waiters);
        mine = first ? take_or_announce(m, self) : inherit(m, self);
        if (!mine && first)
            waitq_push(&m->waiters, &w.link);
        else if (!mine)
            waitq_push_first(&m->waiters, &w.link);
        waitq_unlock(&m->waiters);
        if (mine)
            return;
        (void)wait_park(&w); /* a sure one cannot fail */
    }
}

void co_mutex_lock(struct co_mutex *m)
{
    uintptr_t self = self_id(), old = 0;

    if (!swap(m, &old, self) && !take(m, self))
        lock_slow(m, self);
}

bool co_mutex_trylock(struct co_mutex *m) { return take(m, self_id()); }

/* Under the queue's lock, with bit 0 set: gives the mutex up.  Returns a waiter
 * to wake, or NULL when the heir has been woken already. */
static struct wait *release(struct co_mutex *m, int64_t now)
{
    struct wait *w = NULL;

    if (m->heir == NULL) {
        const struct waiter *head;

        w = waitq_claim(&m->waiters);
        head = (const struct waiter *)w->fired->data;
        m->heir = (void *)head->self;
        m->heir_since = head->since;
    }
    if (now - m->heir_since < HANDOFF_NS) {
        store(m, WAITERS);
    } else {
        store(m, (uintptr_t)m->heir | (waitq_empty(&m->waiters) ? 0 : WAITERS));
        m->heir = NULL;
    }
    return w;
}

static __attribute__((noinline)) void unlock_slow(struct co_mutex *m)
{
    int64_t now = clock_now();
    struct wait *w;

    waitq_lock(&m->waiters);
    w = release(m, now);
    waitq_unlock(&m->waiters);
    if (w != NULL)
        wait_wake(w);
}

void co_mutex_unlock(struct co_mutex *m)
{
    uintptr_t self = self_id(), old = self;

    if (swap(m, &old, 0))
        return;
    BUG_ON(old != (self | WAITERS),
           "co_mutex_unlock: the caller does not own it");
    unlock_slow(m);
}
