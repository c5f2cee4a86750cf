/* listener.c - listening and accepting.
 *
 * Two sockets with SO_REUSEPORT share a port without a word, so that a second
 * server started by mistake would take half of the connections.  Therefore the
 * first socket is bound without it, which fails when the port is taken, and
 * gets the option afterwards, to admit those that net_serve() adds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/listener.h"
#include "co/sys.h"
#include "net/conn.h"
#include "net/resolve.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int on = 1, off = 0;

static int set(int fd, int level, int name, const int *value)
{
    return sys.setsockopt(fd, level, name, value, sizeof *value);
}

static bool is_unix(const struct addr *a)
{
    return a->as.any.sa_family == AF_UNIX;
}

static bool has_file(const struct addr *a)
{
    return is_unix(a) && a->as.un.sun_path[0] != '\0';
}

/* Whether the file at the path of a is a socket that nobody listens on. */
static bool is_stale(const struct addr *a)
{
    struct stat st;
    bool stale;
    int fd;

    if (!has_file(a) || lstat(a->as.un.sun_path, &st) < 0 ||
        !S_ISSOCK(st.st_mode))
        return false;
    fd = co_socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return false;
    /* A queue that is full says EAGAIN: somebody does listen. */
    stale = sys.connect(fd, &a->as.any, a->len) < 0 && errno == ECONNREFUSED;
    (void)co_close(fd);
    return stale;
}

static int bind_to(int fd, const struct addr *a)
{
    if (bind(fd, &a->as.any, a->len) == 0)
        return 0;
    if (errno != EADDRINUSE)
        return -1;
    if (is_stale(a) && unlink(a->as.un.sun_path) == 0)
        return bind(fd, &a->as.any, a->len);
    errno = EADDRINUSE;
    return -1;
}

/* SO_REUSEADDR: past connections of the port that linger in TIME_WAIT do not
 * count; one that listens does.  What accept() returns inherits TCP_NODELAY. */
static int set_up(int fd, const struct addr *a,
                  const struct net_listen_options *o)
{
    if (is_unix(a))
        return 0;
    if (set(fd, SOL_SOCKET, SO_REUSEADDR, &on) < 0)
        return -1;
    if (a->as.any.sa_family == AF_INET6 &&
        set(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off) < 0)
        return -1;
    return o->no_delay_off ? 0 : set(fd, IPPROTO_TCP, TCP_NODELAY, &on);
}

/* A socket that listens on a, or -1. */
static int listen_on(const struct addr *a, const struct net_listen_options *o,
                     bool share)
{
    int fd = co_socket(a->as.any.sa_family, SOCK_STREAM, 0);
    int err;

    if (fd < 0)
        return -1;
    if (set_up(fd, a, o) == 0 &&
        (!share || set(fd, SOL_SOCKET, SO_REUSEPORT, &on) == 0) &&
        bind_to(fd, a) == 0 &&
        listen(fd, o->backlog > 0 ? o->backlog : SOMAXCONN) == 0)
        return fd;
    err = errno;
    (void)co_close(fd);
    errno = err;
    return -1;
}

int listener_add(struct net_listener *l)
{
    if (set(l->fd, SOL_SOCKET, SO_REUSEPORT, &on) < 0)
        return -1;
    return listen_on(&l->addr, &l->options, true);
}

/* All addresses: IPv6 with IPv4 in it, or where there is no IPv6, IPv4. */
static int listen_on_all(struct addr *a, const struct net_listen_options *o)
{
    uint16_t port = addr_port(a);
    int fd = listen_on(a, o, false);

    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    memset(a, 0, sizeof *a);
    a->as.v4.sin_family = AF_INET;
    a->as.v4.sin_port = htons(port);
    a->len = sizeof a->as.v4;
    return listen_on(a, o, false);
}

static int listen_on_first(struct addr *a, int count,
                           const struct net_listen_options *o)
{
    for (int i = 0; i < count; i++) {
        int fd = listen_on(&a[i], o, false);

        if (fd >= 0)
            return fd;
    }
    return -1;
}

/* What the kernel made of the address, and which file is ours. */
static int look_at_bound(struct net_listener *l)
{
    struct stat st;

    l->addr.len = sizeof l->addr.as;
    if (getsockname(l->fd, &l->addr.as.any, &l->addr.len) < 0)
        return -1;
    if (has_file(&l->addr) && lstat(l->addr.as.un.sun_path, &st) == 0) {
        l->dev = st.st_dev;
        l->ino = st.st_ino;
    }
    return 0;
}

struct net_listener *net_listen(const char *addr,
                                const struct net_listen_options *options)
{
    struct net_listener *l = calloc(1, sizeof *l);
    struct addr at[RESOLVE_MAX];
    bool all = false;
    int count, err;

    if (l == NULL)
        return NULL;
    if (options != NULL)
        l->options = *options;
    if (l->options.backlog < 0 || l->options.grace < 0 ||
        l->options.balance < NET_PER_SCHEDULER ||
        l->options.balance > NET_LEAST_CONNS) {
        errno = EINVAL;
        goto fail;
    }
    count = resolve_text(addr, at, &all, CO_FOREVER);
    if (count < 0)
        goto fail;
    l->fd = all ? listen_on_all(at, &l->options)
                : listen_on_first(at, count, &l->options);
    if (l->fd < 0)
        goto fail;
    if (look_at_bound(l) == 0)
        return l;
    err = errno;
    (void)co_close(l->fd);
    errno = err;
fail:
    err = errno;
    free(l);
    errno = err;
    return NULL;
}

/* What accept() reports of a connection that broke while it was queued, or of
 * the network it came over (accept(2)), is nothing that a server should end
 * for. */
static bool is_passing(int err)
{
    switch (err) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM: /* a firewall's rule */
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case ENONET:
        return true;
    default:
        return false;
    }
}

struct net_conn *listener_accept(int fd, int64_t deadline)
{
    for (;;) {
        struct addr peer = { .len = sizeof peer.as };
        int c = co_accept(fd, &peer.as.any, &peer.len, deadline);

        if (c >= 0)
            return conn_open(c, &peer);
        if (!is_passing(errno))
            return NULL;
    }
}

static void destroy(struct net_listener *l)
{
    struct stat st;

    if (has_file(&l->addr) && lstat(l->addr.as.un.sun_path, &st) == 0 &&
        st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlink(l->addr.as.un.sun_path);
    (void)co_close(l->fd);
    free(l);
}

static void leave(struct net_listener *l)
{
    if (users_leave(&l->users, USERS_OTHER) == USERS_CLOSED)
        destroy(l);
}

struct net_conn *net_accept(struct net_listener *l, int64_t deadline)
{
    struct net_conn *c = NULL;
    uint64_t old = users_enter(&l->users, USERS_OTHER);
    int err = EBADF;

    if (!(old & USERS_CLOSED)) {
        c = listener_accept(l->fd, deadline);
        err = errno;
        if (c == NULL && (users_now(&l->users) & USERS_CLOSED))
            err = EBADF;
    }
    leave(l);
    errno = err;
    return c;
}

void net_listener_addr(struct net_listener *l, char *buf, size_t len)
{
    addr_format(&l->addr, buf, len);
}

void net_listener_close(struct net_listener *l)
{
    int err = errno;

    if (l == NULL)
        return;
    (void)users_enter(&l->users, USERS_OTHER);
    if (users_close(&l->users)) {
        /* Ends the waits inside: accept() fails from now on. */
        (void)sys.shutdown(l->fd, SHUT_RDWR);
        co_fd_forget(l->fd);
    }
    leave(l);
    errno = err;
}
