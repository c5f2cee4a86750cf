/* wait.c - tickets and the lock of their queues; see wait.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/wait.h"
#include "co/bug.h"
#include "co/clock.h"
#include "co/runq.h"
#include "co/switch.h"
#include "co/sys.h"
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPIN = 200, LOCK_SLEEP_MAX_NS = 1000000 };

atomic_uint waitq_sleepers;

static void futex_wait(void *at, uint32_t value, const struct timespec *rel)
{
    /* All outcomes (woken, changed, interrupted, timed out) mean: look again.
     */
    (void)syscall(SYS_futex, at, FUTEX_WAIT_PRIVATE, value, rel, NULL, 0);
}

static void futex_wake(void *at)
{
    /* The memory may be gone or be something else by now: EFAULT or a spurious
     * wake are both harmless. */
    (void)syscall(SYS_futex, at, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static inline bool try_lock(struct co_waitq *q)
{
    return __atomic_load_n(&q->lock, __ATOMIC_RELAXED) == 0 &&
           __atomic_exchange_n(&q->lock, 1, __ATOMIC_ACQUIRE) == 0;
}

/* The holder may be preempted, so after a short spin we sleep.  We say so in
 * waitq_sleepers, and membarrier() puts a full barrier into every running
 * thread: an unlock whose store we do not see when we look again will
 * see our announcement.  Where the kernel has no membarrier, the sleep
 * is bounded instead. */
void waitq_lock_slow(struct co_waitq *q)
{
    struct timespec most = { 0, LOCK_SLEEP_MAX_NS };
    int err = errno; /* a lock may be taken between an error and its report */

    for (int i = 0; i < SPIN; i++) {
        if (try_lock(q))
            return;
        clock_relax();
    }
    atomic_fetch_add(&waitq_sleepers, 1);
    (void)syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    while (!try_lock(q))
        futex_wait(&q->lock, 1, &most);
    atomic_fetch_sub(&waitq_sleepers, 1);
    errno = err;
}

void waitq_wake_sleeper(struct co_waitq *q)
{
    int err = errno;

    futex_wake(&q->lock);
    errno = err;
}

bool wait_claim(struct wait *w, int why)
{
    int open = 0;

    /* Acquire and release: the loser sees what the winner was owed. */
    if (!atomic_compare_exchange_strong(&w->claimed, &open, 1))
        return false;
    w->why = why;
    return true;
}

enum { THREAD_WAITS, THREAD_WOKEN, THREAD_SLEEPS };

void wait_wake_thread(struct wait *w)
{
    uint64_t one = 1;
    int fd = w->thread_fd;

    if (fd >= 0)
        /* The waiter does not go before it has read this. */
        (void)!sys.write(fd, &one, sizeof one);
    else if (atomic_exchange(&w->thread, THREAD_WOKEN) == THREAD_SLEEPS)
        futex_wake(&w->thread);
}

void wait_expire(struct wait *w, int err)
{
    if (w->shared) {
        if (!wait_claim(w, err))
            return;
    } else if (w->queue != NULL) {
        struct co_waitq *guard = w->guard;
        bool ours;

        waitq_lock(guard);
        ours = w->link.linked;
        if (ours)
            waitq_remove(w->queue, &w->link);
        waitq_unlock(guard);
        if (!ours)
            return;
        w->why = err;
    } else {
        if (atomic_load_explicit(&w->claimed, memory_order_relaxed))
            return;
        atomic_store_explicit(&w->claimed, 1, memory_order_relaxed);
        w->why = err;
    }
    wait_wake(w);
}

/* A thread's own time-out claims its own ticket; when somebody else has claimed
 * it, their wake is on its way. */
static void park_thread(struct wait *w)
{
    struct timespec left, *timeout = NULL;

    /* Tickets that can fail were asked before, by wait_passed(). */
    BUG_ON(w->deadline == WAIT_DEADLOCK,
           "a host's thread would wait for a mutex: use co_mutex_trylock()");
    for (int i = 0; i < SPIN; i++) {
        if (atomic_load(&w->thread) == THREAD_WOKEN)
            return;
        clock_relax();
    }
    for (;;) {
        int waits = THREAD_WAITS;

        (void)atomic_compare_exchange_strong(&w->thread, &waits, THREAD_SLEEPS);
        if (atomic_load(&w->thread) == THREAD_WOKEN)
            return;
        if (w->deadline != CO_FOREVER) {
            int64_t now = clock_now();

            if (now >= w->deadline) {
                wait_expire(w, ETIMEDOUT);
                w->deadline = CO_FOREVER;
                timeout = NULL;
                continue;
            }
            left = clock_timespec(w->deadline - now);
            timeout = &left;
        }
        futex_wait(&w->thread, THREAD_SLEEPS, timeout);
    }
}

static void park_co(struct wait *w, struct co *co)
{
    struct sched *s = co_sched_of(co);

    co->wait = w;
    co->deadline = w->deadline;
    co->since = s->now;
    s->calls = 0;
    if (w->deadline != CO_FOREVER &&
        (co->timer_at == 0 || w->deadline < co->timer_at)) {
        timer_set(&s->timer, co->stack.number, w->deadline, s->now);
        co->timer_at = w->deadline;
    }
    switch_away(s, co);
    co->wait = NULL;
}

int wait_park(struct wait *w)
{
    if (w->co != NULL)
        park_co(w, w->co);
    else
        park_thread(w);
    if (__builtin_expect(w->why == 0, 1))
        return 0;
    errno = w->why;
    return -1;
}

void wait_cancel(struct co *co)
{
    co->cancelled = true;
    if (co->wait != NULL && !co->hold && co->wait->kind < WAIT_SURE)
        wait_expire(co->wait, ECANCELED);
}

void wait_close(struct co_waitq *q, struct wait_link *l)
{
    waitq_lock(q);
    if (l->linked)
        waitq_remove(q, l);
    waitq_unlock(q);
}

/* The claimed links are no queue's any more, so they can hold the list. */
struct wait_link *waitq_claim_all(struct co_waitq *q, int why)
{
    struct wait_link *first = NULL, **end = &first;
    struct wait *w;

    while ((w = waitq_claim(q)) != NULL) {
        w->why = why;
        *end = w->fired;
        end = &w->fired->next;
    }
    *end = NULL;
    return first;
}

void wait_wake_all(struct wait_link *first)
{
    struct wait_link *l = first, *next;

    for (; l != NULL; l = next) {
        next = l->next;
        wait_wake(l->wait);
    }
}
