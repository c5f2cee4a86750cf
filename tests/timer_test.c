/* timer_test.c - deadlines: never early, never lost, however far or late.
 *
 * Most tests invent the time that they pass as `now`; those of the timerfd
 * take the real one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/clock.h"
#include "co/timer.h"
#include "tests/test.h"
#include <fcntl.h>
#include <poll.h>

enum { TICK = 1024 };

#define SECOND INT64_C(1000000000)
#define HOUR (3600 * SECOND)

static uint64_t random_state = 88172645463325252;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}

static bool readable(const struct timer *t, int timeout_ms)
{
    return test_readable(t->fd, timeout_ms);
}

/* How many are due at now, when at most one can be; its id goes to *id. */
static unsigned pop(struct timer *t, int64_t now, uint32_t *id)
{
    return timer_pop_due(t, now, id, 1);
}

static void test_order(void)
{
    struct timer t;
    uint32_t ids[8];

    CHECK(timer_open(&t, 8) == 0);
    int64_t now = t.base + 5 * SECOND;

    CHECK_EQ(timer_pop_due(&t, now, ids, 8), 0);
    timer_set(&t, 3, now + 30 * TICK, now);
    timer_set(&t, 1, now + 10 * TICK, now);
    timer_set(&t, 2, now + 20 * TICK, now);
    timer_set(&t, 4, now + 40 * TICK, now);
    timer_set(&t, 4, now + 5 * TICK, now);  /* sooner */
    timer_set(&t, 1, now + 50 * TICK, now); /* later */
    CHECK_EQ(timer_pop_due(&t, now, ids, 8), 0);
    CHECK_EQ(timer_pop_due(&t, now + 32 * TICK, ids, 2), 2);
    CHECK_EQ(ids[0], 4);
    CHECK_EQ(ids[1], 2);
    timer_drop(&t, 1);
    timer_drop(&t, 1);
    CHECK_EQ(timer_pop_due(&t, now + HOUR, ids, 8), 1);
    CHECK_EQ(ids[0], 3);
    CHECK_EQ(t.heap.count, 0);
    timer_close(&t);
}

/* An id comes at the first tick that is not before its deadline: never early,
 * and less than two ticks late, at every offset within a tick. */
static void test_never_early(void)
{
    struct timer t;
    uint32_t id;

    CHECK(timer_open(&t, 1) == 0);
    int64_t now = t.base;

    for (int i = 0; i < 3 * TICK; i++) {
        int64_t deadline = now + i + (int64_t)random_below(100000);

        timer_set(&t, 0, deadline, now);
        CHECK_EQ(pop(&t, deadline - 1, &id), 0);
        CHECK_EQ(pop(&t, deadline + TICK - 1, &id), 1);
        now = deadline + TICK;
    }
    timer_close(&t);
}

static void test_past(void)
{
    struct timer t;
    uint32_t id;

    CHECK(timer_open(&t, 2) == 0);
    int64_t now = t.base + 100 * HOUR + 17;

    /* However far back, even before the timer was made: due now, after what
     * was due before, and never taken for the future. */
    static const int64_t past[] = { 0, -1, INT64_MIN, 1 };

    for (unsigned i = 0; i < sizeof past / sizeof *past; i++) {
        timer_set(&t, 0, past[i], now);
        CHECK_EQ(pop(&t, now, &id), 1);
    }
    timer_set(&t, 0, now, now);
    CHECK_EQ(pop(&t, now, &id), 1);
    timer_set(&t, 1, now - 90 * HOUR, now);
    CHECK(!timer_arm(&t, now, 0));
    CHECK_EQ(pop(&t, now, &id), 1);
    CHECK_EQ(id, 1);
    /* A now that is older than the timer itself. */
    timer_set(&t, 0, t.base - 5, t.base - 10);
    CHECK_EQ(pop(&t, t.base, &id), 1);
    timer_close(&t);
}

