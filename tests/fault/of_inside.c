/* of_inside.c - scenarios of who looks at what all others are doing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/dump.h"
#include "co/inside.h"
#include "co/sys.h"
#include "tests/fault/kit.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

static void reader(void *arg)
{
    char c;

    (void)co_read(*(int *)arg, &c, 1, CO_FOREVER); /* how: see of_io.c */
}

/* Somebody waits for a pipe meanwhile, so that this is described, too. */
static void dump_all(void)
{
    int fd, pipes[2], sockets[2];
    struct co *one, *other;

    inject_off();
    fd = memfd_create("dump", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(pipe2(pipes, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets), 0);
    CHECK((one = co_spawn(reader, &pipes[0], NULL)) != NULL);
    CHECK((other = co_spawn(reader, &sockets[0], NULL)) != NULL);
    CHECK_EQ(co_sleep_until(co_after(10 * CO_MSEC)), 0); /* it waits now */
    inject_on();
    (void)WENT(co_dump(fd) == 0, ENOMEM, EAGAIN, );
    (void)WENT(co_dump_json(fd) == 0, ENOMEM, EAGAIN, );
    (void)WENT(co_dump_grouped(fd) == 0, ENOMEM, EAGAIN, );
    inject_off();
    CHECK_EQ(close(pipes[1]), 0);
    CHECK_EQ(close(sockets[1]), 0);
    CHECK_EQ(co_join(one, SOON), 0);
    CHECK_EQ(co_join(other, SOON), 0);
    CHECK_EQ(close(pipes[0]), 0);
    CHECK_EQ(close(sockets[0]), 0);
    CHECK_EQ(close(fd), 0);
    inject_on();
}

static void dumps(void) { in_runtime(dump_all); }
static void dumps_on_thread(void) { beside_runtime(dump_all); }

/* Not before the writer waits, mostly: then the place of its poll is reached.
 */
static void *drain(void *arg)
{
    struct timespec pause = { 0, 50 * 1000 * 1000 };
    char buf[4096];

    (void)nanosleep(&pause, NULL);
    while (read(*(int *)arg, buf, sizeof buf) > 0)
        ;
    return NULL;
}

/* As dump_signal's thread writes, to what somebody else made O_NONBLOCK. */
static void dump_plainly(void)
{
    static const struct dump_form *const forms[] = { &dump_text, NULL };
    pthread_t thread;
    int fds[2];

    inject_off();
    CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
    CHECK_EQ(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
    while (write(fds[1], "x", 1) > 0)
        ;
    CHECK_EQ(pthread_create(&thread, NULL, drain, &fds[0]), 0);
    inject_on();
    (void)WENT(dump_write(fds[1], forms, 1) == 0, ENOMEM, );
    inject_off();
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    CHECK_EQ(close(fds[0]), 0);
    inject_on();
}

static void dumps_plainly(void) { beside_runtime(dump_plainly); }

static void dump_signal(void)
{
    struct co_config config = { .schedulers = 1, .dump_signal = SIGQUIT };

    if (WENT(co_start(&config) == 0, ENOMEM, )) {
        check_health();
        CHECK_EQ(co_shutdown(SOON), 0);
    }
}

static void trim(void) { co_sys_trim(); }
static void trims(void) { in_runtime(trim); }

const struct scenario scenarios_inside[] = {
    { "trims", trims, 0 },
    { "dumps", dumps, 0 },
    { "dumps_on_thread", dumps_on_thread, 0 },
    { "dumps_plainly", dumps_plainly, 0 },
    { "dump_signal", dump_signal, 0 },
    { NULL, NULL, 0 },
};
