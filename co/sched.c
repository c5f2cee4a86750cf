/* sched.c - the loop of a scheduler's thread: the page to read first.
 *
 * Coroutines switch straight to each other (switch.c), so the loop's own
 * context runs only when none is ready, or every SCHED_BUDGET switches.  One
 * turn: take what other threads sent, start what was spawned for anybody, run
 * the ready ones, ask the poller, claim what is due.  It blocks only when it
 * has found nothing in one whole turn.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sched.h"
#include "co/ask.h"
#include "co/clock.h"
#include "co/fd.h"
#include "co/runq.h"
#include "co/switch.h"
#include "co/sys.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DUE_BATCH = 64,
    EVENT_NEAR = 3, /* places that events are fetched ahead */
    EVENT_FAR = 7,
    ANY_TURN = 8,   /* CO_ANY ones started in a turn beside ready ones */
    SPIN_NS = 5000, /* how long a sender is waited for before sleeping */
    SPIN_MISSES = 8,
    CLOCK_TURNS = 16 /* the clock is looked at this often at least */
};

void sched_nudge(struct sched *s)
{
    uint64_t one = 1;

    (void)!sys.write(s->eventfd, &one, sizeof one); /* EAGAIN: it is readable */
}

void sched_free_later(struct sched *s, struct co *co)
{
    if (s->ended != NULL)
        sched_free(s, s->ended);
    s->ended = co;
}

/* ---- What others sent ------------------------------------------------------
 */

static void take_co(struct sched *s, struct co *co, unsigned bits)
{
    if (bits & POST_FREE) {
        sched_free(s, co);
        return;
    }
    if (bits & POST_CANCEL)
        wait_cancel(co);
    if (bits & POST_START)
        counter_add(&s->counters.arrived, 1);
    if (bits & (POST_START | POST_WAKE))
        runq_push(s, co);
}

static void take_inbox(struct sched *s)
{
    struct post *p = runq_take(s), *next;
    unsigned long count = 0;

    if (p == NULL)
        return;
    for (; p != NULL; p = next, count++) {
        unsigned bits = atomic_load(&p->bits);
        struct co *co = container_of(p, struct co, post);

        next = p->next;
        if (bits & (POST_CLOSED | POST_LOOK)) {
            bits = atomic_exchange(&p->bits, 0);
            fd_told(s, container_of(p, struct fd_entry, post), bits);
        } else if (co_sched_of(co) != s) {
            /* A CO_ANY one that was given away after this was sent.  It is
             * still marked as queued, so nobody frees it meanwhile. */
            runq_forward(co_sched_of(co), p);
        } else {
            take_co(s, co, atomic_exchange(&p->bits, 0));
        }
    }
    counter_add(&s->counters.posts, count);
}

/* Gives CO_ANY ones that have not started to schedulers that sleep, and starts
 * some here: few while others are ready, so that there is something left to
 * give. */
static void spread_any(struct sched *s)
{
    unsigned turn = runq_empty(s) ? 4 * ANY_TURN : ANY_TURN;
    struct list *l;

    while (s->any_count > 1 || !runq_empty(s)) {
        struct sched *other = sched_set_idlest();

        if (other == s || !atomic_load(&other->sleeping) ||
            (l = list_pop(&s->any)) == NULL)
            break;
        s->any_count--;
        counter_add(&s->counters.sent, 1);
        atomic_store(&container_of(l, struct co, any)->sched, other);
        runq_post(other, &container_of(l, struct co, any)->post, POST_START);
    }
    while (turn-- > 0 && (l = list_pop(&s->any)) != NULL) {
        s->any_count--;
        runq_push(s, container_of(l, struct co, any));
    }
}

/* ---- Polling
 * ----------------------------------------------------------------- */

static void tidy(struct sched *s)
{
    s->tidy_set = false;
    fd_verify(s);
    if (stack_trim(&s->stacks)) /* there is more to look at */
        sched_tidy_soon(s);
}

