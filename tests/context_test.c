/* context_test.c - what survives a switch, and where a new context starts.
 *
 * Built by context_matrix_test.sh with other compilers and options too, since
 * what may go wrong here is what a compiler keeps across a call.
 *
 * SPDX-License-Identifier: MIT
 */
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "tests/fiber.h"

enum { RING_MAX = 500 };

/* ---- start -----------------------------------------------------------------
 */

static void remember_place(struct fiber *f)
{
    char here = 0;

    CHECK(on_stack(f, &here));
    f->n++;
}

static void a_context_starts_at_its_entry_with_its_argument(void)
{
    struct fiber f = { .n = 0 };

    fiber_open(&f, remember_place);
    CHECK_EQ(f.n, 0);
    CHECK(on_stack(&f, context_sp(&f.context)));
    fiber_go(&f);
    CHECK_EQ(f.n, 1);
    fiber_go(&f);
    CHECK_EQ(f.n, 2);
    CHECK(on_stack(&f, context_sp(&f.context)));
    CHECK(!on_stack(&f, context_sp(&fiber_thread.context)));
    fiber_close(&f);
}

static void a_stack_that_is_too_small_is_an_error(void)
{
    static char stack[64];
    struct context c;

    CHECK_EQ(context_make(&c, stack, sizeof(stack), fiber_entry, NULL), -1);
    CHECK_EQ(errno, EINVAL);
}

static void a_parked_context_touches_one_page(void)
{
    struct fiber f = { .n = 0 };
    unsigned char in_core[STACK_BYTES / 4096];
    int pages = 0;

    fiber_open(&f, remember_place);
    fiber_go(&f);
    CHECK_EQ(mincore(f.stack, STACK_BYTES, in_core), 0);
    for (size_t i = 0; i < sizeof(in_core); i++)
        pages += in_core[i] & 1;
    CHECK(pages == 1 || sysconf(_SC_PAGESIZE) != 4096);
    fiber_close(&f);
}

/* ---- registers --------------------------------------------------------------
 */

/* More live values, of both kinds, than there are registers that a call
 * preserves, all of them different from what the other side has in them. */
static void hold_registers(struct fiber *f)
{
    volatile long seed = f->n;
    long a = seed + 1, b = seed * 3, c = seed ^ 5, d = seed - 7, e = seed * 11;
    long g = seed + 13, h = seed * 17, i = seed - 19, j = seed * 23;
    long k = seed ^ 29, l = seed * 31, m = seed + 37;
    volatile double real = (double)seed;
    double p = real + 1, q = real * 3, r = real - 5, s = real * 7;
    double t = real + 11, u = real * 13, v = real - 17, w = real * 19;

    for (int round = 0; round < 100; round++) {
        fiber_back(f);
        CHECK(a == seed + 1 && b == seed * 3 && c == (seed ^ 5));
        CHECK(d == seed - 7 && e == seed * 11 && g == seed + 13);
        CHECK(h == seed * 17 && i == seed - 19 && j == seed * 23);
        CHECK(k == (seed ^ 29) && l == seed * 31 && m == seed + 37);
        CHECK(p == real + 1 && q == real * 3 && r == real - 5);
        CHECK(s == real * 7 && t == real + 11 && u == real * 13);
        CHECK(v == real - 17 && w == real * 19);
        seed++, real = real + 1;
        a++, b += 3, c = seed ^ 5, d++, e += 11, g++, h += 17, i++, j += 23;
        k = seed ^ 29, l += 31, m++;
        p += 1, q += 3, r += 1, s += 7, t += 1, u += 13, v += 1, w += 19;
    }
}

static void callee_saved_registers_survive(void)
{
    struct fiber f[3];
    bool done;

    for (int i = 0; i < 3; i++) {
        f[i].n = 1000003L * (i + 1);
        fiber_open(&f[i], hold_registers);
    }
    do {
        done = true;
        for (int i = 0; i < 3; i++) {
            if (!f[i].done)
                fiber_go(&f[i]);
            done = done && f[i].done;
        }
    } while (!done);
    for (int i = 0; i < 3; i++)
        fiber_close(&f[i]);
}

/* Compilers take the alignment of the stack from the ABI, and use instructions
 * that fault without it, here and in the C library's printing of doubles. */
static void use_aligned_locals(struct fiber *f)
{
    _Alignas(16) volatile float lanes[4] = { 1, 2, 3, 4 };
    char text[64];

    for (int round = 0; round < 3; round++) {
        volatile uintptr_t place = (uintptr_t)lanes;

        CHECK_EQ(place % 16, 0);
        for (int i = 0; i < 4; i++)
            lanes[i] = lanes[i] * 2;
        snprintf(text, sizeof(text), "%.3f %Lg", (double)lanes[3], 0.5L);
        CHECK(strcmp(text, round == 0   ? "8.000 0.5"
                           : round == 1 ? "16.000 0.5"
                                        : "32.000 0.5") == 0);
        fiber_back(f);
    }
}

