/* of_net.c - scenarios of connections and servers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/net.h"
#include "net/pool.h"
#include "tests/fault/kit.h"
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define TCP "127.0.0.1:0"

/* What looking up a name may answer, and what is told of an address. */
#define NAME_ERRORS ENOENT, EAGAIN, EIO, ENOMEM, EMFILE

static const char *unix_addr(void)
{
    static char addr[80];

    (void)snprintf(addr, sizeof addr, "unix:/tmp/corten-fault-%d.sock",
                   (int)getpid());
    return addr;
}

/* Of this process alone: scenarios run side by side. */
static const char *abstract_addr(void)
{
    static char addr[80];

    (void)snprintf(addr, sizeof addr, "unix:@corten-fault-%d", (int)getpid());
    return addr;
}

/* ---- Listening
 * --------------------------------------------------------------- */

static void listen_at(const char *addr)
{
    struct net_listener *l = net_listen(addr, NULL);
    char text[NET_ADDR_MAX];

    /* EADDRINUSE when it could not find out that nobody uses the file. */
    if (!WENT(l != NULL, NAME_ERRORS, EADDRINUSE, ))
        return;
    net_listener_addr(l, text, sizeof text);
    CHECK(text[0] != '\0');
    net_listener_close(l);
}

/* A socket's file that nobody listens on any more. */
static void leave_stale(void)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)snprintf(un.sun_path, sizeof un.sun_path, "%s", unix_addr() + 5);
    (void)unlink(un.sun_path);
    CHECK_EQ(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    CHECK_EQ(close(fd), 0);
}

static void use_listeners(void)
{
    listen_at(TCP);
    listen_at(":0");
    listen_at("localhost:0");
    listen_at(abstract_addr());
    leave_stale();
    listen_at(unix_addr());
    (void)unlink(unix_addr() + 5);
}

static void listeners(void) { in_runtime(use_listeners); }
static void listeners_on_thread(void) { beside_runtime(use_listeners); }

/* Before there is a runtime.  What it remembers of numbers is freed with the
 * next one. */
static void listeners_before(void)
{
    struct co_config config = { .schedulers = 1 };

    use_listeners();
    inject_off();
    CHECK_EQ(co_start(&config), 0);
    CHECK_EQ(co_shutdown(SOON), 0);
}

/* ---- Connections
 * -------------------------------------------------------------- */

struct accepting {
    struct net_listener *l;
    struct net_conn *c;
};

static void accept_one(void *arg)
{
    struct accepting *a = arg;

    do
        a->c = net_accept(a->l, SOON);
    while (!WENT(a->c != NULL, ECANCELED, ENOMEM, ) && !co_cancelled());
}

/* The end that the client talks to: sends back what comes. */
static void echo(struct net_conn *c)
{
    char buf[64];
    ssize_t n;

    while ((n = net_read(c, buf, sizeof buf, SOON)) != 0) {
        if (n > 0 && WENT(net_write(c, buf, (size_t)n, SOON) == 0, ECONNRESET,
                          EPIPE, ECANCELED, ))
            continue;
        if (n > 0 ||
            (!WENT(n > 0, ENOMEM, ECONNRESET, ECANCELED, ) &&
             (errno == ECONNRESET || errno == ECANCELED))) /* perhaps true */
            return;
    }
}

static void accept_and_echo(void *arg)
{
    struct accepting *a = arg;

    accept_one(a);
    if (a->c == NULL)
        return;
    echo(a->c);
    net_close(a->c);
}

/* What net_next() lends, or the end, which is none of an errno. */
static bool next_is(struct net_conn *c, ssize_t len)
{
    const void *data;
    ssize_t n = net_next(c, &data, SOON);

    if (n == 0)
        errno = EPIPE;
    return n == len;
}

/* After a failure the two ends may be out of step: what follows is not asked
 * for. */
static bool talk(struct net_conn *c)
{
    struct iovec iov[2] = { { "wri", 3 }, { "tev", 3 } };
    char buf[64], text[NET_ADDR_MAX];
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool well;

    CHECK(file >= 0);
    net_peer(c, text, sizeof text);
    net_local(c, text, sizeof text);
    well = WENT(net_write(c, "write", 5, SOON) == 0, EPIPE, ECONNRESET, ) &&
           WENT(net_read_full(c, buf, 5, SOON) == 0, EPIPE, ENOMEM,
                ECONNRESET, ) &&
           WENT(net_writev(c, iov, 2, SOON) == 0, EPIPE, ECONNRESET, ) &&
           WENT(net_wait(c, SOON) == 0, ENOMEM, ) &&
           WENT(next_is(c, 6), EPIPE, ENOMEM, ECONNRESET, ) &&
           WENT(net_sendfile(c, file, 0, 10, SOON) == 0, EPIPE, ENOMEM, ) &&
           WENT(net_read_full(c, buf, 10, SOON) == 0, EPIPE, ECONNRESET, );
    if (well && WENT(net_shutdown(c) == 0, )) {
        CHECK_EQ(net_sendfile(c, file, 0, 10, SOON), -1);
        (void)WENT(net_read(c, buf, 1, SOON) == 0, ENOMEM, );
    }
    CHECK_EQ(close(file), 0);
    return well;
}

