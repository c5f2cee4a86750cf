/* stats_test.c - counters count what they say, on one scheduler and on several.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/inside.h"
#include "tests/test.h"
#include <fcntl.h>

enum { YIELDS = 1000, SLEEPS = 5, CHILDREN = 50 };

static void nothing(void *arg) { (void)arg; }

static void yielder(void *arg)
{
    (void)arg;
    for (int i = 0; i < YIELDS; i++)
        co_yield_now();
}

/* What is counted once a turn is there after two. */
static void turn(void)
{
    for (int i = 0; i < 2; i++)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
}

static void root_one(void *arg)
{
    struct co_stats s, all;
    struct co *a, *b;
    int fds[2];
    char c;

    (void)arg;
    co_stats(co_sched_self(), &s);
    CHECK_EQ(s.living, 1);
    CHECK_EQ(s.spawned, 1);
    CHECK((a = co_spawn(yielder, NULL, NULL)) != NULL);
    CHECK((b = co_spawn(yielder, NULL, NULL)) != NULL);
    CHECK_EQ(co_join(a, CO_FOREVER), 0);
    CHECK_EQ(co_join(b, CO_FOREVER), 0);
    for (int i = 0; i < SLEEPS; i++)
        turn();
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(co_read(fds[0], &c, 1, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    turn();
    co_stats(co_sched_self(), &s);
    CHECK_EQ(s.living, 1);
    CHECK_EQ(s.spawned, 3);
    CHECK_EQ(s.ended, 2);
    CHECK(s.switches >= (uint64_t)2 * YIELDS);
    CHECK(s.switches <= (uint64_t)3 * YIELDS);
    CHECK(s.ready_max >= 2);
    CHECK(s.timers >= SLEEPS);
    CHECK(s.polls >= SLEEPS);
    CHECK(s.stack_bytes > 0);
    co_stats(NULL, &all);
    CHECK_EQ(all.living, 1);
    CHECK_EQ(all.spawned, 3);
    CHECK(all.switches >= s.switches);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void one(void)
{
    CHECK_EQ(co_run(root_one, NULL, &(struct co_config){ .schedulers = 1 }), 0);
}

static void reader(void *arg)
{
    char c;

    CHECK_EQ(co_read(*(int *)arg, &c, 1, CO_FOREVER), 1);
}

/* Who is spawned elsewhere lives there; what comes over the inbox counts. */
static void root_two(void *arg)
{
    struct co_stats here, there, all;
    struct co_sched *other = co_sched_at(co_sched_self() == co_sched_at(0));
    struct co_attr attr = { .on = other };
    struct co *co[CHILDREN], *waiting;
    int fds[2];

    (void)arg;
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    for (int i = 0; i < CHILDREN; i++)
        CHECK((co[i] = co_spawn(nothing, NULL, &attr)) != NULL);
    for (int i = 0; i < CHILDREN; i++)
        CHECK_EQ(co_join(co[i], CO_FOREVER), 0);
    CHECK((waiting = co_spawn(reader, &fds[0], &attr)) != NULL);
    do {
        turn();
        co_stats(other, &there);
    } while (there.living != 1);
    co_stats(co_sched_self(), &here);
    CHECK_EQ(here.living, 1);
    CHECK_EQ(here.spawned, 1);
    CHECK_EQ(there.spawned, CHILDREN + 1);
    CHECK_EQ(there.ended, CHILDREN);
    CHECK(there.remote_wakes >= CHILDREN);
    co_stats(NULL, &all);
    CHECK_EQ(all.living, 2);
    CHECK_EQ(all.spawned, CHILDREN + 2);
    CHECK_EQ(write(fds[1], "x", 1), 1);
    CHECK_EQ(co_join(waiting, CO_FOREVER), 0);
    turn();
    co_stats(other, &there);
    CHECK(there.fd_events >= 1);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void two(void)
{
    CHECK_EQ(co_run(root_two, NULL, &(struct co_config){ .schedulers = 2 }), 0);
}

int main(void)
{
    RUN(one);
    RUN(two);
    return 0;
}
