/* listener_test.c - listening: ports in use, both kinds of IP, files of unix
 * sockets, closing under those who accept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/net_tools.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static struct net_listener *listen_at(const char *addr, char *bound)
{
    struct net_listener *l = net_listen(addr, NULL);

    if (l == NULL)
        fprintf(stderr, "%s\n", addr);
    CHECK(l != NULL);
    net_listener_addr(l, bound, NET_ADDR_MAX);
    return l;
}

static void fails(const char *addr, int err)
{
    errno = 0;
    CHECK(net_listen(addr, NULL) == NULL);
    if (errno != err)
        fprintf(stderr, "%s\n", addr);
    CHECK_EQ(errno, err);
}

static void bad_ones(void)
{
    struct net_listen_options o = { .balance = 3 };

    fails("", EINVAL);
    fails("127.0.0.1", EINVAL);
    fails("127.0.0.1:70000", EINVAL);
    fails("8.8.8.8:0", EADDRNOTAVAIL);
    fails("unix:/nowhere/at/all", ENOENT);
    CHECK(net_listen(TCP, &o) == NULL);
    CHECK_EQ(errno, EINVAL);
    o = (struct net_listen_options){ .grace = -1 };
    CHECK(net_listen(TCP, &o) == NULL);
    CHECK_EQ(errno, EINVAL);
    o = (struct net_listen_options){ .backlog = -1 };
    CHECK(net_listen(TCP, &o) == NULL);
    CHECK_EQ(errno, EINVAL);
    net_listener_close(NULL);
}

/* A client reaches l at addr; its end is seen as starting with peer. */
static void check_reached(struct net_listener *l, const char *addr,
                          const char *peer)
{
    struct net_conn *c = net_dial(addr, SOON), *d;
    char text[NET_ADDR_MAX];

    if (c == NULL)
        fprintf(stderr, "%s\n", addr);
    CHECK(c != NULL);
    d = net_accept(l, SOON);
    CHECK(d != NULL);
    net_peer(d, text, sizeof text);
    CHECK(strncmp(text, peer, strlen(peer)) == 0);
    net_close(c);
    net_close(d);
}

static void port_in_use(void)
{
    char bound[NET_ADDR_MAX], again[NET_ADDR_MAX], all[NET_ADDR_MAX];
    struct net_listener *l = listen_at(TCP, bound);

    fails(bound, EADDRINUSE);
    (void)snprintf(all, sizeof all, "0.0.0.0%s", strrchr(bound, ':'));
    fails(all, EADDRINUSE);
    /* A closed server's port is free at once, though its connections linger. */
    check_reached(l, bound, "127.0.0.1:");
    net_listener_close(l);
    l = listen_at(bound, again);
    CHECK(strcmp(bound, again) == 0);
    check_reached(l, bound, "127.0.0.1:");
    net_listener_close(l);
}

static bool have_v6(void)
{
    struct net_listener *l = net_listen("[::1]:0", NULL);

    if (l == NULL)
        fprintf(stderr, "    no IPv6 here\n");
    net_listener_close(l);
    return l != NULL;
}

static void both_kinds_of_ip(void)
{
    char bound[NET_ADDR_MAX], v4[NET_ADDR_MAX], v6[NET_ADDR_MAX];
    static const char *const all[] = { ":0", "[::]:0", "0.0.0.0:0" };
    struct net_listener *l;
    bool six = have_v6();

    for (int i = 0; i < 3; i++) {
        if (i == 1 && !six)
            continue;
        l = listen_at(all[i], bound);
        (void)snprintf(v4, sizeof v4, "127.0.0.1%s", strrchr(bound, ':'));
        check_reached(l, v4, "127.0.0.1:");
        (void)snprintf(v6, sizeof v6, "[::1]%s", strrchr(bound, ':'));
        if (six && i < 2)
            check_reached(l, v6, "[::1]:");
        fails(v4, EADDRINUSE);
        net_listener_close(l);
    }
    l = listen_at("localhost:0", bound);
    check_reached(l, bound, strchr(bound, '[') ? "[::1]:" : "127.0.0.1:");
    net_listener_close(l);
}

static void make_path(char *addr, const char *name)
{
    (void)snprintf(addr, NET_ADDR_MAX, "unix:/tmp/corten-%d-%s", getpid(),
                   name);
}

static bool exists(const char *addr)
{
    struct stat st;

    return lstat(addr + 5, &st) == 0;
}

/* A socket file as a server leaves it that was killed. */
static void leave_stale(const char *addr)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK(strlen(addr + 5) < sizeof un.sun_path);
    memcpy(un.sun_path, addr + 5, strlen(addr + 5) + 1);
    CHECK_EQ(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    CHECK_EQ(close(fd), 0);
    CHECK(exists(addr));
}

static void unix_files(void)
{
    char addr[NET_ADDR_MAX], bound[NET_ADDR_MAX];
    struct net_listener *l, *next;
    FILE *f;

    make_path(addr, "sock");
    l = listen_at(addr, bound);
    CHECK(strcmp(addr, bound) == 0);
    check_reached(l, addr, "unix:");
    fails(addr, EADDRINUSE); /* somebody listens */
    check_reached(l, addr, "unix:");
    net_listener_close(l);
    CHECK(!exists(addr));

    leave_stale(addr);
    l = listen_at(addr, bound);
    check_reached(l, addr, "unix:");

    /* What another server has put in its place meanwhile stays. */
    CHECK_EQ(unlink(addr + 5), 0);
    next = listen_at(addr, bound);
    net_listener_close(l);
    CHECK(exists(addr));
    check_reached(next, addr, "unix:");
    net_listener_close(next);
    CHECK(!exists(addr));

    f = fopen(addr + 5, "w"); /* what is no socket stays, too */
    CHECK(f != NULL);
    CHECK_EQ(fclose(f), 0);
    fails(addr, EADDRINUSE);
    CHECK(exists(addr));
    CHECK_EQ(unlink(addr + 5), 0);
}

