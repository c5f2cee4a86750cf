/* switch.c - what a switch from one context to another costs.
 *
 *   switch.asm          two contexts, three frames deep, one way
 *   switch.ucontext     the same with the portable back end
 *   switch.swapcontext  the same with the C library's swapcontext(3)
 *   switch.call         a call and its return
 *   switch.floor.N      N contexts in a ring on the library's stacks: what is
 *                       left for yield.N when a scheduler costs nothing
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/context.h"

#include "bench/switch/ring.h"

#ifdef CO_CONTEXT_UCONTEXT
static const char *const configured = NULL; /* switch.ucontext is the same */
#else
static const char *const configured = "switch.asm";
#endif

static void run_configured(void *arg, long n) { ring_turn(arg, n); }

static void run_ucontext(void *arg, long n) { ring_turn_ucontext(arg, n); }

static void run_swapcontext(void *arg, long n)
{
    ring_turn_swapcontext(arg, n);
}

static void run_call(void *arg, long n)
{
    for (long i = 0; i < n; i++)
        switch_callee(arg);
}

int main(int argc, char **argv)
{
    struct bench_case cases[] = {
        { .name = configured, .run = run_configured },
        { .name = "switch.ucontext", .run = run_ucontext },
        { .name = "switch.swapcontext", .run = run_swapcontext },
        { .name = "switch.call", .run = run_call },
        { .name = "switch.floor.1000", .run = run_configured },
        { .name = "switch.floor.10000", .run = run_configured },
    };

    bench_open(argc, argv);
    if (stack_setup(252 * 1024, RING_ROOM) < 0)
        bench_die("stack_setup");
    cases[0].arg = ring_make(2);
    cases[1].arg = ring_of_ucontext(2);
    cases[2].arg = ring_of_swapcontext(2);
    cases[4].arg = ring_make(1000);
    cases[5].arg = ring_make(10000);
    bench_rounds(cases, sizeof(cases) / sizeof(cases[0]), 20);
    bench_note("ucontext is %.3f of swapcontext",
               cases[1].median / cases[2].median);
    return 0;
}
