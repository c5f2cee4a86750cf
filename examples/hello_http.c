/* hello_http.c - an HTTP service.
 *
 *     hello_http [ADDRESS]    127.0.0.1:8080 unless given
 *
 * Try: curl http://127.0.0.1:8080/greet/you
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include <stdio.h>

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    http_text(res, "hello\n");
    return 200;
}

static int greet(struct http_request *req, struct http_response *res)
{
    http_printf(res, "hello, %s\n", http_param(req, "name"));
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/", hello, NULL, 0 },
    { "GET", "/greet/:name", greet, NULL, 0 },
    { 0 },
};

static int failed;

static void root(void *addr)
{
    struct http_config config = { .routes = routes };

    if (http_serve(net_listen(addr, NULL), &config) < 0) {
        perror(addr);
        failed = 1;
    }
}

int main(int argc, char **argv)
{
    char *addr = argc > 1 ? argv[1] : "127.0.0.1:8080";

    return co_run(root, addr, NULL) < 0 || failed;
}