static void abstract(void)
{
    char addr[NET_ADDR_MAX], bound[NET_ADDR_MAX];
    struct net_listener *l;

    (void)snprintf(addr, sizeof addr, "unix:@corten-%d", getpid());
    l = listen_at(addr, bound);
    CHECK(strcmp(addr, bound) == 0);
    check_reached(l, addr, "unix:");
    fails(addr, EADDRINUSE);
    net_listener_close(l);
    l = listen_at(addr, bound);
    net_listener_close(l);
}

/* A queue that is full does not make a living server's file stale. */
static void full_queue_is_alive(void)
{
    struct net_listen_options o = { .backlog = 1 };
    char addr[NET_ADDR_MAX];
    struct net_conn *c[8];
    struct net_listener *l;
    int n = 0;

    make_path(addr, "full");
    l = net_listen(addr, &o);
    CHECK(l != NULL);
    while (n < 8 && (c[n] = net_dial(addr, CO_NOWAIT)) != NULL)
        n++;
    CHECK(n > 0 && n < 8);
    CHECK_EQ(errno, ETIMEDOUT);
    fails(addr, EADDRINUSE);
    CHECK(exists(addr));
    while (n > 0)
        net_close(c[--n]);
    net_listener_close(l);
}

static void no_delay_of(const struct net_listen_options *o, bool expected)
{
    struct net_listener *l = net_listen(TCP, o);
    char bound[NET_ADDR_MAX];
    struct net_conn *c, *d;
    int value = -1;
    socklen_t len = sizeof value;

    CHECK(l != NULL);
    net_listener_addr(l, bound, sizeof bound);
    c = net_dial(bound, SOON);
    CHECK(c != NULL);
    d = net_accept(l, SOON);
    CHECK(d != NULL);
    CHECK_EQ(getsockopt(net_fd(d), 6, 1, &value, &len), 0);
    CHECK_EQ(value != 0, expected);
    CHECK_EQ(getsockopt(net_fd(c), 6, 1, &value, &len), 0);
    CHECK_EQ(value, 1);
    net_close(c);
    net_close(d);
    net_listener_close(l);
}

static void no_delay(void)
{
    no_delay_of(NULL, true);
    no_delay_of(&(struct net_listen_options){ .no_delay_off = true }, false);
}

static void all_on_thread(void)
{
    bad_ones();
    port_in_use();
    both_kinds_of_ip();
    unix_files();
    abstract();
    full_queue_is_alive();
    no_delay();
}

static void all_in_coroutine(void *arg)
{
    (void)arg;
    all_on_thread();
}

/* ---- Accepting
 * ---------------------------------------------------------------
 */

struct acceptor {
    struct net_listener *l;
    atomic_bool inside;
    int err;
    struct co *co;
};

static void accept_in_vain(void *arg)
{
    struct acceptor *a = arg;

    atomic_store(&a->inside, true);
    CHECK(net_accept(a->l, SOON) == NULL);
    a->err = errno;
}

static void *close_on_thread(void *l)
{
    net_listener_close(l);
    return NULL;
}

static void close_under(const char *addr, bool thread)
{
    enum { ACCEPTORS = 4 };
    struct acceptor a[ACCEPTORS];
    char bound[NET_ADDR_MAX];
    struct net_listener *l = listen_at(addr, bound);
    pthread_t t;

    CHECK(net_accept(l, CO_NOWAIT) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(net_accept(l, co_after(CO_MSEC)) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    for (int i = 0; i < ACCEPTORS; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        a[i].l = l;
        a[i].err = 0;
        atomic_init(&a[i].inside, false);
        a[i].co = co_spawn(accept_in_vain, &a[i], &attr);
        CHECK(a[i].co != NULL);
    }
    for (int i = 0; i < ACCEPTORS; i++)
        while (!atomic_load(&a[i].inside))
            co_yield_now();
    CHECK_EQ(co_sleep_until(co_after(2 * CO_MSEC)), 0);
    if (thread) {
        CHECK_EQ(pthread_create(&t, NULL, close_on_thread, l), 0);
        CHECK_EQ(pthread_join(t, NULL), 0);
    } else {
        net_listener_close(l);
    }
    for (int i = 0; i < ACCEPTORS; i++) {
        CHECK_EQ(co_join(a[i].co, SOON), 0);
        CHECK_EQ(a[i].err, EBADF);
    }
}

static void close_while_accepting(void *arg)
{
    char path[NET_ADDR_MAX];

    (void)arg;
    make_path(path, "close");
    for (int thread = 0; thread < 2; thread++) {
        close_under(TCP, thread);
        close_under(path, thread);
        CHECK(!exists(path));
    }
}

int main(void)
{
    RUN(all_on_thread);
    RUN_CO(all_in_coroutine);
    RUN_CO(close_while_accepting);
    return 0;
}
