/* of_inside.c - scenarios of who looks at what all others are doing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/inside.h"
#include "tests/fault/kit.h"
#include <fcntl.h>
#include <sys/mman.h>

static void reader(void *arg)
{
    char c;

    (void)co_read(*(int *)arg, &c, 1, CO_FOREVER); /* how: see of_io.c */
}

/* Somebody waits for a pipe meanwhile, so that this is described, too. */
static void dump_all(void)
{
    int fd, fds[2];
    struct co *co;

    inject_off();
    fd = memfd_create("dump", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    CHECK((co = co_spawn(reader, &fds[0], NULL)) != NULL);
    CHECK_EQ(co_sleep_until(co_after(10 * CO_MSEC)), 0); /* it waits now */
    inject_on();
    (void)WENT(co_dump(fd) == 0, ENOMEM, EAGAIN, );
    (void)WENT(co_dump_json(fd) == 0, ENOMEM, EAGAIN, );
    (void)WENT(co_dump_grouped(fd) == 0, ENOMEM, EAGAIN, );
    inject_off();
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(co_join(co, SOON), 0);
    CHECK_EQ(close(fds[0]), 0);
    CHECK_EQ(close(fd), 0);
    inject_on();
}

static void dumps(void) { in_runtime(dump_all); }
static void dumps_on_thread(void) { beside_runtime(dump_all); }

static void dump_signal(void)
{
    struct co_config config = { .schedulers = 1, .dump_signal = SIGQUIT };

    if (WENT(co_start(&config) == 0, ENOMEM, )) {
        check_health();
        CHECK_EQ(co_shutdown(SOON), 0);
    }
}

const struct scenario scenarios_inside[] = {
    { "dumps", dumps, 0 },
    { "dumps_on_thread", dumps_on_thread, 0 },
    { "dump_signal", dump_signal, 0 },
    { NULL, NULL, 0 },
};
