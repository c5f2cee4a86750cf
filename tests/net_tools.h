/* net_tools.h - what tests of connections need: a runtime of two schedulers, a
 * pair of connected ends, a server in the background.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_NET_TOOLS_H
#define TESTS_NET_TOOLS_H

#include "net/net.h"
#include "tests/test.h"
#include <unistd.h>

/* Longer than anything here should take, so that a hang fails. */
#define SOON co_after(20 * CO_SECOND)

__attribute__((unused)) static void run_co(co_fn *fn)
{
    CHECK_EQ(co_run(fn, NULL, &(struct co_config){ .schedulers = 2 }), 0);
}

#define RUN_CO(fn)                                                             \
    do {                                                                       \
        fprintf(stderr, "  %s\n", #fn);                                        \
        run_co(fn);                                                            \
    } while (0)

/* Two ends of one connection over addr, "127.0.0.1:0" or "unix:...". */
__attribute__((unused)) static void make_pair(const char *addr,
                                              struct net_conn **a,
                                              struct net_conn **b)
{
    struct net_listener *l = net_listen(addr, NULL);
    char bound[NET_ADDR_MAX];

    CHECK(l != NULL);
    net_listener_addr(l, bound, sizeof bound);
    *a = net_dial(bound, SOON);
    CHECK(*a != NULL);
    *b = net_accept(l, SOON);
    CHECK(*b != NULL);
    net_listener_close(l);
}

#define TCP "127.0.0.1:0"

/* Of this process alone: tests run side by side. */
__attribute__((unused)) static const char *local_addr(void)
{
    static char addr[64];

    (void)snprintf(addr, sizeof addr, "unix:@corten-test-%d", (int)getpid());
    return addr;
}

/* Both kinds of addresses. */
__attribute__((unused)) static const char *kind(int i)
{
    return i == 0 ? TCP : local_addr();
}

struct server {
    net_handler *handler;
    void *arg;
    struct net_listener *l;
    struct co *co;
    char addr[NET_ADDR_MAX];
    int result, err;
};

__attribute__((unused)) static void server_main(void *arg)
{
    struct server *s = arg;

    s->result = net_serve(s->l, s->handler, s->arg);
    s->err = errno;
}

__attribute__((unused)) static void server_start(
    struct server *s, const char *addr,
    const struct net_listen_options *options, net_handler *handler, void *arg)
{
    s->handler = handler;
    s->arg = arg;
    s->l = net_listen(addr, options);
    CHECK(s->l != NULL);
    net_listener_addr(s->l, s->addr, sizeof s->addr);
    s->co = co_spawn(server_main, s, NULL);
    CHECK(s->co != NULL);
}

/* Asks it to stop and waits for that. */
__attribute__((unused)) static void server_stop(struct server *s)
{
    co_cancel(s->co);
    CHECK_EQ(co_join(s->co, SOON), 0);
    CHECK_EQ(s->result, 0);
}

__attribute__((unused)) static void echo(struct net_conn *c, void *arg)
{
    const void *data;
    ssize_t n;

    (void)arg;
    while ((n = net_next(c, &data, CO_FOREVER)) > 0)
        if (net_write(c, data, (size_t)n, CO_FOREVER) < 0)
            break;
}

/* Sends text to the echo server behind c and takes it back. */
__attribute__((unused)) static void check_echo(struct net_conn *c,
                                               const char *text)
{
    char buf[256];
    size_t len = strlen(text);

    CHECK_EQ(net_write(c, text, len, SOON), 0);
    CHECK_EQ(net_read_full(c, buf, len, SOON), 0);
    CHECK(memcmp(buf, text, len) == 0);
}

/* Gives other coroutines time to get to where they wait: not for what must have
 * happened, only for what makes a test more likely to meet a race. */
__attribute__((unused)) static void settle(void)
{
    for (int i = 0; i < 20; i++)
        co_yield_now();
}

#endif
