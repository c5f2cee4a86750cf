/* sleep_test.c - never early, in order, and within the limits that are set.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"

#define DAY (INT64_C(86400) * CO_SECOND)

static void nothing(void *arg) { (void)arg; }

static void run(co_fn *fn, int64_t slack)
{
    struct co_config config = { .schedulers = 1, .timer_slack = slack };

    CHECK_EQ(co_run(fn, NULL, &config), 0);
}

static int64_t random_ns(int64_t most)
{
    static uint64_t state = 88172645463325252;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (int64_t)(state % (uint64_t)most);
}

/* ---- Never early ----------------------------------------------------------
 */

static void check_sleep(int64_t ns)
{
    int64_t end = co_after(ns);

    CHECK_EQ(co_sleep_until(end), 0);
    CHECK(co_now() >= end);
}

static void root_short(void *arg)
{
    long rounds = test_count(10000);

    (void)arg;
    for (long i = 0; i < rounds; i++)
        check_sleep(random_ns(200 * CO_USEC));
}

static void never_early(void)
{
    run(root_short, 0);
    run(root_short, 1);
}

static void on_a_plain_thread(void)
{
    int64_t now = co_now();

    check_sleep(CO_MSEC);
    CHECK(co_now() >= now + CO_MSEC);
    CHECK_EQ(co_sleep_until(CO_NOWAIT), 0);
    CHECK_EQ(co_after(CO_FOREVER), CO_FOREVER);
    CHECK_EQ(co_after(CO_FOREVER - now / 2), CO_FOREVER);
    CHECK(co_after(-CO_SECOND) < co_now());
}

static void root_at_once(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sleep_until(CO_NOWAIT), 0);
    CHECK_EQ(co_sleep_until(-5), 0);
    CHECK_EQ(co_sleep_until(INT64_MIN), 0);
    CHECK_EQ(co_sleep_until(1), 0); /* long past */
    CHECK_EQ(co_sleep_until(co_now()), 0);
}

static void what_has_passed(void) { run(root_at_once, 0); }

/* ---- Many -----------------------------------------------------------------
 */

enum { ORDERED = 1000 };

static int64_t base, last_start;
static int woken[ORDERED], woken_count;

static void sleep_in_order(void *arg)
{
    int place = (int)(intptr_t)arg;

    last_start = co_now();
    CHECK_EQ(co_sleep_until(base + place * 10 * CO_USEC), 0);
    woken[woken_count++] = place;
}

static void order_once(int64_t lead)
{
    struct co *all[ORDERED];

    base = co_after(lead);
    woken_count = 0;
    for (int i = 0; i < ORDERED; i++) {
        int place = i * 379 % ORDERED; /* all of them, in another order */

        all[i] = co_spawn(sleep_in_order, (void *)(intptr_t)place, NULL);
        CHECK(all[i] != NULL);
    }
    for (int i = 0; i < ORDERED; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
}

/* Until the machine was fast enough for all to begin in time. */
static void root_order(void *arg)
{
    int64_t lead = 10 * CO_MSEC;

    (void)arg;
    do {
        order_once(lead);
        lead *= 2;
    } while (last_start >= base);
    CHECK_EQ(woken_count, ORDERED);
    for (int i = 0; i < ORDERED; i++)
        CHECK_EQ(woken[i], i);
}

static void in_order(void) { run(root_order, 0); }

static void sleep_thrice(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3; i++)
        check_sleep(random_ns(100 * CO_MSEC));
}