/* c and the other end of it, or neither. */
static void connect_to(const char *addr, const char *host)
{
    struct accepting a = { .l = net_listen(addr, NULL) };
    char bound[NET_ADDR_MAX], to[2 * NET_ADDR_MAX];
    struct net_conn *c;
    struct co *peer;

    if (!WENT(a.l != NULL, ENOMEM, ))
        return;
    net_listener_addr(a.l, bound, sizeof bound);
    if (host != NULL)
        (void)snprintf(to, sizeof to, "%s%s", host, strrchr(bound, ':'));
    peer = co_spawn(accept_and_echo, &a, NULL);
    if (WENT(peer != NULL, ENOMEM, )) {
        c = net_dial(host != NULL ? to : bound, SOON);
        if (!WENT(c != NULL, NAME_ERRORS, ECONNREFUSED, ) || !talk(c))
            co_cancel(peer); /* which may have lost the connection */
        net_close(c);
        CHECK_EQ(co_join(peer, SOON), 0);
    }
    net_listener_close(a.l);
}

static void use_tcp(void) { connect_to(TCP, NULL); }
static void use_name(void) { connect_to(TCP, "localhost"); }
static void use_unix(void) { connect_to(abstract_addr(), NULL); }

/* ---- Closed under those inside
 * ---------------------------------------------- */

static void read_until_closed(void *arg)
{
    char byte;

    CHECK_EQ(net_read(arg, &byte, 1, SOON), -1);
    CHECK_EQ(errno, EBADF);
}

static void accept_until_closed(void *arg)
{
    CHECK(net_accept(arg, SOON) == NULL);
    CHECK_EQ(errno, EBADF);
}

/* No matter what fails, they come out. */
static void close_under(struct net_listener *l, struct net_conn *c)
{
    struct co *reader = co_spawn(read_until_closed, c, NULL);
    struct co *acceptor = co_spawn(accept_until_closed, l, NULL);

    CHECK(reader != NULL && acceptor != NULL);
    co_yield_now(); /* they wait */
    inject_on();
    net_close(c);
    net_listener_close(l);
    inject_off();
    CHECK_EQ(co_join(reader, SOON), 0);
    CHECK_EQ(co_join(acceptor, SOON), 0);
}

static void use_closing(void)
{
    struct net_listener *l;
    struct net_conn *a, *b;
    char bound[NET_ADDR_MAX];

    inject_off();
    l = net_listen(TCP, NULL);
    CHECK(l != NULL);
    net_listener_addr(l, bound, sizeof bound);
    a = net_dial(bound, SOON);
    b = net_accept(l, SOON);
    CHECK(a != NULL && b != NULL);
    close_under(l, a);
    net_close(b);
}

static void closing(void) { in_runtime(use_closing); }

static void connections(void) { in_runtime(use_tcp); }
static void connections_on_thread(void) { beside_runtime(use_tcp); }
static void connections_named(void) { in_runtime(use_name); }
static void connections_unix(void) { in_runtime(use_unix); }

/* ---- Servers
 * ------------------------------------------------------------------ */

enum { CLIENTS = 3, TRIES = 5 };

struct server {
    struct net_listener *l;
    atomic_bool failed;
};

static void handle(struct net_conn *c, void *arg)
{
    char buf[16];
    ssize_t n;

    (void)arg;
    while ((n = net_read(c, buf, sizeof buf, SOON)) > 0)
        if (net_write(c, buf, (size_t)n, SOON) < 0)
            break;
}

/* What accepting lacks, it waits for. */
static void serve(void *arg)
{
    struct server *s = arg;

    if (WENT(net_serve(s->l, handle, NULL) == 0, ENOMEM, EAGAIN, ESHUTDOWN, ))
        return;
    CHECK(!inject_fired_in(CALL_accept4) &&
          !inject_fired_in(CALL_epoll_ctl_add));
    atomic_store(&s->failed, true);
}

static void *serve_on_thread(void *arg)
{
    serve(arg);
    return NULL;
}

