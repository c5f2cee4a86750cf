/* time.c - probes: sleeping.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

static struct timespec in_ms(int ms)
{
    return (struct timespec){ ms / 1000, ms % 1000 * 1000000L };
}

PROBE(sleep_second, 1000, "sleep() of a second")
{
    TRY(sleep(1));
    TRY(sleep(0));
}

PROBE(usleep_some, PAUSE_MS, "usleep()")
{
    TRY(usleep(PAUSE_MS * 1000));
    TRY(usleep(0));
}

PROBE(nanosleep_some, PAUSE_MS, "nanosleep() leaves what is left alone")
{
    struct timespec t = in_ms(PAUSE_MS), left = { 7, 7 };

    TRY(nanosleep(&t, &left));
    SHOW(left.tv_sec == 7 && left.tv_nsec == 7);
    t = in_ms(0);
    TRY(nanosleep(&t, NULL));
}

PROBE(nanosleep_bad, 0, "nanosleep() with bad times")
{
    struct timespec t = { 0, 1000000000 };

    TRY(nanosleep(&t, NULL));
    t = (struct timespec){ 0, -1 };
    TRY(nanosleep(&t, NULL));
    t = (struct timespec){ -1, 0 };
    TRY(nanosleep(&t, NULL));
}

PROBE(clock_nanosleep_some, 2 * PAUSE_MS, "clock_nanosleep() for a time")
{
    struct timespec t = in_ms(PAUSE_MS);

    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
    SHOW(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL));
}

static struct timespec after(clockid_t clock, int ms)
{
    struct timespec t;

    NEED(clock_gettime(clock, &t) == 0);
    t.tv_nsec += ms * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

PROBE(clock_nanosleep_until, 2 * PAUSE_MS, "clock_nanosleep() until a time")
{
    struct timespec t = after(CLOCK_MONOTONIC, PAUSE_MS);

    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
    t = after(CLOCK_REALTIME, PAUSE_MS);
    SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
    t = (struct timespec){ 0, 0 };
    SHOW(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}

PROBE(clock_nanosleep_bad, 0, "clock_nanosleep() returns errors, not errno")
{
    struct timespec t = { 0, 1000000000 };

    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
    t = in_ms(1);
    SHOW(clock_nanosleep(77, 0, &t, NULL));
    SHOW(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
    SHOW(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &t, NULL));
    errno = EDOM;
    t.tv_nsec = -1;
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
    SHOW(errno == EDOM);
}

PROBE(sleep_errno, 4 * PAUSE_MS, "a sleep that succeeds leaves errno")
{
    const struct timespec t = { 0, PAUSE_MS * 1000000L };
    struct timespec end;

    errno = EDOM;
    SHOW(usleep(PAUSE_MS * 1000) == 0 && errno == EDOM);
    SHOW(nanosleep(&t, NULL) == 0 && errno == EDOM);
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL) == 0 && errno == EDOM);
    NEED(clock_gettime(CLOCK_MONOTONIC, &end) == 0);
    end.tv_sec += (end.tv_nsec + t.tv_nsec) / 1000000000;
    end.tv_nsec = (end.tv_nsec + t.tv_nsec) % 1000000000;
    SHOW(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == 0 &&
         errno == EDOM);
    SHOW(sched_yield() == 0 && errno == EDOM);
}

static int turns;

static void take_turns(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        turns++;
        NEED(sched_yield() == 0);
    }
}

PROBE(sched_yield_turns, 0, "sched_yield()")
{
    TRY(sched_yield());
    actor_start(take_turns, NULL);
    actors_join();
    SHOW(turns);
}

static atomic_int flag;

static void set_flag(void *arg)
{
    (void)arg;
    flag = 1;
}

PROBE(sched_yield_spin, 0, "who spins with sched_yield() lets others run")
{
    actor_start(set_flag, NULL);
    while (!flag)
        NEED(sched_yield() == 0);
    say("the other ran");
}

static int woke[3];
static atomic_int order;

static void sleeper(void *arg)
{
    intptr_t i = (intptr_t)arg;

    NEED(usleep((useconds_t)(3 - i) * PAUSE_MS * 1000) == 0);
    woke[i] = order++;
}

PROBE(sleep_together, 3 * PAUSE_MS, "three who sleep wake in order of time")
{
    for (intptr_t i = 0; i < 3; i++)
        actor_start(sleeper, (void *)i);
    actors_join();
    for (int i = 0; i < 3; i++)
        SHOW(woke[i]);
}
