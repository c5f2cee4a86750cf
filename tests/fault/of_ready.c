/* of_ready.c - scenarios of waiting for descriptors, and no more.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"

static void shut(int fd) { (void)WENT(co_close(fd) == 0, ); }

enum { PIPES = 20 };

static void select_pipe(int fds[PIPES][2], int wanted)
{
    struct co_case cases[PIPES];
    int i;

    for (i = 0; i < PIPES; i++)
        cases[i] = (struct co_case)CO_FD(fds[i][0], CO_READ);
    while (!WENT((i = co_select(cases, PIPES, SOON)) >= 0, ENOMEM, ))
        continue;
    CHECK_EQ(i, wanted);
}

static void write_later(void *arg)
{
    (void)co_sleep_until(co_after(CO_MSEC / 10));
    CHECK_EQ(write(*(int *)arg, "x", 1), 1);
}

static void *write_on_thread(void *arg)
{
    write_later(arg);
    return NULL;
}

static void use_select(void)
{
    int fds[PIPES][2];
    pthread_t thread;

    for (int i = 0; i < PIPES; i++)
        CHECK_EQ(pipe(fds[i]), 0);
    CHECK_EQ(pthread_create(&thread, NULL, write_on_thread, &fds[7][1]), 0);
    select_pipe(fds, 7);
    while (!WENT(co_fd_wait(fds[7][0], CO_READ, SOON) == CO_READ, ENOMEM, ))
        continue;
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(co_fd_wait(fds[8][0], CO_READ, co_after(CO_MSEC)), -1);
    (void)WENT(errno == ETIMEDOUT, ENOMEM, );
    for (int i = 0; i < PIPES; i++) {
        shut(fds[i][0]);
        shut(fds[i][1]);
    }
}

static void read_one(void *arg)
{
    char byte;

    while (!WENT(co_read(*(int *)arg, &byte, 1, SOON) == 1, ENOMEM, ))
        continue;
}

/* One scheduler after the other waits for the same pipe: the first one is told
 * of what it waits for no more. */
static void use_by_turns(void)
{
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct co_attr attr = { .on = co_sched_at(i % 2) };
        struct co *co = co_spawn(read_one, &fds[0], &attr);

        if (!WENT(co != NULL, ENOMEM, ))
            continue;
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC / 10)), 0);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(co_join(co, SOON), 0);
    }
    co_fd_forget(fds[0]); /* the kernel does not */
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, co_after(CO_MSEC / 10)), -1);
    (void)WENT(errno == ETIMEDOUT, ENOMEM, );
    shut(fds[0]);
    shut(fds[1]);
}

static void turns(void) { in_runtime(use_by_turns); }
static void selects(void) { in_runtime(use_select); }
static void selects_on_thread(void) { beside_runtime(use_select); }

const struct scenario scenarios_ready[] = {
    { "turns", turns, 0 },
    { "selects", selects, 0 },
    { "selects_on_thread", selects_on_thread, 0 },
    { "selects_first", selects_on_thread, FIRST(pthread_key_create) },
    { NULL, NULL, 0 },
};
