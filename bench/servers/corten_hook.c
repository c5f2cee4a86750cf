/* corten_hook.c - a coroutine per connection, each of which runs the handler of
 * threads.c: the hooks make its blocking calls suspend it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/blocking.h"
#include "bench/servers/kit/loop.h"
#include "co/co.h"
#include <unistd.h>

static struct service service = { .name = "corten_hook" };

static void serve(void *arg) { blocking_serve(&service, (int)(intptr_t)arg); }

static void root(void *arg)
{
    int listener = (int)(intptr_t)arg;

    for (;;) {
        int fd = loop_accept(listener);

        if (fd < 0)
            (void)usleep(10000); /* too many, until some leave */
        else if (co_go(serve, (void *)(intptr_t)fd) < 0)
            (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    int listener;

    service_parse(&service, argc, argv);
    listener = service_listen(&service, 0);
    if (listener < 0 || service_ready(listener) < 0)
        return service_failed(&service, service.addr);
    if (co_run(root, (void *)(intptr_t)listener,
               &(struct co_config){ .schedulers = 1 }) < 0)
        return service_failed(&service, "co_run");
    return 0;
}
