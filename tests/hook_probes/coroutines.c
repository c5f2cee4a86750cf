/* coroutines.c - probes as coroutines of one scheduler, beside a ticker.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/hook_probes/mode.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRIES = 4 };

struct root {
    void (*fn)(const struct probe *p);
    const struct probe *p;
};

static bool ticking;

/* How long this thread has been ready to run and did not, as others ran: that
 * is the machine's doing.  In ns; 0 where the kernel does not tell. */
static int64_t held_up(int schedstat)
{
    char text[64] = "";
    long long ran, waited = 0;

    if (pread(schedstat, text, sizeof text - 1, 0) > 0)
        (void)sscanf(text, "%lld %lld", &ran, &waited);
    return waited;
}

static void ticker(void *arg)
{
    int schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    int64_t last = co_now() - held_up(schedstat);

    (void)arg;
    while (ticking) {
        int64_t now;

        (void)co_sleep_until(co_after(CO_MSEC));
        now = co_now() - held_up(schedstat);
        if ((now - last) / CO_USEC > probe_here->gap_us)
            probe_here->gap_us = (now - last) / CO_USEC;
        last = now;
    }
}

static void root_main(void *arg)
{
    const struct root *r = arg;
    struct co *beat;

    ticking = true;
    beat = co_spawn(ticker, NULL, NULL);
    NEED(beat != NULL);
    co_yield_now();
    r->fn(r->p);
    ticking = false;
    (void)co_join(beat, CO_FOREVER);
    probe_here->end = END_OK;
    _exit(0); /* what the probe left open does not matter */
}

static void coroutine_enter(void (*fn)(const struct probe *p),
                            const struct probe *p)
{
    struct root r = { fn, p };
    struct co_config config = { .schedulers = 1, .keep_signals = true };

    NEED(co_run(root_main, &r, &config) == 0);
}

static void *coroutine_start(void (*fn)(void *arg), void *arg)
{
    return co_spawn(fn, arg, NULL);
}

static void coroutine_join(void *actor) { (void)co_join(actor, CO_FOREVER); }

const struct probe_mode probe_coroutines = {
    .name = "coroutines",
    .enter = coroutine_enter,
    .start = coroutine_start,
    .join = coroutine_join,
};

bool probe_stalls(size_t i, int limit_ms, struct probe_result *results)
{
    bool alone[PROBES_MAX] = { false };
    const struct probe *p = probe_at(i);
    struct probe_result *r = &results[i];

    if (p->waits_ms == 0 || r->end != END_OK)
        return false;
    alone[i] = true;
    for (int n = 1; n < TRIES && r->gap_us >= p->waits_ms * 500L; n++)
        probes_run(&probe_coroutines, alone, 1, limit_ms, results);
    return r->gap_us >= p->waits_ms * 500L;
}