static bool ask(const char *addr)
{
    struct net_conn *c = net_dial(addr, SOON);
    char buf[4];
    bool good = c != NULL && net_write(c, "ping", 4, SOON) == 0 &&
                net_read_full(c, buf, 4, SOON) == 0;

    net_close(c);
    return good;
}

/* One failure costs one connection, unless it ends the server. */
static void ask_all(struct server *s, const char *addr)
{
    int tries = 0;

    for (int i = 0; i < CLIENTS && !atomic_load(&s->failed); i++)
        while (!ask(addr) && !atomic_load(&s->failed)) {
            CHECK(inject_fired());
            CHECK(++tries < TRIES);
            (void)co_sleep_until(co_after(CO_MSEC));
        }
}

static bool open_server(struct server *s, const char *addr, int balance,
                        char *bound)
{
    struct net_listen_options options = { .balance = balance,
                                          .max_conns = balance == 0 ? 2 : 0 };

    s->l = net_listen(addr, &options);
    if (!WENT(s->l != NULL, NAME_ERRORS, EADDRINUSE, ))
        return false;
    net_listener_addr(s->l, bound, NET_ADDR_MAX);
    return true;
}

static void serve_as(const char *addr, int balance)
{
    struct server s = { .failed = false };
    char bound[NET_ADDR_MAX];
    struct co *co;

    if (!open_server(&s, addr, balance, bound))
        return;
    co = co_spawn(serve, &s, NULL);
    if (!WENT(co != NULL, ENOMEM, )) {
        net_listener_close(s.l);
        return;
    }
    ask_all(&s, bound);
    co_cancel(co);
    CHECK_EQ(co_join(co, SOON), 0);
}

static void use_server(void) { serve_as(TCP, NET_PER_SCHEDULER); }
static void use_handing_server(void) { serve_as(TCP, NET_LEAST_CONNS); }
static void use_unix_server(void) { serve_as(abstract_addr(), 1); }

static void servers(void) { in_runtime(use_server); }
static void servers_handing(void) { in_runtime(use_handing_server); }
static void servers_unix(void) { in_runtime(use_unix_server); }

/* Ended by the end of the runtime. */
static void servers_on_thread(void)
{
    struct co_config config = { .schedulers = 2 };
    struct server s = { .failed = false };
    char bound[NET_ADDR_MAX];
    pthread_t thread;

    inject_off();
    CHECK_EQ(co_start(&config), 0);
    inject_on();
    if (open_server(&s, TCP, NET_ROUND_ROBIN, bound)) {
        CHECK_EQ(pthread_create(&thread, NULL, serve_on_thread, &s), 0);
        ask_all(&s, bound);
        check_health();
        inject_on();
        CHECK_EQ(co_shutdown(SOON), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
    } else {
        check_health();
        CHECK_EQ(co_shutdown(SOON), 0);
    }
}

/* ---- Pools ------------------------------------------------------------------
 */

static void *open_number(void *ctx, int64_t deadline)
{
    (void)deadline;
    return ctx;
}

static void close_number(void *ctx, void *item) { CHECK(item == ctx); }

static void get_and_put(void *pool)
{
    void *item = net_pool_get(pool, SOON);

    CHECK(item != NULL);
    net_pool_put(pool, item);
}

static void use_pools(void)
{
    static const struct net_pool_ops ops = { .open = open_number,
                                             .close = close_number };
    struct co_group g = { 0 };
    int number;
    struct net_pool *p =
        net_pool_new(&ops, &number, &(struct net_pool_options){ .max = 1 });

    if (!WENT(p != NULL, ENOMEM, ))
        return;
    for (int i = 0; i < 3; i++)
        (void)WENT(co_group_go(&g, get_and_put, p) == 0, ENOMEM, );
    get_and_put(p);
    CHECK_EQ(co_group_wait(&g, SOON), 0);
    net_pool_free(p);
}

static void pools(void) { in_runtime(use_pools); }

const struct scenario scenarios_net[] = {
    { "listeners", listeners, 0 },
    { "listeners_on_thread", listeners_on_thread, 0 },
    { "listeners_before", listeners_before, 0 },
    { "connections", connections, 0 },
    { "connections_on_thread", connections_on_thread, 0 },
    { "connections_first", connections_on_thread, FIRST(pthread_key_create) },
    { "connections_named", connections_named, 0 },
    { "connections_unix", connections_unix, 0 },
    { "closing", closing, 0 },
    { "servers", servers, 0 },
    { "servers_handing", servers_handing, 0 },
    { "servers_unix", servers_unix, 0 },
    { "servers_on_thread", servers_on_thread, 0 },
    { "pools", pools, 0 },
    { NULL, NULL, 0 },
};
