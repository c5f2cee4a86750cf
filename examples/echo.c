/* echo.c - what comes in goes out, for any number of clients on every core.
 *
 *     echo [ADDRESS]          127.0.0.1:7000 unless given
 *
 * Try: printf 'hello\n' | nc -N 127.0.0.1 7000
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/net.h"
#include <stdio.h>

static void echo(struct net_conn *c, void *arg)
{
    char buf[4096];
    ssize_t n;

    (void)arg;
    while ((n = net_read(c, buf, sizeof buf, co_after(60 * CO_SECOND))) > 0)
        if (net_write(c, buf, (size_t)n, co_after(10 * CO_SECOND)) < 0)
            break;
}

static void root(void *arg)
{
    char **argv = arg, bound[NET_ADDR_MAX] = "";
    struct net_listener *l = net_listen(argv[1], NULL);

    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        fflush(stdout);
    }
    if (net_serve(l, echo, NULL) < 0) {
        perror(argv[1]);
        argv[0] = NULL;
    }
}

int main(int argc, char **argv)
{
    char *args[] = { argv[0], argc > 1 ? argv[1] : "127.0.0.1:7000" };

    return co_run(root, args, NULL) < 0 || args[0] == NULL;
}