static void the_stack_is_aligned(void)
{
    for (size_t shift = 0; shift < 32; shift += 8) {
        struct fiber f;

        fiber_open(&f, use_aligned_locals);
        CHECK_EQ(context_make(&f.context, f.stack, STACK_BYTES - shift,
                              fiber_entry, &f),
                 0);
        while (!f.done)
            fiber_go(&f);
        fiber_close(&f);
    }
}

/* ---- many -------------------------------------------------------------------
 */

static struct fiber ring[RING_MAX];
static int ring_size;
static struct fiber *ring_last; /* the one that came to its end */

static void __attribute__((noinline)) pass_on(struct fiber *f, int depth)
{
    volatile char ballast[64];

    ballast[depth] = (char)depth;
    if (depth > 0) {
        pass_on(f, depth - 1);
    } else {
        struct fiber *next = f + 1 == ring + ring_size ? ring : f + 1;

        fiber_switch(f, next);
    }
    CHECK_EQ(ballast[depth], depth);
}

static void run_in_ring(struct fiber *f)
{
    double sum = 0;
    long rounds = f->n;

    for (long i = 0; i < rounds; i++) {
        pass_on(f, (int)(i % 7));
        sum += (double)(f - ring) + 0.5;
    }
    CHECK(sum == (double)rounds * ((double)(f - ring) + 0.5));
    ring_last = f;
}

static void ring_open(int size, long rounds, void (*run)(struct fiber *))
{
    ring_size = size;
    for (int i = 0; i < size; i++) {
        ring[i].n = rounds;
        fiber_open(&ring[i], run);
    }
}

static void ring_close(void)
{
    for (int i = 0; i < ring_size; i++)
        fiber_close(&ring[i]);
}

static void many_contexts_pass_on_in_a_ring(void)
{
    ring_open(RING_MAX, test_count(1000), run_in_ring);
    fiber_go(&ring[0]);
    CHECK(ring_last == &ring[0]);
    /* The first was at its end when the others had one switch to come back
     * from. */
    for (int i = 1; i < ring_size; i++) {
        fiber_go(&ring[i]);
        CHECK(ring_last == &ring[i]);
    }
    ring_close();
}

/* ---- signals ----------------------------------------------------------------
 */

/* TSan holds signals back until the thread makes a system call. */
#ifdef CO_TSAN
enum { SIGNALS_WAIT = true };
#else
enum { SIGNALS_WAIT = false };
#endif

static volatile sig_atomic_t hits; /* signals that came on a context's stack */

static void scribble(int sig)
{
    volatile double junk[64];
    int saved = errno;

    (void)sig;
    for (int i = 0; i < 64; i++)
        junk[i] = i * 0.1;
    for (int i = 0; i < ring_size; i++)
        if (on_stack(&ring[i], (const void *)junk))
            hits++;
    errno = saved;
}

static void storm(bool on)
{
    static timer_t timer;
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGPROF };
    struct itimerspec often = { { 0, 50000 }, { 0, 50000 } };
    struct sigaction action = { .sa_handler = scribble,
                                .sa_flags = SA_RESTART };

    if (!on) {
        CHECK_EQ(timer_delete(timer), 0);
        return;
    }
    CHECK_EQ(sigaction(SIGPROF, &action, NULL), 0);
    CHECK_EQ(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    CHECK_EQ(timer_settime(timer, 0, &often, NULL), 0);
}

static void signals_may_come_at_any_place(void)
{
    time_t give_up = time(NULL) + 20;
    long wanted = test_count(20000);

    if (SIGNALS_WAIT)
        return;
    storm(true);
    while (hits < wanted && time(NULL) < give_up) {
        ring_open(4, 2000, run_in_ring);
        for (int i = 0; i < ring_size; i++) {
            fiber_go(&ring[i]);
            CHECK(ring_last == &ring[i]);
        }
        ring_close();
    }
    storm(false);
    CHECK(hits >= 1);
}

int main(void)
{
    RUN(a_context_starts_at_its_entry_with_its_argument);
    RUN(a_stack_that_is_too_small_is_an_error);
    RUN(a_parked_context_touches_one_page);
    RUN(callee_saved_registers_survive);
    RUN(the_stack_is_aligned);
    RUN(many_contexts_pass_on_in_a_ring);
    RUN(signals_may_come_at_any_place);
    return 0;
}
