/* of_embed.c - scenarios of a scheduler in a host's loop, and of fork.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "co/embed.h"
#include "tests/fault/kit.h"
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

static void read_byte(void *arg)
{
    int *fds = arg;
    char byte;

    while (!WENT(co_read(fds[0], &byte, 1, SOON) == 1, ENOMEM, ))
        continue;
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC / 10)), 0);
    fds[0] = -1;
}

/* The host's loop, until the coroutine has read what the host wrote. */
static void drive(struct co_sched *s)
{
    int fds[2], reader;

    CHECK_EQ(pipe(fds), 0);
    reader = fds[0];
    if (WENT(co_go(read_byte, fds) == 0, ENOMEM, )) {
        CHECK_EQ(write(fds[1], "x", 1), 1);
        while (fds[0] >= 0) {
            struct pollfd fd = { .fd = co_embed_fd(s), .events = POLLIN };

            CHECK_EQ(poll(&fd, 1, 10000), 1);
            CHECK(co_embed_step(s) >= 0);
        }
    }
    CHECK_EQ(close(reader), 0);
    CHECK_EQ(close(fds[1]), 0);
}

static void park(void *arg)
{
    (void)arg;
    CHECK_EQ(co_sleep_until(CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
}

static void embed_with(unsigned threads)
{
    struct co_config config = { .schedulers = threads };
    struct co_sched *s = co_embed_open(&config);

    if (!WENT(s != NULL, ENOMEM, ))
        return;
    drive(s);
    (void)WENT(co_go(park, NULL) == 0, ENOMEM, );
    CHECK_EQ(co_embed_close(s), 0);
}

static void embed(void) { embed_with(0); }
static void embed_threads(void) { embed_with(1); }
static void use_embed(void) { embed_with(0); }
static void embed_beside(void) { beside_runtime(use_embed); }

/* ---- fork
 * --------------------------------------------------------------------- */

static void nothing(void *arg) { (void)arg; }

static void child(void)
{
    struct co_config config = { .schedulers = 1 };

    CHECK(co_go(nothing, NULL) == -1 && errno == ESHUTDOWN);
#ifdef CO_ASAN
    _exit(0); /* clang 14's malloc() may hang in the child of a busy process */
#endif
    if (WENT(co_start(&config) == 0, ENOMEM, )) {
        check_health();
        CHECK_EQ(co_shutdown(SOON), 0);
    }
    /* What was to fail here must be told to the parent. */
    _exit(inject_fired() ? 3 : 0);
}

/* By a thread that has waited for a descriptor, and has what that takes. */
static void use_fork(void)
{
    int status, fds[2];
    pid_t pid;

    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, co_after(CO_MSEC / 10)), -1);
    (void)WENT(errno == ETIMEDOUT, ENOMEM, );
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(close(fds[1]), 0);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0)
        child();
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(status == 0 || status == 3 << 8);
    if (status != 0)
        inject_fire();
}

static void forks(void) { beside_runtime(use_fork); }

const struct scenario scenarios_embed[] = {
    { "embed", embed, 0 },
    { "embed_threads", embed_threads, 0 },
    { "embed_beside", embed_beside, 0 },
    { "forks", forks, 0 },
    { NULL, NULL, 0 },
};
