/* corten_http.c - the HTTP server of corten as its users get it, on one
 * scheduler: a route with a parameter, an answer that is printed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/service.h"
#include "net/http.h"
#include <stdio.h>

static struct service service = { .name = "corten_http" };
static int status;

static int greet(struct http_request *req, struct http_response *res)
{
    if (http_printf(res, "hello, %s\n", http_param(req, "name")) < 0)
        return -1;
    return 200;
}

static int work(struct http_request *req, struct http_response *res)
{
    service_compute(&service);
    if (service.block_ms > 0)
        (void)co_sleep_until(co_after(service.block_ms * CO_MSEC));
    return greet(req, res);
}

static const struct http_route routes[] = {
    { "GET", "/greet/:name", greet, NULL, 0 },
    { "GET", "/heavy/:name", work, NULL, 0 },
    { 0 },
};

static void root(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .idle_timeout = service.idle_s * CO_SECOND,
                                  .max_conns = 100000,
                                  .max_requests = 1000000000 };
    struct net_listener *l = net_listen(service.addr, NULL);
    char bound[NET_ADDR_MAX];

    (void)arg;
    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        (void)fflush(stdout);
    }
    if (http_serve(l, &config) < 0)
        status = service_failed(&service, service.addr);
}

int main(int argc, char **argv)
{
    service_parse(&service, argc, argv);
    if (!service.http) {
        fprintf(stderr, "%s: it is an HTTP server\n", service.name);
        return 3;
    }
    if (co_run(root, NULL, &(struct co_config){ .schedulers = 1 }) < 0)
        return service_failed(&service, "co_run");
    return status;
}