/* Plays the owner: an id that comes before its deadline is set again. */
static int64_t run_until(struct timer *t, int64_t deadline, int64_t now,
                         unsigned *early)
{
    uint32_t id;

    timer_set(t, 0, deadline, now);
    for (;;) {
        /* Where the kernel would be told to wake us. */
        CHECK(timer_arm(t, now, 0));
        CHECK(t->armed > now);
        now = t->armed;
        timer_fired(t);
        CHECK_EQ(pop(t, now, &id), 1);
        CHECK_EQ(id, 0);
        if (now >= deadline)
            return now;
        (*early)++;
        timer_set(t, 0, deadline, now);
    }
}

static void test_days(void)
{
    struct timer t;
    unsigned early = 0;

    CHECK(timer_open(&t, 2) == 0);
    int64_t now = clock_now() + HOUR; /* so that no alarm really fires */
    int64_t deadline = now + 24 * 10 * HOUR + 1;

    int64_t end = run_until(&t, deadline, now, &early);

    CHECK(end - deadline < TICK);
    CHECK(early > 100); /* once each 36 min */
    CHECK(early < 1000);

    /* For ever: it stands, and pops early for ever. */
    timer_set(&t, 0, INT64_MAX, end);
    timer_set(&t, 1, end + 60 * SECOND, end);
    CHECK(timer_arm(&t, end, 0));
    CHECK(t.armed - end <= 60 * SECOND + TICK);
    uint32_t ids[2];

    CHECK_EQ(timer_pop_due(&t, end + 61 * SECOND, ids, 2), 1);
    CHECK_EQ(ids[0], 1);
    CHECK_EQ(timer_pop_due(&t, end + HOUR, ids, 2), 1);
    CHECK_EQ(ids[0], 0);
    timer_close(&t);
}

/* The process stood still, at each length of time: what was due is due, and
 * what is set then comes after it and not early. */
static void test_stopped(void)
{
    struct timer t;
    uint32_t ids[4];

    CHECK(timer_open(&t, 4) == 0);
    int64_t now = t.base;

    for (int64_t hours = 0; hours < 400; hours++) {
        timer_set(&t, 0, now + SECOND, now);
        timer_set(&t, 1, now + 24 * HOUR, now); /* clamped */
        now += 2 * SECOND + hours * HOUR / 8;
        CHECK(!timer_arm(&t, now, 0));
        timer_set(&t, 2, now + SECOND, now);
        timer_set(&t, 3, now + 24 * HOUR, now);
        unsigned n = timer_pop_due(&t, now, ids, 4);

        CHECK(n >= 1);
        CHECK_EQ(ids[0], 0);
        /* Above 36 minutes, all may be early: their owner sets them again. */
        if (hours > 4)
            CHECK(n >= 2);
        else
            CHECK_EQ(n, 1);
        for (unsigned i = 1; i < n; i++)
            timer_set(&t, ids[i], now + (ids[i] == 2 ? 1 : 3600 * 24) * SECOND,
                      now);
        CHECK_EQ(timer_pop_due(&t, now, ids, 4), 0);
        n = timer_pop_due(&t, now + SECOND + TICK, ids, 4);
        CHECK(n >= 1);
        CHECK_EQ(ids[0], 2);
        now += SECOND + TICK;
        for (uint32_t id = 0; id < 4; id++)
            timer_drop(&t, id);
    }
    timer_close(&t);
}

enum { IDS = 200 };

/* Many ids with the clock in irregular steps, some of hours: each comes, when
 * it comes it is set again if early, and none comes late. */