static void expire(struct sched *s, uint32_t id)
{
    struct co *co;

    if (id == SCHED_TIDY_ID) {
        tidy(s);
        return;
    }
    co = container_of(stack_at(id), struct co, stack);
    co->timer_at = 0;
    if (co->wait == NULL || co->deadline == CO_FOREVER)
        return;
    if (co->deadline <= s->now) {
        wait_expire(co->wait, ETIMEDOUT);
        return;
    }
    co->timer_at = co->deadline;
    timer_set(&s->timer, id, co->deadline, s->now);
}

static void take_due(struct sched *s)
{
    uint32_t ids[DUE_BATCH];
    unsigned n;

    if (s->timer.heap.count == 0)
        return;
    s->now = clock_now();
    do {
        n = timer_pop_due(&s->timer, s->now, ids, DUE_BATCH);
        for (unsigned i = 0; i < n; i++)
            if (ids[i] != SCHED_TIDY_ID)
                __builtin_prefetch(
                    &container_of(stack_at(ids[i]), struct co, stack)
                         ->timer_at);
        for (unsigned i = 0; i < n; i++)
            expire(s, ids[i]);
        if (n > 0)
            counter_add(&s->counters.timers, n);
    } while (n == DUE_BATCH);
}

/* Whether the timerfd fired. */
static bool poll_events(struct sched *s, bool block)
{
    bool timer = false;
    int n = poller_wait(&s->poller, s->events, block), fds = 0;

    if (block)
        s->now = clock_now();
    for (int i = 0; i < n; i++) {
        struct poller_event *event = &s->events[i];

        if (i + EVENT_FAR < n && event[EVENT_FAR].token < SCHED_TOKEN_TIMERFD)
            fd_prefetch_ticket(s, event[EVENT_FAR].token);
        if (i + EVENT_NEAR < n && event[EVENT_NEAR].token < SCHED_TOKEN_TIMERFD)
            fd_prefetch_co(s, event[EVENT_NEAR].token);
        if (event->token < SCHED_TOKEN_TIMERFD) {
            fd_dispatch(s, event->token, event->events);
            fds++;
        } else if (event->token == SCHED_TOKEN_TIMERFD) {
            timer_fired(&s->timer);
            timer = true;
        } else if (block) {
            s->remote_wake = true;
        }
    }
    counter_add(&s->counters.polls, 1);
    if (fds > 0)
        counter_add(&s->counters.fd_events, (unsigned long)fds);
    return timer;
}

/* A sender that answers at once is cheaper to wait for than to sleep for.  Only
 * after a wake by a sender, and seldom when that came to nothing before. */
static bool spin(struct sched *s)
{
    int64_t end;

    if (!s->remote_wake || !sched_set.spin)
        return false;
    s->remote_wake = false;
    if (s->spin_misses >= SPIN_MISSES && ++s->spin_misses % SPIN_MISSES != 0)
        return false;
    end = clock_now() + SPIN_NS;
    do {
        for (int i = 0; i < 16; i++) {
            if (atomic_load_explicit(&s->inbox, memory_order_relaxed)) {
                s->remote_wake = true;
                s->spin_misses = 0;
                return true;
            }
            clock_relax();
        }
    } while (clock_now() < end);
    s->spin_misses++;
    return false;
}

/* Blocks until there is an event.  Whether timers may be due: not when the
 * alarm was set and did not go off. */
static bool sleep_until_event(struct sched *s)
{
    bool due = false;

    if (s->stacks.count > s->stacks.checked)
        sched_tidy_soon(s);
    if (!timer_arm(&s->timer, s->now, sched_set.slack)) {
        /* Timers that are due without end must not keep descriptors waiting. */
        if (s->watching)
            (void)poll_events(s, false);
        return true;
    }
    if (spin(s))
        return false;
    /* Pairs with runq_forward(): see there. */
    atomic_store(&s->sleeping, 1);
    if (atomic_load(&s->inbox) == NULL)
        due = poll_events(s, true);
    atomic_store_explicit(&s->sleeping, 0, memory_order_relaxed);
    return due;
}