static void root_crowd(void *arg)
{
    long count = test_count(100000);
    struct co **all = calloc((size_t)count, sizeof *all);

    (void)arg;
    CHECK(all != NULL);
    for (long i = 0; i < count; i++) {
        all[i] = co_spawn(sleep_thrice, NULL, NULL);
        CHECK(all[i] != NULL);
    }
    for (long i = 0; i < count; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
    free((void *)all);
}

static void a_crowd(void) { run(root_crowd, 0); }

/* ---- Long -----------------------------------------------------------------
 */

static void sleep_long(void *arg)
{
    int64_t end = arg == NULL ? CO_FOREVER - 1 : co_after((intptr_t)arg);

    CHECK(co_sleep_until(end) == -1 && errno == ECANCELED);
}

static void root_days(void *arg)
{
    struct co *all[ORDERED];

    (void)arg;
    for (int i = 0; i < ORDERED; i++) {
        all[i] = co_spawn(sleep_long, (void *)(i * DAY), NULL);
        CHECK(all[i] != NULL);
    }
    check_sleep(CO_MSEC); /* a short one among them comes in time */
    for (int i = 0; i < ORDERED; i++)
        CHECK(co_join(all[i], CO_NOWAIT) == -1 && errno == ETIMEDOUT);
    for (int i = 0; i < ORDERED; i += 2)
        co_cancel(all[i]);
    check_sleep(CO_MSEC);
    for (int i = 1; i < ORDERED; i += 2)
        co_cancel(all[i]);
    for (int i = 0; i < ORDERED; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
}

static void days_cancelled(void) { run(root_days, 0); }

/* A later deadline leaves the heap's entry where it is, an earlier one moves
 * it: one coroutine, waits of all lengths. */
static void root_back_and_forth(void *arg)
{
    struct co *co = co_spawn(sleep_long, (void *)DAY, NULL);

    (void)arg;
    CHECK(co != NULL);
    for (int i = 0; i < 50; i++) {
        int64_t end;
        struct co *soon = co_spawn(nothing, NULL, NULL);

        /* Woken before its deadline, whose entry fires in the next wait. */
        CHECK(soon != NULL);
        CHECK_EQ(co_join(soon, co_after(500 * CO_USEC)), 0);
        check_sleep(CO_MSEC);
        end = co_after(200 * CO_USEC);

        CHECK(co_join(co, end) == -1 && errno == ETIMEDOUT);
        CHECK(co_now() >= end);
        check_sleep(i % 3 * CO_MSEC);
    }
    co_cancel(co);
    CHECK_EQ(co_join(co, co_after(DAY)), 0);
    check_sleep(CO_MSEC); /* the day's entry does not disturb */
}

static void back_and_forth(void) { run(root_back_and_forth, 0); }

/* With a slack of 50 ms, late by that and not by much more. */
static void root_slack(void *arg)
{
    int64_t end = co_after(CO_MSEC);

    (void)arg;
    CHECK_EQ(co_sleep_until(end), 0);
    CHECK(co_now() >= end && co_now() < end + 500 * CO_MSEC);
}

static void slack(void) { run(root_slack, 50 * CO_MSEC); }

/* ---- Limits ---------------------------------------------------------------
 */

static void unlimited(void *arg)
{
    (void)arg;
    CHECK_EQ(co_limit_deadline(CO_FOREVER), CO_FOREVER); /* not inherited */
}

static void root_limits(void *arg)
{
    int64_t early = co_after(DAY), late = co_after(2 * DAY), old, older, soon;
    struct co *co;

    (void)arg;
    older = co_limit_deadline(late);
    CHECK_EQ(older, CO_FOREVER);
    old = co_limit_deadline(early);
    CHECK_EQ(old, late);
    CHECK_EQ(co_limit_deadline(late), early); /* only narrows */
    co = co_spawn(unlimited, NULL, NULL);
    CHECK(co != NULL);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
    CHECK_EQ(co_sleep_until(co_now()), 0); /* this one comes first */
    check_sleep(CO_MSEC);                  /* and this one */
    soon = co_after(2 * CO_MSEC);
    CHECK_EQ(co_limit_deadline(soon), early);
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ETIMEDOUT);
    CHECK(co_now() >= soon);
    CHECK(co_sleep_until(late) == -1 && errno == ETIMEDOUT); /* again */

    CHECK(!co_hold_cancel(true)); /* looks not at the limit */
    check_sleep(CO_MSEC);
    CHECK(co_hold_cancel(false));

    co_restore_deadline(old);
    check_sleep(CO_MSEC);
    co_restore_deadline(older);
    co = co_spawn(nothing, NULL, NULL);
    CHECK(co != NULL);
    (void)co_limit_deadline(CO_NOWAIT);
    CHECK(co_join(co, CO_FOREVER) == -1 && errno == ETIMEDOUT);
    CHECK(co_sleep_until(CO_FOREVER) == -1 && errno == ETIMEDOUT);
    co_restore_deadline(CO_FOREVER);
    CHECK_EQ(co_join(co, CO_FOREVER), 0);
}

static void limits(void) { run(root_limits, 0); }

int main(void)
{
    RUN(on_a_plain_thread);
    RUN(what_has_passed);
    RUN(never_early);
    RUN(in_order);
    RUN(a_crowd);
    RUN(days_cancelled);
    RUN(back_and_forth);
    RUN(slack);
    RUN(limits);
    return 0;
}
