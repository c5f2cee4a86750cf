/* cxx_test.cpp - exceptions of one coroutine are not those of another.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"
#include <exception>

static const int COUNT = 10, TURNS = 10;

static int caught_now()
{
    try {
        throw;
    } catch (int i) {
        return i;
    }
}

static void turns(int mine)
{
    for (int i = 0; i < TURNS; i++) {
        CHECK_EQ(caught_now(), mine);
        CHECK_EQ(std::uncaught_exceptions(), 0);
        if (i % 4 == 3)
            CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
        else
            co_yield_now();
    }
}

/* A handler within a handler: the outer exception comes back. */
static void nested(int mine)
{
    try {
        throw mine + 1000;
    } catch (int) {
        turns(mine + 1000);
    }
    turns(mine);
}

static void in_catch(void *arg)
{
    int mine = (int)(intptr_t)arg;
    bool again = false;

    CHECK(std::current_exception() == nullptr);
    try {
        try {
            throw mine;
        } catch (int i) {
            CHECK_EQ(i, mine);
            turns(mine);
            nested(mine);
            CHECK_EQ(i, mine);
            throw;
        }
    } catch (int i) {
        CHECK_EQ(i, mine);
        again = true;
    }
    CHECK(again);
    co_yield_now();
    CHECK(std::current_exception() == nullptr);
}

/* Switched out while an exception is on its way up. */
struct Unwound {
    ~Unwound()
    {
        for (int i = 0; i < TURNS; i++) {
            CHECK_EQ(std::uncaught_exceptions(), 1);
            co_yield_now();
        }
    }
};

static void unwinding(void *arg)
{
    bool caught = false;

    CHECK_EQ(std::uncaught_exceptions(), 0);
    try {
        Unwound unwound;

        throw arg;
    } catch (void *thrown) {
        caught = thrown == arg;
    }
    CHECK(caught);
    CHECK_EQ(std::uncaught_exceptions(), 0);
}

static void without(void *)
{
    for (int i = 0; i < 5 * TURNS; i++) {
        CHECK(std::current_exception() == nullptr);
        CHECK_EQ(std::uncaught_exceptions(), 0);
        co_yield_now();
    }
}

static void root(void *)
{
    struct co *all[3 * COUNT];

    for (intptr_t i = 0; i < COUNT; i++) {
        all[3 * i] = co_spawn(in_catch, (void *)i, NULL);
        all[3 * i + 1] = co_spawn(unwinding, (void *)(i + 1), NULL);
        all[3 * i + 2] = co_spawn(without, NULL, NULL);
    }
    for (struct co *co : all) {
        CHECK(co != NULL);
        CHECK_EQ(co_join(co, CO_FOREVER), 0);
    }
}

static void exceptions_are_apart(void)
{
    CHECK_EQ(co_run(root, NULL, NULL), 0);
}

static void root_in_catch(void *arg)
{
    try {
        throw 77;
    } catch (int) {
        root(arg); /* spawned out of a handler, they are in none */
        CHECK_EQ(caught_now(), 77);
    }
}

static void born_in_a_handler(void)
{
    CHECK_EQ(co_run(root_in_catch, NULL, NULL), 0);
}

/* The thread that calls co_run() has exceptions of its own. */
static void run_in_a_handler(void)
{
    try {
        throw 5;
    } catch (int) {
        CHECK_EQ(co_run(root, NULL, NULL), 0);
        CHECK_EQ(caught_now(), 5);
    }
    CHECK(std::current_exception() == nullptr);
}

int main()
{
    RUN(exceptions_are_apart);
    RUN(born_in_a_handler);
    RUN(run_in_a_handler);
    return 0;
}
