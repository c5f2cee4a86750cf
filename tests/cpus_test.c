/* cpus_test.c - how many schedulers there should be.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "co/cpus.h"
#include "tests/test.h"
#include <sched.h>

static void quotas(void)
{
    CHECK_EQ(cpus_of_quota("max 100000\n"), 0);
    CHECK_EQ(cpus_of_quota("100000 100000\n"), 1);
    CHECK_EQ(cpus_of_quota("150000 100000\n"), 2); /* rounded up */
    CHECK_EQ(cpus_of_quota("200000 100000"), 2);
    CHECK_EQ(cpus_of_quota("200001 100000"), 3);
    CHECK_EQ(cpus_of_quota("1000 100000"), 1);
    CHECK_EQ(cpus_of_quota("6400000 100000"), 64);
    CHECK_EQ(cpus_of_quota(""), 0);
    CHECK_EQ(cpus_of_quota("100000"), 0);
    CHECK_EQ(cpus_of_quota("-1 100000"), 0);
    CHECK_EQ(cpus_of_quota("100000 0"), 0);
    CHECK_EQ(cpus_of_quota("nonsense"), 0);
}

static void root_counts(void *arg)
{
    unsigned n = 0;

    while (co_sched_at(n) != NULL)
        n++;
    *(unsigned *)arg = n;
}

static void masks(void)
{
    cpu_set_t all, one;
    unsigned schedulers = 0, allowed = cpus_allowed();
    int first = 0;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CHECK(allowed >= 1 && allowed <= (unsigned)CPU_COUNT(&all));
    CHECK_EQ(co_run(root_counts, &schedulers, NULL), 0);
    CHECK_EQ(schedulers, allowed);

    while (!CPU_ISSET(first, &all))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    CHECK_EQ(cpus_allowed(), 1);
    CHECK_EQ(co_run(root_counts, &schedulers, NULL), 0);
    CHECK_EQ(schedulers, 1);
    CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

static void pins(void)
{
    cpu_set_t all, now;
    int count, seen = -1;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    count = CPU_COUNT(&all);
    for (int i = 0; i < count + 1; i++) {
        CHECK_EQ(cpus_pin((unsigned)i), 0);
        CHECK_EQ(sched_getaffinity(0, sizeof now, &now), 0);
        CHECK_EQ(CPU_COUNT(&now), 1);
        do
            seen = (seen + 1) % CPU_SETSIZE; /* the next of all, round again */
        while (!CPU_ISSET(seen, &all));
        CHECK(CPU_ISSET(seen, &now));
        CHECK_EQ(sched_setaffinity(0, sizeof all, &all), 0);
    }
}

/* More schedulers than cpus, each pinned: still runs. */
static void root_pinned(void *arg)
{
    cpu_set_t now;

    CHECK_EQ(sched_getaffinity(0, sizeof now, &now), 0);
    CHECK_EQ(CPU_COUNT(&now), 1);
    root_counts(arg);
}

static void run_pinned(void)
{
    struct co_config config = { .schedulers = 5, .pin = true };
    unsigned schedulers = 0;
    cpu_set_t all, after;

    CHECK_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    CHECK_EQ(co_run(root_pinned, &schedulers, &config), 0);
    CHECK_EQ(schedulers, 5);
    CHECK_EQ(sched_getaffinity(0, sizeof after, &after), 0);
    CHECK(CPU_EQUAL(&all, &after)); /* the program's thread is free again */
}

int main(void)
{
    RUN(quotas);
    RUN(masks);
    RUN(pins);
    RUN(run_pinned);
    return 0;
}
