/* hook_time.c - sleeping.
 *
 * A limit or a cancel ends a sleep as a signal would: with what is left, but
 * for errno, which says ETIMEDOUT or ECANCELED.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_real.h"

enum { SLICE_S = 1 }; /* how soon a set wall clock is noticed */

static int64_t ns_of(const struct timespec *t)
{
    if (t->tv_sec >= CO_FOREVER / CO_SECOND - 1)
        return CO_FOREVER;
    return t->tv_sec * CO_SECOND + t->tv_nsec;
}

static struct timespec timespec_of(int64_t ns)
{
    if (ns < 0)
        ns = 0;
    return (struct timespec){ .tv_sec = ns / CO_SECOND,
                              .tv_nsec = ns % CO_SECOND };
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < CO_SECOND;
}

/* A sleep of no time at all still gives way.  One that succeeds leaves errno as
 * it was. */
static int sleep_for(int64_t ns, int64_t *left)
{
    int64_t end = co_after(ns);
    int err = errno;

    if (ns == 0)
        co_yield_now();
    if (co_sleep_until(end) == 0) {
        errno = err;
        return 0;
    }
    *left = end - co_now() > 0 ? end - co_now() : 0;
    return -1;
}

unsigned hook_sleep(unsigned s)
{
    int64_t left;

    if (hook_plain())
        return hook_real.sleep(s);
    if (sleep_for(s * CO_SECOND, &left) == 0)
        return 0;
    return (unsigned)((left + CO_SECOND / 2) / CO_SECOND);
}
HOOK_NAME(sleep, hook_sleep);

int hook_usleep(useconds_t us)
{
    int64_t left;

    if (hook_plain())
        return hook_real.usleep(us);
    return sleep_for(us * CO_USEC, &left);
}
HOOK_NAME(usleep, hook_usleep);

int hook_nanosleep(const struct timespec *time, struct timespec *left)
{
    int64_t ns;

    if (hook_plain() || !is_time(time))
        return hook_real.nanosleep(time, left);
    if (sleep_for(ns_of(time), &ns) == 0)
        return 0;
    if (left != NULL)
        *left = timespec_of(ns);
    return -1;
}
HOOK_NAME(nanosleep, hook_nanosleep);
HOOK_NAME(__nanosleep, hook_nanosleep);

/* Until a moment of a clock that may be set: 0, or an errno. */
static int sleep_until(clockid_t clock, const struct timespec *time)
{
    int64_t end = ns_of(time), now;
    struct timespec t;

    for (;;) {
        if (clock_gettime(clock, &t) < 0)
            return errno;
        now = ns_of(&t);
        if (now >= end)
            return 0;
        if (clock != CLOCK_MONOTONIC && end - now > SLICE_S * CO_SECOND)
            now = end - SLICE_S * CO_SECOND;
        if (co_sleep_until(co_after(end - now)) < 0)
            return errno;
    }
}

/* Clocks of cpu time run while others compute: libc's way. */
static bool is_wall_or_monotonic(clockid_t clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC ||
           clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
}

int hook_clock_nanosleep(clockid_t clock, int flags,
                         const struct timespec *time, struct timespec *left)
{
    int64_t ns;
    int err = errno, r = 0;

    if (hook_plain() || !is_wall_or_monotonic(clock) || !is_time(time) ||
        (flags & ~TIMER_ABSTIME))
        return hook_real.clock_nanosleep(clock, flags, time, left);
    if (flags & TIMER_ABSTIME) {
        r = sleep_until(clock, time);
    } else if (sleep_for(ns_of(time), &ns) < 0) {
        r = errno;
        if (left != NULL)
            *left = timespec_of(ns);
    }
    errno = err; /* of which it makes no use */
    return r;
}
HOOK_NAME(clock_nanosleep, hook_clock_nanosleep);

int hook_sched_yield(void)
{
    int err = errno;

    if (hook_plain())
        return hook_real.sched_yield();
    co_yield_now();
    errno = err;
    return 0;
}
HOOK_NAME(sched_yield, hook_sched_yield);
HOOK_NAME(__sched_yield, hook_sched_yield);
