/* tasks.h - runs a function on a scheduler or on a plain thread: for tests of
 * what must work between them in every combination.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_TASKS_H
#define TESTS_TASKS_H

#include "co/co.h"
#include "tests/test.h"
#include <pthread.h>
#include <sched.h>

enum { ON_FIRST, ON_SECOND, ON_THREAD, PLACES };

struct task {
    co_fn *fn;
    void *arg;
    struct co *co; /* NULL: a plain thread */
    pthread_t thread;
};

static void *task_thread(void *arg)
{
    struct task *t = (struct task *)arg;

    t->fn(t->arg);
    return NULL;
}

__attribute__((unused)) static void task_start(struct task *t, int place,
                                               co_fn *fn, void *arg)
{
    t->fn = fn;
    t->arg = arg;
    t->co = NULL;
    if (place == ON_THREAD) {
        CHECK_EQ(pthread_create(&t->thread, NULL, task_thread, t), 0);
    } else {
        struct co_attr attr = { .name = "task",
                                .on = co_sched_at((unsigned)place) };

        t->co = co_spawn(fn, arg, &attr);
        CHECK(t->co != NULL);
    }
}

__attribute__((unused)) static void task_join(struct task *t)
{
    if (t->co != NULL)
        CHECK_EQ(co_join(t->co, CO_FOREVER), 0);
    else
        CHECK_EQ(pthread_join(t->thread, NULL), 0);
}

/* Two schedulers on threads of their own; the caller is a plain thread. */
__attribute__((unused)) static void tasks_up(void)
{
    CHECK_EQ(co_start(&(struct co_config){ .schedulers = 2 }), 0);
}

__attribute__((unused)) static void tasks_down(void)
{
    CHECK_EQ(co_shutdown(co_after(10 * CO_SECOND)), 0);
}

/* Lets others run, wherever the caller is. */
__attribute__((unused)) static void task_yield(void)
{
    if (co_self() != NULL)
        co_yield_now();
    else
        sched_yield();
}

#endif
