/* http_corten.c - the HTTP server on corten that is measured: one scheduler, a
 * route with a parameter, an answer that is printed.
 *
 *     http_corten 127.0.0.1:8080
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include <stdio.h>

static int greet(struct http_request *req, struct http_response *res)
{
    if (http_printf(res, "hello, %s\n", http_param(req, "name")) < 0)
        return -1;
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/greet/:name", greet, NULL, 0 },
    { 0 },
};

struct program {
    const char *addr;
    int status;
};

static void root(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .max_conns = 100000,
                                  .max_requests = 1000000000 };
    struct program *p = arg;
    struct net_listener *l = net_listen(p->addr, NULL);
    char bound[NET_ADDR_MAX];

    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        if (fflush(stdout) == EOF)
            p->status = 1;
    }
    if (http_serve(l, &config) < 0) {
        perror(p->addr);
        p->status = 1;
    }
}

int main(int argc, char **argv)
{
    struct program p = { .addr = argc > 1 ? argv[1] : "127.0.0.1:8080" };

    if (co_run(root, &p, &(struct co_config){ .schedulers = 1 }) < 0) {
        perror("http_corten");
        return 1;
    }
    return p.status;
}
