/* dial_test.c - dialling: addresses in turn, each in its share of the time, and
 * the ways it fails.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/names.h"
#include "tests/net_tools.h"
#include <sys/resource.h>

static void fails(const char *addr, int err)
{
    errno = 0;
    CHECK(net_dial(addr, SOON) == NULL);
    if (errno != err)
        fprintf(stderr, "%s\n", addr);
    CHECK_EQ(errno, err);
}

static void wrong_addresses(void *arg)
{
    (void)arg;
    fails("", EINVAL);
    fails("127.0.0.1", EINVAL);
    fails("127.0.0.1:99999", EINVAL);
    fails(":80", EINVAL);
    fails("gone:80", ENOENT);
    fails("later:80", EAGAIN);
    fails("unix:/nowhere/at/all", ENOENT);
}

/* A port on which nobody listens. */
static unsigned free_port(void)
{
    struct net_listener *l = net_listen(TCP, NULL);
    char addr[NET_ADDR_MAX];

    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    net_listener_close(l);
    return (unsigned)atoi(strrchr(addr, ':') + 1);
}

static void refused(void *arg)
{
    char addr[64];

    (void)arg;
    (void)snprintf(addr, sizeof addr, "127.0.0.1:%u", free_port());
    fails(addr, ECONNREFUSED);
    (void)snprintf(addr, sizeof addr, "many:%u", free_port());
    fails(addr, ECONNREFUSED);
}

/* Listens on "127.0.0.1" only: the name's first address refuses. */
static void second_address(void *arg)
{
    struct net_listener *l = net_listen(TCP, NULL);
    char addr[NET_ADDR_MAX], by_name[NET_ADDR_MAX], peer[NET_ADDR_MAX];
    struct net_conn *c;

    (void)arg;
    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    (void)snprintf(by_name, sizeof by_name, "second%s", strrchr(addr, ':'));
    c = net_dial(by_name, SOON);
    CHECK(c != NULL);
    net_peer(c, peer, sizeof peer);
    CHECK(strcmp(peer, addr) == 0);
    net_close(c);
    net_listener_close(l);
}

/* Listens on ip:port and lets nobody in any more: connecting hangs.  fds are to
 * be closed. */
static void black_hole(const char *ip, unsigned port, int fds[3])
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port) };

    CHECK_EQ(inet_pton(AF_INET, ip, &a.sin_addr), 1);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fds[0] >= 0);
    CHECK_EQ(bind(fds[0], (struct sockaddr *)&a, sizeof a), 0);
    CHECK_EQ(listen(fds[0], 0), 0);
    for (int i = 1; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        CHECK(fds[i] >= 0);
        (void)connect(fds[i], (struct sockaddr *)&a, sizeof a);
    }
}

static void close_all(const int fds[3])
{
    for (int i = 0; i < 3; i++)
        CHECK_EQ(close(fds[i]), 0);
}

static void shares_the_time(void *arg)
{
    struct net_listener *l = net_listen(TCP, NULL);
    char addr[NET_ADDR_MAX], text[64];
    struct net_conn *c;
    int64_t start;
    unsigned port;
    int fds[3];

    (void)arg;
    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    port = (unsigned)atoi(strrchr(addr, ':') + 1);
    black_hole("127.0.0.2", port, fds);
    (void)snprintf(text, sizeof text, "second:%u", port);
    /* The first address gets half of it. */
    start = co_now();
    c = net_dial(text, co_after(3 * CO_SECOND));
    CHECK(c != NULL);
    CHECK(co_now() - start < 2900 * CO_MSEC);
    net_close(c);
    net_listener_close(l);

    (void)snprintf(text, sizeof text, "127.0.0.2:%u", port);
    CHECK(net_dial(text, co_after(50 * CO_MSEC)) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(net_dial(text, CO_NOWAIT) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    close_all(fds);
}

struct attempt {
    char addr[64];
    int err;
};

static void dial_in_vain(void *arg)
{
    struct attempt *a = arg;

    CHECK(net_dial(a->addr, CO_FOREVER) == NULL);
    a->err = errno;
}

static void is_cancelled(void *arg)
{
    struct attempt a = { .err = 0 };
    unsigned port = free_port();
    struct co *co;
    int fds[3];

    (void)arg;
    black_hole("127.0.0.2", port, fds);
    (void)snprintf(a.addr, sizeof a.addr, "second:%u", port);
    co = co_spawn(dial_in_vain, &a, NULL);
    CHECK(co != NULL);
    settle();
    co_cancel(co);
    CHECK_EQ(co_join(co, SOON), 0);
    CHECK_EQ(a.err, ECANCELED);
    close_all(fds);
}

static void out_of_fds(void *arg)
{
    struct net_listener *l = net_listen(TCP, NULL);
    struct rlimit old, few;
    char addr[NET_ADDR_MAX];
    struct net_conn *c;

    (void)arg;
    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = old;
    few.rlim_cur = 3;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    fails(addr, EMFILE);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    c = net_dial(addr, SOON);
    CHECK(c != NULL);
    net_close(c);
    net_listener_close(l);
}

/* Without a runtime, too. */
static void on_thread(void)
{
    struct net_listener *l = net_listen(TCP, NULL);
    char addr[NET_ADDR_MAX];
    struct net_conn *c, *d;

    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    c = net_dial(addr, SOON);
    CHECK(c != NULL);
    d = net_accept(l, SOON);
    CHECK(d != NULL);
    CHECK_EQ(net_write(c, "ping", 4, SOON), 0);
    CHECK_EQ(net_read_full(d, (char[4]){ 0 }, 4, SOON), 0);
    net_close(c);
    net_close(d);
    net_listener_close(l);
}

int main(void)
{
    RUN_CO(wrong_addresses);
    RUN_CO(refused);
    RUN_CO(second_address);
    RUN_CO(shares_the_time);
    RUN_CO(is_cancelled);
    RUN_CO(out_of_fds);
    RUN(on_thread);
    return 0;
}