/* What the run queue gives out are switches. */
static void run_ready(struct sched *s, int budget)
{
    uint32_t head = s->head, ready = runq_count(s);

    if (ready >
        atomic_load_explicit(&s->counters.ready_max, memory_order_relaxed))
        atomic_store_explicit(&s->counters.ready_max, ready,
                              memory_order_relaxed);
    if (++s->turns % CLOCK_TURNS == 0)
        s->now = clock_now();
    s->budget = budget;
    s->calls = 0;
    switch_enter(s, runq_pop(s));
    sched_free_later(s, NULL);
    counter_add(&s->counters.switches, s->head - head);
}

/* ---- The loop
 * ------------------------------------------------------------------ */

void sched_enter_thread(struct sched *s)
{
    s->cxx = sched_set.get_cxx == NULL ? NULL : sched_set.get_cxx();
    if (s->cxx != NULL || atomic_load(&switch_guest) != NULL)
        atomic_store(&s->extras, true);
    s->errno_at = &errno;
    asan_fiber_open_thread(&s->fiber);
}

static bool is_stopping(void)
{
    return atomic_load_explicit(&sched_set.stopping, memory_order_relaxed);
}

/* Once a turn: in one piece with its callers. */
__attribute__((always_inline)) static inline void take_what_came(
    struct sched *s)
{
    if (atomic_load_explicit(&s->inbox, memory_order_relaxed) != NULL)
        take_inbox(s);
    if (__builtin_expect(
            atomic_load_explicit(&s->ask, memory_order_relaxed) != NULL, 0))
        ask_answer(s);
    if (is_stopping() && !s->cancel_all)
        sched_cancel_all(s);
    if (s->any_count > 0)
        spread_any(s);
    atomic_store_explicit(&s->load, runq_count(s) + s->any_count,
                          memory_order_relaxed);
}

void sched_run(struct sched *s)
{
    sched_enter_thread(s);
    co_sys_thread = s;
    /* After a stop in time nothing is ready any more; after one that took too
     * long, somebody may be ready for ever. */
    while (!atomic_load_explicit(&sched_set.quit, memory_order_acquire)) {
        take_what_came(s);
        if (!runq_empty(s)) {
            run_ready(s, SCHED_BUDGET);
            if (runq_empty(s) && s->any_count == 0)
                continue;
            if (s->watching)
                (void)poll_events(s, false);
            take_due(s);
        } else {
            if (is_stopping())
                sched_tell_quiet();
            if (sleep_until_event(s))
                take_due(s);
        }
    }
    co_sys_thread = NULL;
}

/* From now on who sends writes the eventfd; what came before, or is left, does
 * so here. */
static void announce(struct sched *s)
{
    bool later;

    if (s->stacks.count > s->stacks.checked)
        sched_tidy_soon(s);
    later = timer_arm(&s->timer, s->now, sched_set.slack);
    /* Pairs with runq_forward(), as in sleep_until_event(). */
    atomic_store(&s->sleeping, 1);
    if (!later || !runq_empty(s) || s->any_count > 0 ||
        atomic_load(&s->inbox) != NULL)
        sched_nudge(s);
}

void sched_step(struct sched *s)
{
    uint32_t ready;

    co_sys_thread = s;
    atomic_store_explicit(&s->sleeping, 0, memory_order_relaxed);
    take_what_came(s);
    (void)poll_events(s, false); /* also empties the poller's descriptor */
    take_due(s);
    ready = runq_count(s);
    if (ready > 0)
        run_ready(s, ready < SCHED_BUDGET ? (int)ready : SCHED_BUDGET);
    else if (is_stopping())
        sched_tell_quiet();
    announce(s);
    co_sys_thread = NULL;
}
