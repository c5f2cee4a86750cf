/* embed_libevent.c - coroutines inside the loop of libevent.
 *
 *     embed_libevent [SECONDS]   also counts steps in so many idle seconds
 *
 * Needs libevent-dev.  What runs stands in embedded.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "examples/embedded.h"
#include <event2/event.h>

static struct event *timer;

static void on_readable(evutil_socket_t fd, short events, void *e)
{
    (void)fd, (void)events;
    embedded_step(e);
}

static void on_tick(evutil_socket_t fd, short events, void *e)
{
    (void)fd, (void)events;
    if (!embedded_tick(e))
        (void)event_del(timer);
}

static void stop(void *base) { (void)event_base_loopbreak(base); }

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct embedded e = { .stop = stop, .arg = base };
    struct timeval tick = { .tv_usec = TICK_MS * 1000 };
    struct event *readable;

    if (!embedded_open(&e, argc, argv))
        return 1;
    readable = event_new(base, co_embed_fd(e.sched), EV_READ | EV_PERSIST,
                         on_readable, &e);
    timer = event_new(base, -1, EV_PERSIST, on_tick, &e);
    (void)event_add(readable, NULL);
    (void)event_add(timer, &tick);
    (void)event_base_dispatch(base);

    event_free(readable);
    event_free(timer);
    event_base_free(base);
    return embedded_close(&e);
}
