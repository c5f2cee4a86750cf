/* yield.c - co_yield_now() with 1 to 10,000 coroutines ready.
 *
 * For each number there is a crowd, made once, the largest first.  In a round
 * the root wakes one crowd and yields with it; waking and parking them is part
 * of the time measured, once in so many turns.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "co/co.h"

enum { ROUND_MS = 60 };

struct crowd {
    long count; /* the root included */
    long turns; /* of each in this round */
    long busy;
    bool over;
    struct co_sem gate;
};

static void take_turns(struct crowd *c)
{
    for (long i = 0; i < c->turns; i++)
        co_yield_now();
}

static void member(void *arg)
{
    struct crowd *c = arg;

    while (co_sem_wait(&c->gate, CO_FOREVER) == 0 && !c->over) {
        take_turns(c);
        c->busy--;
    }
}

static void run(void *arg, long n)
{
    struct crowd *c = arg;
    long count = c->count < n ? c->count : n;

    c->turns = n / count;
    c->busy = count - 1;
    for (long i = 1; i < count; i++)
        co_sem_post(&c->gate);
    take_turns(c);
    while (c->busy > 0)
        co_yield_now();
}

static void root(void *arg)
{
    static struct crowd crowds[] = {
        { .count = 1 }, { .count = 100 }, { .count = 1000 }, { .count = 10000 }
    };
    struct bench_case cases[] = {
        { .name = "yield.1", .run = run, .arg = &crowds[0] },
        { .name = "yield.100", .run = run, .arg = &crowds[1] },
        { .name = "yield.1000", .run = run, .arg = &crowds[2] },
        { .name = "yield.10000", .run = run, .arg = &crowds[3] },
    };

    (void)arg;
    for (int i = 3; i >= 0; i--)
        for (long k = 1; k < crowds[i].count; k++)
            if (co_go(member, &crowds[i]) < 0)
                bench_die("co_go");
    co_yield_now();
    bench_rounds(cases, 4, ROUND_MS);
    for (int i = 0; i < 4; i++) {
        crowds[i].over = true;
        for (long k = 1; k < crowds[i].count; k++)
            co_sem_post(&crowds[i].gate);
    }
}

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1, .pin = true };

    bench_open(argc, argv);
    if (co_run(root, NULL, &config) < 0)
        bench_die("co_run");
    return 0;
}
