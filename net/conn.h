/* conn.h - a connection and its transport.
 *
 * Private to net/.  What every connection has is in conn.c: turns of writers,
 * lent buffers, closing while in use.  How bytes move is the transport's, a
 * table of functions; plain sockets are one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_CONN_H
#define NET_CONN_H

#include "co/co.h"
#include "net/addr.h"
#include "net/users.h"
#include <errno.h>

struct net_conn;

/* All but close are as the calls of net.h, but may do less than they were asked
 * to, and return how much.  One reads at a time, one writes at a time. */
struct conn_ops {
    ssize_t (*read)(struct net_conn *c, void *buf, size_t len,
                    int64_t deadline);
    /* As co_recv_into(), for the thread's landing (buffer.h). */
    ssize_t (*read_into)(struct net_conn *c, void *const *buf, size_t len,
                         int64_t deadline);
    int (*wait)(struct net_conn *c, int64_t deadline);
    ssize_t (*write)(struct net_conn *c, const void *buf, size_t len,
                     int64_t deadline);
    /* more: what follows at once belongs into the same packets. */
    ssize_t (*writev)(struct net_conn *c, const struct iovec *iov, int count,
                      bool more, int64_t deadline);
    /* 0 at the end of the file; -1 EINVAL: this kind of file is read and
     * written instead. */
    ssize_t (*sendfile)(struct net_conn *c, int fd, off_t offset, size_t len,
                        int64_t deadline);
    int (*shutdown)(struct net_conn *c);
    void (*close)(struct net_conn *c); /* the last call */
};

extern const struct conn_ops conn_socket_ops; /* socket.c */

struct conn_peer { /* an address in fewer bytes; family 0: ask the kernel */
    uint16_t family, port;
    uint32_t scope;
    uint8_t ip[16];
};

struct net_conn {
    const struct conn_ops *ops; /* constant */
    users_t users;              /* any thread, atomic */
    int fd;                     /* constant */
    bool torn;                  /* writer: a write broke off in its middle */
    void *lent;                 /* reader: what net_next() lent, or NULL */
    struct co_sem turn;         /* writers that wait for one another */
    struct conn_peer peer;      /* constant */
    void *owner;                /* of net_serve(): its worker */
};

/* Takes fd, a socket that corten made: closes it on failure, NULL + ENOMEM.
 * peer may be NULL. */
struct net_conn *conn_open(int fd, const struct addr *peer);

/* Keeps c's memory until conn_release(), which also closes it. */
void conn_hold(struct net_conn *c);
void conn_release(struct net_conn *c);

void conn_destroy(struct net_conn *c);

/* The end of each call that entered as `as`: r with its errno, unless c was
 * closed meanwhile. */
static inline ssize_t conn_leave(struct net_conn *c, uint64_t as, ssize_t r)
{
    uint64_t now = users_leave(&c->users, as);

    if (__builtin_expect(!(now & USERS_CLOSED), 1))
        return r;
    if (now == USERS_CLOSED)
        conn_destroy(c);
    errno = EBADF;
    return -1;
}

#endif
