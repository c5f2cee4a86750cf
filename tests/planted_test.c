/* planted_test.c - sanitizers and valgrind see into coroutines: an error that
 * was planted there is reported with the functions it happened in, and what is
 * no error is not reported.
 *
 * Each case is a child whose stderr is read.  Without such a tool there is
 * nothing to test.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/co.h"
#include "tests/child.h"
#include <alloca.h>
#include <setjmp.h>

enum { OUTSIDE_HEAP, OUTSIDE_FRAME };

static const char *self;      /* argv[0] */
static const char *case_name; /* as its argument */

/* valgrind reports to what was its stderr when it began: so once more. */
static void again(void)
{
    char *args[] = { "valgrind",   "--quiet",         "--error-exitcode=99",
                     (char *)self, (char *)case_name, NULL };

    (void)execvp(args[0], args);
    perror(args[0]);
    _exit(1);
}

static void run_case(void (*fn)(void), const char *name)
{
    case_name = name;
    run_child(under_valgrind() ? again : fn);
}

static void check_clean(void)
{
    if (status != 0 || said[0] != '\0') {
        fprintf(stderr, "expected nothing, status 0; got %x:\n%s", status,
                said);
        exit(1);
    }
}

/* ---- What is planted: always three frames deep, after a switch
 * ---------------- */

static int plant;
static char *volatile heap;
static volatile int shared; /* nobody guards it */

__attribute__((noinline)) static void planted_inner(void)
{
    char frame[24] = { 0 };
    volatile char *at = plant == OUTSIDE_FRAME ? frame : heap;
    volatile int outside = plant == OUTSIDE_FRAME ? sizeof frame : 100;

    at[outside] = 1;
    co_yield_now();
}

__attribute__((noinline)) static void planted_outer(void)
{
    co_yield_now();
    planted_inner();
    co_yield_now();
}

static void planted_root(void *arg)
{
    (void)arg;
    planted_outer();
    co_yield_now();
}

static void idle(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100; i++)
        co_yield_now();
}

static void root(void *arg)
{
    struct co *all[8];

    (void)arg;
    heap = malloc(100);
    for (int i = 0; i < 8; i++)
        CHECK((all[i] = co_spawn(i == 4 ? planted_root : idle, NULL, NULL)));
    for (int i = 0; i < 8; i++)
        CHECK_EQ(co_join(all[i], CO_FOREVER), 0);
    free(heap);
}

static void child_root(void)
{
    CHECK_EQ(co_run(root, NULL, &(struct co_config){ .schedulers = 1 }), 0);
}

static void check_planted(const char *kind)
{
    CHECK(status != 0);
    check_said(kind);
    check_said("planted_inner");
    check_said("planted_outer");
    check_said("planted_root");
}

__attribute__((unused)) static void heap_overflow(const char *kind)
{
    plant = OUTSIDE_HEAP;
    run_case(child_root, "heap");
    check_planted(kind);
}

__attribute__((unused)) static void frame_overflow(const char *kind)
{
    plant = OUTSIDE_FRAME;
    run_case(child_root, NULL);
    check_planted(kind);
}

/* ---- A race of two schedulers
 * ------------------------------------------------- */

static struct co_sem both;

__attribute__((noinline)) static void race_first_inner(void) { shared++; }
__attribute__((noinline)) static void race_second_inner(void) { shared--; }

static void race_first(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        race_first_inner();
        co_yield_now();
    }
}

static void race_second(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++) {
        race_second_inner();
        co_yield_now();
    }
}

static void root_race(void *arg)
{
    struct co_attr there = { .on = co_sched_at(1) };
    struct co *a = co_spawn(race_first, NULL, NULL);
    struct co *b = co_spawn(race_second, NULL, &there);

    (void)arg;
    CHECK(a != NULL && b != NULL);
    CHECK_EQ(co_join(a, CO_FOREVER), 0);
    CHECK_EQ(co_join(b, CO_FOREVER), 0);
}

