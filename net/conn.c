/* conn.c - what every connection does, whatever its transport.
 *
 * Each call is inside the connection from its first to its last line
 * (users.h).  net_close() under them shuts the socket down, which ends every
 * wait for it, and the last one out destroys the connection; whatever a call
 * that was inside meanwhile got, it answers EBADF.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/conn.h"
#include "co/bug.h"
#include "co/sys.h"
#include "net/buffer.h"
#include "net/net.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static inline void drop_lent(struct net_conn *c)
{
    if (c->lent != NULL) {
        buffer_put(c->lent);
        c->lent = NULL;
    }
}

void conn_destroy(struct net_conn *c)
{
    drop_lent(c);
    c->ops->close(c);
    free(c);
}

static void peer_keep(struct conn_peer *p, const struct addr *a)
{
    p->family = a->as.any.sa_family;
    if (p->family == AF_INET) {
        p->port = a->as.v4.sin_port;
        memcpy(p->ip, &a->as.v4.sin_addr, sizeof a->as.v4.sin_addr);
    } else if (p->family == AF_INET6) {
        p->port = a->as.v6.sin6_port;
        p->scope = a->as.v6.sin6_scope_id;
        memcpy(p->ip, &a->as.v6.sin6_addr, sizeof p->ip);
    } else {
        p->family = 0;
    }
}

static void peer_give(const struct conn_peer *p, struct addr *a)
{
    memset(a, 0, sizeof *a);
    a->as.any.sa_family = p->family;
    if (p->family == AF_INET) {
        a->len = sizeof a->as.v4;
        a->as.v4.sin_port = p->port;
        memcpy(&a->as.v4.sin_addr, p->ip, sizeof a->as.v4.sin_addr);
    } else {
        a->len = sizeof a->as.v6;
        a->as.v6.sin6_port = p->port;
        a->as.v6.sin6_scope_id = p->scope;
        memcpy(&a->as.v6.sin6_addr, p->ip, sizeof p->ip);
    }
}

struct net_conn *conn_open(int fd, const struct addr *peer)
{
    struct net_conn *c = calloc(1, sizeof *c);

    if (c == NULL) {
        (void)co_close(fd);
        errno = ENOMEM;
        return NULL;
    }
    c->ops = &conn_socket_ops;
    c->fd = fd;
    if (peer != NULL)
        peer_keep(&c->peer, peer);
    return c;
}

void conn_hold(struct net_conn *c)
{
    (void)users_enter(&c->users, USERS_OTHER);
}

void conn_release(struct net_conn *c)
{
    if (users_close(&c->users)) {
        /* A peer that is gone already makes it fail, and ends waits, too. */
        (void)sys.shutdown(c->fd, SHUT_RDWR);
        co_fd_forget(c->fd);
    }
    (void)conn_leave(c, USERS_OTHER, 0);
}

void net_close(struct net_conn *c)
{
    int err = errno;

    if (c == NULL)
        return;
    conn_hold(c);
    conn_release(c);
    errno = err;
}

/* ---- Reading ---------------------------------------------------------------
 */

static inline int begin_read(struct net_conn *c)
{
    uint64_t old = users_enter(&c->users, USERS_READER);

    BUG_ON(old & USERS_READERS, "two coroutines read from one connection");
    if (__builtin_expect(old & USERS_CLOSED, 0))
        return (int)conn_leave(c, USERS_READER, -1);
    return 0;
}

ssize_t net_read(struct net_conn *c, void *buf, size_t len, int64_t deadline)
{
    if (begin_read(c) < 0)
        return -1;
    drop_lent(c);
    return conn_leave(c, USERS_READER, c->ops->read(c, buf, len, deadline));
}

int net_read_full(struct net_conn *c, void *buf, size_t len, int64_t deadline)
{
    size_t done = 0;

    if (begin_read(c) < 0)
        return -1;
    drop_lent(c);
    while (done < len) {
        ssize_t n = c->ops->read(c, (char *)buf + done, len - done, deadline);

        if (n == 0)
            errno = done == 0 ? EPIPE : ECONNRESET;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return (int)conn_leave(c, USERS_READER, done < len ? -1 : 0);
}

/* Memory was out when another one took the landing's buffer, and EFAULT has
 * taken nothing off the socket: again. */
__attribute__((noinline, cold)) static ssize_t read_again(struct net_conn *c,
                                                          int64_t deadline)
{
    void *const *landing;
    ssize_t n;

    do {
        landing = buffer_landing();
        if (landing == NULL)
            return -1;
        n = c->ops->read_into(c, landing, BUFFER_BYTES, deadline);
    } while (n < 0 && errno == EFAULT && *landing == NULL);
    return n;
}

ssize_t net_next(struct net_conn *c, const void **data, int64_t deadline)
{
    void *const *landing;
    ssize_t n = -1;

    if (begin_read(c) < 0)
        return -1;
    drop_lent(c);
    landing = buffer_landing();
    if (landing != NULL)
        n = c->ops->read_into(c, landing, BUFFER_BYTES, deadline);
    if (__builtin_expect(n < 0, 0) && errno == EFAULT && landing != NULL &&
        *landing == NULL)
        n = read_again(c, deadline);
    if (n > 0)
        *data = c->lent = buffer_take();
    return conn_leave(c, USERS_READER, n);
}

void *net_take(struct net_conn *c)
{
    void *b = c->lent;

    c->lent = NULL;
    return b;
}

int net_wait(struct net_conn *c, int64_t deadline)
{
    if (begin_read(c) < 0)
        return -1;
    drop_lent(c);
    return (int)conn_leave(c, USERS_READER, c->ops->wait(c, deadline));
}

int net_shutdown(struct net_conn *c)
{
    uint64_t old = users_enter(&c->users, USERS_OTHER);
    int r = old & USERS_CLOSED ? -1 : c->ops->shutdown(c);

    return (int)conn_leave(c, USERS_OTHER, r);
}

/* ---- Looking at it ----------------------------------------------------------
 */

int net_fd(const struct net_conn *c) { return c->fd; }

void net_peer(const struct net_conn *c, char *buf, size_t len)
{
    struct addr a;

    if (c->peer.family != 0) {
        peer_give(&c->peer, &a);
    } else {
        a.len = sizeof a.as;
        if (getpeername(c->fd, &a.as.any, &a.len) < 0)
            a.len = 0;
    }
    addr_format(&a, buf, len);
}

void net_local(const struct net_conn *c, char *buf, size_t len)
{
    struct addr a = { .len = sizeof a.as };

    if (getsockname(c->fd, &a.as.any, &a.len) < 0)
        a.len = 0;
    addr_format(&a, buf, len);
}
