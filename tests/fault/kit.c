/* kit.c - see kit.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"

static void sender(void *arg)
{
    int value = 42, fds[2];
    char byte = 'x';

    CHECK_EQ(co_sleep_until(co_after(1)), 0);
    CHECK_EQ(pipe(fds), 0);
    CHECK_EQ(co_write(fds[1], &byte, 1, SOON), 1);
    CHECK_EQ(co_read(fds[0], &byte, 1, SOON), 1);
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK_EQ(co_close(fds[1]), 0);
    CHECK_EQ(co_chan_send(arg, &value, SOON), 0);
}

void check_health(void)
{
    struct co_chan *ch;
    struct co *co;
    int value = 0;

    inject_off();
    ch = co_chan_new(sizeof value, 0);
    CHECK(ch != NULL);
    co = co_spawn(sender, ch, NULL);
    CHECK(co != NULL);
    CHECK_EQ(co_chan_recv(ch, &value, SOON), 0);
    CHECK_EQ(value, 42);
    CHECK_EQ(co_join(co, SOON), 0);
    co_chan_free(ch);
}

static void call(void *arg)
{
    void (*fn)(void) = *(void (**)(void))arg;

    inject_on();
    fn();
    inject_off();
}

static void start(void)
{
    struct co_config config = { .schedulers = 2 };

    inject_off();
    CHECK_EQ(co_start(&config), 0);
}

static void stop(void)
{
    check_health();
    CHECK_EQ(co_shutdown(SOON), 0);
}

void in_runtime(void (*fn)(void))
{
    struct co *co;

    start();
    co = co_spawn(call, &fn, NULL);
    CHECK(co != NULL);
    CHECK_EQ(co_join(co, SOON), 0);
    stop();
}

void beside_runtime(void (*fn)(void))
{
    start();
    inject_on();
    fn();
    stop();
}