static void child_race(void)
{
    CHECK_EQ(co_run(root_race, NULL, &(struct co_config){ .schedulers = 2 }),
             0);
}

__attribute__((unused)) static void race(void)
{
    run_case(child_race, NULL);
    CHECK(status != 0);
    check_said("data race");
    check_said("race_first_inner");
    check_said("race_first ");
    check_said("race_second_inner");
    check_said("race_second ");
}

/* ---- What is no error
 * --------------------------------------------------------- */

/* Of different layouts, on one stack after the other. */
static void uses_little(void *arg)
{
    volatile char frame[100];

    for (size_t i = 0; i < sizeof frame; i++)
        frame[i] = (char)i;
    co_yield_now();
    CHECK_EQ(frame[99], 99);
    (void)arg;
}

static void uses_much(void *arg)
{
    volatile char *block = alloca(100 * 1024);
    volatile char frame[10 * 1024];

    (void)arg;
    for (size_t i = 0; i < 100 * 1024; i += 512)
        block[i] = (char)(i / 512);
    co_yield_now();
    frame[0] = frame[sizeof frame - 1] = 1;
    for (size_t i = 0; i < 100 * 1024; i += 512)
        CHECK_EQ(block[i], (char)(i / 512));
}

/* Leaves frames without returning from them. */
static jmp_buf back;

__attribute__((noinline)) static void leap(int depth)
{
    volatile char frame[3000];

    frame[0] = (char)depth;
    if (depth > 0)
        leap(depth - 1);
    else if (shared >= 0)
        longjmp(back, 1);
    frame[0]++;
}

static void leaps(void *arg)
{
    (void)arg;
    if (setjmp(back) == 0)
        leap(10);
    co_yield_now();
    uses_little(NULL);
}

static void grows(void *arg)
{
    volatile char frame[1000];

    frame[0] = 1;
    if ((long)arg > 0)
        grows((void *)((long)arg - 1));
    else
        co_yield_now();
    frame[999] = frame[0];
}

static void pass_on(void *arg)
{
    shared++; /* in turn */
    co_sem_post(&both);
    (void)arg;
}

static void root_clean(void *arg)
{
    static co_fn *const fns[] = { uses_little, uses_much, leaps, grows };
    struct co_attr there = { .on = co_sched_at(1) };

    (void)arg;
    for (int i = 0; i < 200; i++) {
        struct co *a = co_spawn(fns[i % 4], (void *)50L, NULL);
        struct co *b = co_spawn(fns[i / 4 % 4], (void *)20L, NULL);

        CHECK(a != NULL && b != NULL);
        co_cancel(b); /* looks at nothing that could fail */
        CHECK_EQ(co_join(a, CO_FOREVER), 0);
        CHECK_EQ(co_join(b, CO_FOREVER), 0);
        CHECK((a = co_spawn(pass_on, NULL, &there)) != NULL);
        CHECK_EQ(co_sem_wait(&both, CO_FOREVER), 0);
        shared++;
        CHECK_EQ(co_join(a, CO_FOREVER), 0);
    }
}

static void child_clean(void)
{
    CHECK_EQ(co_run(root_clean, NULL, &(struct co_config){ .schedulers = 2 }),
             0);
}

static void nothing_wrong(void)
{
    run_case(child_clean, "clean");
    check_clean();
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) {
        (strcmp(argv[1], "heap") == 0 ? child_root : child_clean)();
        return 0;
    }
#if defined(CO_ASAN)
    heap_overflow("heap-buffer-overflow");
    frame_overflow("stack-buffer-overflow");
#elif defined(CO_TSAN)
    RUN(race);
#else
    if (!under_valgrind()) {
        fprintf(stderr, "skipped: no sanitizer, no valgrind\n");
        return 77;
    }
    heap_overflow("Invalid write of size 1");
#endif
    RUN(nothing_wrong);
    return 0;
}
