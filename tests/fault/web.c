/* web.c - scenarios with an HTTP server.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/web.h"

enum { TRIES = 5, ANSWER_MAX = 80000 };

static atomic_bool failed;
static const struct http_config *config;

static void serve(void *arg)
{
    if (!WENT(http_serve(arg, config) == 0, ENOMEM, EAGAIN, ESHUTDOWN, ))
        atomic_store(&failed, true);
}

void web_server(const struct http_config *c, void (*ask)(const char *addr))
{
    struct net_listen_options options = { .grace = CO_SECOND };
    struct net_listener *l = net_listen("127.0.0.1:0", &options);
    char addr[NET_ADDR_MAX];
    struct co *co;

    config = c;
    atomic_store(&failed, false);
    if (!WENT(l != NULL, ENOENT, EAGAIN, EIO, ENOMEM, EMFILE, EADDRINUSE, ))
        return;
    net_listener_addr(l, addr, sizeof addr);
    co = co_spawn(serve, l, NULL);
    if (!WENT(co != NULL, ENOMEM, )) {
        net_listener_close(l);
        return;
    }
    ask(addr);
    co_cancel(co);
    CHECK_EQ(co_join(co, SOON), 0);
}

/* Whether all of an answer came that holds these words. */
static bool ask_once(const char *addr, const char *request, const char *words)
{
    static char buf[ANSWER_MAX];
    struct net_conn *c = net_dial(addr, SOON);
    size_t got = 0;
    ssize_t n = -1;

    if (c != NULL && net_write(c, request, strlen(request), SOON) == 0)
        while ((n = net_read(c, buf + got, sizeof buf - 1 - got, SOON)) > 0)
            got += (size_t)n;
    net_close(c);
    buf[got] = '\0';
    return n == 0 && strstr(buf, words) != NULL;
}

bool web_failed(void) { return atomic_load(&failed); }

void web_ask(const char *addr, const char *request, const char *words)
{
    int tries = 0;

    while (!atomic_load(&failed) && !ask_once(addr, request, words)) {
        CHECK(inject_fired());
        CHECK(++tries < TRIES);
        (void)co_sleep_until(co_after(CO_MSEC));
    }
}
