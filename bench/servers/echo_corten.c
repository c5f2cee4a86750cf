/* echo_corten.c - the echo server on corten that is measured: one scheduler, a
 * coroutine per connection.
 *
 * What arrives is echoed from a lent buffer, so that a connection that waits
 * holds none; with `stack` as second argument from a buffer on the handler's
 * stack, the way one writes it first.
 *
 *     echo_corten 127.0.0.1:7000 [stack]
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/net.h"
#include <stdio.h>
#include <string.h>

struct program {
    const char *addr;
    net_handler *handler;
    int status;
};

static void echo_pooled(struct net_conn *c, void *arg)
{
    const void *data;
    ssize_t n;

    (void)arg;
    while ((n = net_next(c, &data, CO_FOREVER)) > 0)
        if (net_write(c, data, (size_t)n, CO_FOREVER) < 0)
            break;
}

static void echo_stack(struct net_conn *c, void *arg)
{
    char buf[4096];
    ssize_t n;

    (void)arg;
    while ((n = net_read(c, buf, sizeof buf, CO_FOREVER)) > 0)
        if (net_write(c, buf, (size_t)n, CO_FOREVER) < 0)
            break;
}

static void root(void *arg)
{
    struct program *p = arg;
    struct net_listener *l = net_listen(p->addr, NULL);
    char bound[128];

    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        if (fflush(stdout) == EOF)
            p->status = 1;
    }
    if (net_serve(l, p->handler, NULL) < 0) {
        perror(p->addr);
        p->status = 1;
    }
}

int main(int argc, char **argv)
{
    bool stack = argc > 2 && strcmp(argv[2], "stack") == 0;
    struct program p = { .addr = argc > 1 ? argv[1] : "127.0.0.1:7000",
                         .handler = stack ? echo_stack : echo_pooled };
    struct co_config config = { .schedulers = 1 };

    if (co_run(root, &p, &config) < 0) {
        perror("echo_corten");
        return 1;
    }
    return p.status;
}
