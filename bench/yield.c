/* yield.c - co_yield_now() with 1 to 10,000 coroutines ready.
 *
 * The root and as many others as are asked for yield in turn, on one scheduler.
 * Making them is part of the time measured, a hundredth or less of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"

enum { ROUND_MS = 60 };

static long turns; /* of each coroutine in this round */

static void yields(void *arg)
{
    (void)arg;
    for (long i = 0; i < turns; i++)
        co_yield_now();
}

static void run(void *arg, long n)
{
    long ready = *(long *)arg;

    if (ready > n)
        ready = n;
    turns = n / ready + 1;
    for (long i = 1; i < ready; i++)
        if (co_go(yields, NULL) < 0)
            bench_die("co_go");
    yields(NULL);
    co_yield_now(); /* the last turn of the others */
}

static void root(void *arg)
{
    static long ready[] = { 1, 100, 1000, 10000 };
    struct bench_case cases[] = {
        { .name = "yield.1", .run = run, .arg = &ready[0] },
        { .name = "yield.100", .run = run, .arg = &ready[1] },
        { .name = "yield.1000", .run = run, .arg = &ready[2] },
        { .name = "yield.10000", .run = run, .arg = &ready[3] },
    };

    (void)arg;
    bench_rounds(cases, 4, ROUND_MS);
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1, .pin = true };

    bench_open(argc, argv);
    if (co_run(root, NULL, &config) < 0)
        bench_die("co_run");
    return 0;
}
