/* embed_libuv.c - coroutines inside the loop of libuv.
 *
 *     embed_libuv [SECONDS]      also counts steps in so many idle seconds
 *
 * Needs libuv1-dev.  What runs stands in embedded.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "examples/embedded.h"
#include <uv.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    embedded_step(poll->data);
}

static void on_tick(uv_timer_t *timer)
{
    if (!embedded_tick(timer->data))
        (void)uv_timer_stop(timer);
}

static void stop(void *loop) { uv_stop(loop); }

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct embedded e = { .stop = stop, .arg = loop };
    uv_poll_t poll = { .data = &e };
    uv_timer_t timer = { .data = &e };

    if (!embedded_open(&e, argc, argv))
        return 1;
    (void)uv_poll_init(loop, &poll, co_embed_fd(e.sched));
    (void)uv_poll_start(&poll, UV_READABLE, on_readable);
    (void)uv_timer_init(loop, &timer);
    (void)uv_timer_start(&timer, on_tick, TICK_MS, TICK_MS);
    (void)uv_run(loop, UV_RUN_DEFAULT);

    /* Before the loop lets go of the descriptor. */
    (void)uv_poll_stop(&poll);
    return embedded_close(&e);
}
