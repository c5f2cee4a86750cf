/* spawn.c - a coroutine's whole life: spawned, run, ended.
 *
 * One by one, and 10,000 at once; stacks are warm and guarded, as always.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"

enum { ROUND_MS = 60, BATCH = 10000 };

static long ended;

static void noop(void *arg)
{
    (void)arg;
    ended++;
}

static void sequential(void *arg, long n)
{
    (void)arg;
    ended = 0;
    for (long i = 0; i < n; i++) {
        if (co_go(noop, NULL) < 0)
            bench_die("co_go");
        co_yield_now();
    }
    if (ended != n)
        abort();
}

static void batch(void *arg, long n)
{
    (void)arg;
    ended = 0;
    for (long begun = 0; begun < n;) {
        long size = n - begun < BATCH ? n - begun : BATCH;

        for (long i = 0; i < size; i++)
            if (co_go(noop, NULL) < 0)
                bench_die("co_go");
        begun += size;
        while (ended < begun)
            co_yield_now();
    }
}

static void root(void *arg)
{
    struct bench_case cases[] = {
        { .name = "spawn.sequential", .run = sequential },
        { .name = "spawn.batch", .run = batch },
    };

    (void)arg;
    bench_rounds(cases, 2, ROUND_MS);
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1, .pin = true };

    bench_open(argc, argv);
    if (co_run(root, NULL, &config) < 0)
        bench_die("co_run");
    return 0;
}
