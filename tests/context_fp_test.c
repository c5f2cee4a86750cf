/* context_fp_test.c - the floating-point control state belongs to a context.
 *
 * SPDX-License-Identifier: MIT
 */
#include <fenv.h>
#include <fpu_control.h>

#include "tests/fiber.h"

/* Whether quotients are rounded upward, then the two do not cancel out. */
static bool rounds_upward(void)
{
    volatile double one = 1, minus_one = -1, three = 3;
    volatile double third = one / three, minus_third = minus_one / three;

    return third + minus_third > 0;
}

/* The same where the x87 computes, or software that looks at the mode. */
static bool rounds_long_upward(void)
{
    volatile long double one = 1, minus_one = -1, three = 3;
    volatile long double third = one / three, minus_third = minus_one / three;

    return third + minus_third > 0;
}

static void round_upward(struct fiber *f)
{
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK_EQ(fesetround(FE_UPWARD), 0);
    for (int i = 0; i < 3; i++) {
        fiber_back(f);
        CHECK_EQ(fegetround(), FE_UPWARD);
        CHECK(rounds_upward());
        CHECK(rounds_long_upward());
    }
}

static void rounding_belongs_to_a_context(void)
{
    struct fiber f;

    fiber_open(&f, round_upward);
    while (!f.done) {
        fiber_go(&f);
        if (f.done)
            break;
        CHECK_EQ(fegetround(), FE_TONEAREST);
        CHECK(!rounds_upward());
        /* Flags that differ must not matter. */
        feclearexcept(FE_ALL_EXCEPT);
    }
    CHECK_EQ(fegetround(), FE_TONEAREST);
    fiber_close(&f);
}

/* On x86 this word is the x87's alone, and 0x300 its precision; elsewhere bit
 * 24 flushes denormal numbers to zero. */
#if defined(__x86_64__) || defined(__i386__)
enum { CONTROL_BITS = 0x300 };
#else
enum { CONTROL_BITS = 1 << 24 };
#endif

static fpu_control_t control_word(void)
{
    fpu_control_t word;

    _FPU_GETCW(word);
    return word;
}

static void set_control_word(fpu_control_t word)
{
    _FPU_SETCW(word);
    (void)word;
}

static void change_control_word(struct fiber *f)
{
    fpu_control_t before = control_word();
    fpu_control_t mine = before ^ CONTROL_BITS;

    set_control_word(mine);
    for (int i = 0; i < 3; i++) {
        fiber_back(f);
        CHECK_EQ(control_word(), mine);
    }
    set_control_word(before);
}

static void the_control_word_belongs_to_a_context(void)
{
    struct fiber f;
    fpu_control_t before = control_word();

    fiber_open(&f, change_control_word);
    while (!f.done) {
        fiber_go(&f);
        CHECK_EQ(control_word(), before);
    }
    fiber_close(&f);
}

/* Where there are two control words: only the one of SSE differs. */
static void round_upward_in_sse(struct fiber *f)
{
    fpu_control_t before = control_word();

    CHECK_EQ(fesetround(FE_UPWARD), 0);
    set_control_word(before);
    for (int i = 0; i < 3; i++) {
        bool upward = rounds_upward();

        if (i == 0)
            f->n = upward; /* one word only, so that took it back */
        CHECK_EQ(upward, f->n);
        fiber_back(f);
    }
}

static void the_words_are_looked_at_one_by_one(void)
{
    struct fiber f;

    fiber_open(&f, round_upward_in_sse);
    while (!f.done) {
        fiber_go(&f);
        CHECK(f.done || !rounds_upward());
    }
    CHECK_EQ(fesetround(FE_TONEAREST), 0);
    fiber_close(&f);
}

static void expect_default_fp(struct fiber *f)
{
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK_EQ(control_word(), (fpu_control_t)f->n);
}

static void a_new_context_has_the_default_state(void)
{
    struct fiber f;
    fpu_control_t before = control_word();

    CHECK_EQ(fesetround(FE_DOWNWARD), 0);
    set_control_word(control_word() ^ CONTROL_BITS);
    f.n = (long)before;
    fiber_open(&f, expect_default_fp);
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    fiber_go(&f);
    CHECK_EQ(fegetround(), FE_DOWNWARD);
    context_reset_fp();
    CHECK_EQ(fegetround(), FE_TONEAREST);
    CHECK_EQ(control_word(), before);
    fiber_close(&f);
}

static void reset_keeps_the_default_and_each_part(void)
{
    fpu_control_t before = control_word();

    context_reset_fp();
    CHECK_EQ(control_word(), before);
    set_control_word(before ^ CONTROL_BITS);
    context_reset_fp();
    CHECK_EQ(control_word(), before);
    CHECK_EQ(fesetround(FE_UPWARD), 0);
    set_control_word(before);
    context_reset_fp();
    CHECK(!rounds_upward());
}

#if defined(__x86_64__) && !defined(CO_CONTEXT_UCONTEXT)
static void trap_on_division(struct fiber *f)
{
    volatile long double x = 3;

    feclearexcept(FE_ALL_EXCEPT);
    CHECK(feenableexcept(FE_DIVBYZERO) >= 0);
    for (int i = 0; i < 3; i++) {
        fiber_back(f);
        x = x / 2;
    }
    CHECK(fedisableexcept(FE_DIVBYZERO) >= 0);
}

static void a_pending_exception_of_another_context_is_not_raised(void)
{
    struct fiber f;

    fiber_open(&f, trap_on_division);
    while (!f.done) {
        volatile long double zero = 0, x = 1;

        x = x / zero;
        fiber_go(&f);
    }
    fiber_close(&f);
}
#else
static void a_pending_exception_of_another_context_is_not_raised(void) {}
#endif

/* Emulators save themselves much of this: valgrind remembers the mode and
 * rounds to nearest all the same. */
static bool emulated(void)
{
    bool followed;

    CHECK_EQ(fesetround(FE_UPWARD), 0);
    followed = rounds_upward() && rounds_long_upward();
    CHECK_EQ(fesetround(FE_TONEAREST), 0);
    return !followed;
}

int main(void)
{
    if (emulated()) {
        fprintf(stderr, "  skipped: arithmetic here has one rounding mode\n");
        return 77;
    }
    RUN(rounding_belongs_to_a_context);
    RUN(the_control_word_belongs_to_a_context);
    RUN(the_words_are_looked_at_one_by_one);
    RUN(a_new_context_has_the_default_state);
    RUN(reset_keeps_the_default_and_each_part);
    RUN(a_pending_exception_of_another_context_is_not_raised);
    return 0;
}
