/* timer.c - 100,000 coroutines that sleep.
 *
 * timer.event_cpu is the scheduler's CPU time per wake-up, all of it: timer,
 * switch, the coroutine's clock read and random number.  timer.late_p99 is how
 * late they come.  timer.arm_cancel is one entry set and dropped among as many.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"
#include "co/core.h"

enum { SLEEPERS = 100000, LATE_US = 100000, ARM_MS = 60 };

static struct {
    int64_t end;
    long wakes, living;
    uint32_t seed;
    uint32_t late[LATE_US + 1]; /* wake-ups by how late, in us */
} t;

static uint32_t random_next(void)
{
    t.seed ^= t.seed << 13;
    t.seed ^= t.seed >> 17;
    t.seed ^= t.seed << 5;
    return t.seed;
}

static void sleeper(void *arg)
{
    int64_t now = co_now();

    (void)arg;
    while (now < t.end) {
        int64_t until = now + CO_MSEC + random_next() % (999 * CO_MSEC);
        int64_t late;

        if (co_sleep_until(until) < 0)
            break;
        now = co_now();
        late = (now - until) / CO_USEC;
        t.late[late < LATE_US ? late : LATE_US]++;
        t.wakes++;
    }
    t.living--;
}

static long late_p99(void)
{
    long seen = 0, us = 0;

    while ((seen += t.late[us]) < t.wakes - t.wakes / 100)
        us++;
    return us;
}

static void events(void)
{
    int64_t cpu;

    t.seed = 2463534242;
    t.end = co_after((bench.quick ? 2 : 10) * CO_SECOND);
    for (t.living = 0; t.living < SLEEPERS; t.living++)
        if (co_go(sleeper, NULL) < 0)
            bench_die("co_go");
    co_yield_now();
    (void)co_sleep_until(co_after(CO_SECOND)); /* all are on their way */
    t.wakes = 0;
    memset(t.late, 0, sizeof(t.late));
    cpu = bench_thread_cpu_ns();
    (void)co_sleep_until(t.end - CO_MSEC);
    cpu = bench_thread_cpu_ns() - cpu;
    bench_report("timer.event_cpu", (double)cpu / (double)t.wakes, "ns",
                 t.wakes);
    bench_report("timer.late_p99", (double)late_p99(), "us", t.wakes);
}

/* All still sleep, up to a second. */
static void arm_cancel(void *arg, long n)
{
    struct sched *s = sched_self();
    uint32_t id = s->running->stack.number;

    (void)arg;
    for (long i = 0; i < n; i++) {
        timer_set(&s->timer, id, s->now + random_next() % CO_SECOND, s->now);
        timer_drop(&s->timer, id);
    }
}

static void root(void *arg)
{
    struct bench_case arm = { .name = "timer.arm_cancel", .run = arm_cancel };

    (void)arg;
    events();
    bench_rounds(&arm, 1, bench.quick ? 5 : ARM_MS);
    while (t.living > 0)
        (void)co_sleep_until(co_after(10 * CO_MSEC));
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1, .pin = true };

    bench_open(argc, argv);
    if (co_run(root, NULL, &config) < 0)
        bench_die("co_run");
    return 0;
}