static void test_random(void)
{
    static int64_t deadlines[IDS]; /* 0: not set */
    struct timer t;
    uint32_t ids[16];
    unsigned n;

    CHECK(timer_open(&t, IDS) == 0);
    int64_t now = t.base + random_below(1000000);

    for (long i = 0, count = test_count(300000); i < count; i++) {
        uint32_t id = random_below(IDS);
        unsigned magnitude = random_below(48);

        if (random_below(4) == 0) {
            timer_drop(&t, id);
            deadlines[id] = 0;
        } else {
            deadlines[id] =
                now - 5000 + (INT64_C(1) << magnitude) + random_below(100000);
            timer_set(&t, id, deadlines[id], now);
        }
        if (random_below(4) != 0)
            continue;
        now += (INT64_C(1) << random_below(random_below(50) ? 26 : 45)) +
               random_below(1000);
        while ((n = timer_pop_due(&t, now, ids, 16)) > 0)
            for (unsigned k = 0; k < n; k++) {
                CHECK(deadlines[ids[k]] != 0);
                if (deadlines[ids[k]] > now)
                    timer_set(&t, ids[k], deadlines[ids[k]], now);
                else
                    deadlines[ids[k]] = 0;
            }
        for (id = 0; id < IDS; id++) {
            CHECK(deadlines[id] == 0 || deadlines[id] > now - TICK);
            CHECK_EQ(heap_has(&t.heap, id), deadlines[id] != 0);
        }
    }
    timer_close(&t);
}

static void test_alarm(void)
{
    struct timer t;
    uint32_t id;

    CHECK(timer_open(&t, 4) == 0);
    CHECK(fcntl(t.fd, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(t.fd, F_GETFL) & O_NONBLOCK);
    int64_t now = clock_now();
    int64_t deadline = now + 3000000;

    CHECK(timer_arm(&t, now, 50000)); /* nothing to wait for */
    CHECK_EQ(t.armed, 0);
    timer_set(&t, 2, deadline, now);
    CHECK(timer_arm(&t, now, 50000));
    CHECK(t.armed >= deadline + 50000);
    CHECK(t.armed < deadline + 50000 + TICK);
    CHECK(readable(&t, 10000));
    now = clock_now();
    CHECK(now >= deadline + 50000);
    timer_fired(&t);
    CHECK_EQ(t.armed, 0);
    CHECK(!timer_arm(&t, now, 50000)); /* due: do not block */
    CHECK_EQ(pop(&t, now, &id), 1);
    CHECK_EQ(id, 2);

    /* Set again it is not readable until the new time. */
    timer_set(&t, 2, now + HOUR, now);
    CHECK(timer_arm(&t, now, 0));
    CHECK(!readable(&t, 0));
    timer_close(&t);
    timer_close(&t);
}

/* Which changes reach the kernel: only those to an earlier alarm. */
static void test_rearm(void)
{
    struct timer t;

    CHECK(timer_open(&t, 4) == 0);
    int64_t now = clock_now();

    timer_set(&t, 0, now + 10 * SECOND, now);
    CHECK(timer_arm(&t, now, 0));
    int64_t first = t.armed;

    timer_set(&t, 0, now + 20 * SECOND, now);
    CHECK(timer_arm(&t, now, 0));
    CHECK_EQ(t.armed, first); /* earlier than needed: stays */
    timer_drop(&t, 0);
    CHECK(timer_arm(&t, now, 0));
    CHECK_EQ(t.armed, first);
    timer_set(&t, 1, now + 10 * SECOND, now);
    CHECK(timer_arm(&t, now, 50000)); /* within the slack: stays */
    CHECK_EQ(t.armed, first);
    timer_set(&t, 2, now + 1000000, now);
    CHECK(timer_arm(&t, now, 0));
    CHECK(t.armed < first);
    CHECK(readable(&t, 5000));
    timer_fired(&t);
    timer_drop(&t, 2);
    now = clock_now();
    CHECK(timer_arm(&t, now, 0));
    CHECK_EQ(t.armed, first); /* that of id 1 */
    timer_close(&t);
}

int main(void)
{
    RUN(test_order);
    RUN(test_never_early);
    RUN(test_past);
    RUN(test_days);
    RUN(test_stopped);
    RUN(test_random);
    RUN(test_alarm);
    RUN(test_rearm);
    return 0;
}
