/* timer.c - deadlines of many ids under one timerfd.
 *
 * Ticks are counted in 64 bits here; only their low half is kept in the heap.
 * `origin`, the tick of the top when it was last looked at, gives the upper
 * half back.  It follows the heap, not the clock: after a stop of hours (a
 * debugger, SIGSTOP) old entries are still seen to be overdue, where a
 * comparison with the present would have wrapped and taken them for the future.
 * For this all ticks in the heap lie within REACH of each other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/timer.h"
#include "co/bug.h"
#include "co/clock.h"
#include "co/sys.h"
#include <errno.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { TICK_NS = 1024 };

/* Half of what 32 bits count, less 17 s in case a `now` is older than the one
 * before it. */
#define REACH ((INT64_C(1) << 31) - (INT64_C(1) << 24))

/* Whole ticks since the base: what has come by this time. */
static inline int64_t tick_down(const struct timer *t, int64_t ns)
{
    return ns <= t->base ? 0 : (ns - t->base) / TICK_NS;
}

/* The first tick that is not before this time. */
static inline int64_t tick_up(const struct timer *t, int64_t ns)
{
    return ns <= t->base ? 0 : (ns - t->base - 1) / TICK_NS + 1;
}

static inline int64_t top_tick(const struct timer *t)
{
    return t->origin + (int32_t)(heap_top(&t->heap).key - (uint32_t)t->origin);
}

int timer_open(struct timer *t, uint32_t limit)
{
    *t = (struct timer){ .fd = -1, .base = clock_now() };
    if (heap_open(&t->heap, limit) < 0)
        return -1;
    t->fd = sys.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (t->fd < 0) {
        heap_close(&t->heap);
        return -1;
    }
    return 0;
}

void timer_close(struct timer *t)
{
    int err = errno; /* of whoever gives up half way */

    if (t->fd >= 0)
        (void)sys.close(t->fd); /* nothing is lost with it */
    t->fd = -1;
    t->armed = 0;
    heap_close(&t->heap);
    errno = err;
}

void timer_set(struct timer *t, uint32_t id, int64_t deadline, int64_t now)
{
    int64_t now_tick = tick_down(t, now);
    int64_t tick = deadline <= now ? now_tick : tick_up(t, deadline);
    int64_t low = now_tick;

    if (t->heap.count > 0) {
        t->origin = top_tick(t);
        if (t->origin < low)
            low = t->origin;
    } else {
        t->origin = now_tick;
    }
    if (tick > low + REACH)
        tick = low + REACH;
    heap_set(&t->heap, id, (uint32_t)tick);
    t->origin = top_tick(t);
}

void timer_drop(struct timer *t, uint32_t id) { heap_drop(&t->heap, id); }

unsigned timer_pop_due(struct timer *t, int64_t now, uint32_t *ids,
                       unsigned max)
{
    unsigned n = 0;

    while (n < max && t->heap.count > 0) {
        t->origin = top_tick(t);
        if (t->origin > tick_down(t, now))
            break;
        ids[n++] = heap_top(&t->heap).id;
        heap_pop(&t->heap);
    }
    return n;
}

bool timer_arm_new(struct timer *t, int64_t now, int64_t slack)
{
    struct itimerspec alarm = { 0 };
    int64_t tick, when;

    tick = top_tick(t);
    if (tick <= tick_down(t, now))
        return false;
    when = t->base + tick * TICK_NS + slack;
    if (t->armed != 0 && t->armed <= when)
        return true;
    alarm.it_value = clock_timespec(when);
    /* Fails only when the fd is not ours any more; nobody would be woken. */
    BUG_ON(timerfd_settime(t->fd, TFD_TIMER_ABSTIME, &alarm, NULL) < 0,
           "someone closed the timerfd of a scheduler");
    t->armed = when;
    t->armed_key = heap_top(&t->heap).key;
    return true;
}

void timer_fired(struct timer *t) { t->armed = 0; }
