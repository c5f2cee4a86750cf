/* net.h - connections for coroutines.  Conventions as in co/co.h.
 *
 * An echo server:
 *
 *     static void echo(struct net_conn *c, void *arg)
 *     {
 *         char buf[4096];
 *         ssize_t n;
 *
 *         while ((n = net_read(c, buf, sizeof buf, CO_FOREVER)) > 0)
 *             if (net_write(c, buf, n, CO_FOREVER) < 0)
 *                 break;
 *     }
 *
 *     static void root(void *addr)
 *     {
 *         if (net_serve(net_listen(addr, NULL), echo, NULL) < 0)
 *             perror("echo");
 *     }
 *
 *     int main(void) { return co_run(root, "127.0.0.1:7000", NULL) < 0; }
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "co/co.h"
#include <sys/uio.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* ---- Addresses -------------------------------------------------------------
 *
 * They are text:
 *
 *     127.0.0.1:80            IPv4
 *     [::1]:80                IPv6; to listen on [::]:80 takes IPv4, too
 *     [fe80::1%eth0]:80       with the interface of a link-local address
 *     example.org:80          a name that is looked up as getaddrinfo(3) does
 *     :80                     to listen on alone: all addresses of the machine
 *     unix:/run/app.sock      a unix socket, by its path (107 bytes at most)
 *     unix:@app               one in Linux's abstract space
 *
 * Ports are numbers.  Port 0 to listen on asks the kernel for a free one, see
 * net_listener_addr().  Anything else is EINVAL.  A name can fail with ENOENT
 * (it does not exist, or has no address), EAGAIN (no name server answers now)
 * and EIO (a name server failed); what a deadline cuts off goes on in the
 * background and is dropped. */

enum { NET_ADDR_MAX = 128 }; /* bytes that hold any of them, zero included */

struct net_listener; /* open sockets, of net_serve() or of who accepts */
struct net_conn;     /* a connection; closed by whom it was handed to */

/* ---- Servers ---------------------------------------------------------------
 */

struct net_listen_options { /* public; zero means the default */
    int backlog;            /* connections that wait to be accepted; SOMAXCONN,
                               and the kernel's own limit */
    unsigned max_conns;     /* net_serve() pauses accepting there; no limit */
    bool no_delay_off;      /* leave Nagle's algorithm on */
    int balance;            /* of net_serve(); NET_PER_SCHEDULER */
    int64_t grace;          /* for handlers to finish after a stop, of which
                               nothing tells them; 10 s, 1 hardly any */
};

enum {
    NET_PER_SCHEDULER, /* a listening socket each, the kernel spreads; for unix
                          sockets the same as NET_ROUND_ROBIN */
    NET_ROUND_ROBIN,   /* one acceptor hands over in turn */
    NET_LEAST_CONNS    /* or to whom has fewest */
};

/* Listens on addr; of a name, on the first of its addresses that can be bound.
 * EADDRINUSE when somebody listens there already, also another process of ours;
 * a unix socket's file that nobody listens on any more is replaced.  EINVAL for
 * what is no address or no option.  Else as socket(2), bind(2), listen(2).
 * options may be NULL and is copied.  Works before co_run(), too.  [waits] for
 * a name's look-up only. */
struct net_listener *net_listen(const char *addr,
                                const struct net_listen_options *options);

/* One connection, for the caller to close.  Any number may wait.  NULL with
 * EMFILE, ENFILE, ENOBUFS, ENOMEM, ETIMEDOUT, ECANCELED, EBADF when l is closed
 * meanwhile.  [waits] */
struct net_conn *net_accept(struct net_listener *l, int64_t deadline);

/* The address that was bound, with the port that the kernel chose.  [any] */
void net_listener_addr(struct net_listener *l, char *buf, size_t len);

/* Accepts no more; a unix socket's file is removed.  Calls that wait for l fail
 * with EBADF.  NULL is fine.  [any] */
void net_listener_close(struct net_listener *l);

/* Owns nothing: the connection is closed when the handler returns.  Coroutines
 * that it lets use c must have ended by then, or be inside a call on c, which
 * then fails with EBADF.  It and they may call net_close() to be rid of the
 * peer sooner: calls on c fail with EBADF then, and until the handler returns
 * it can be closed again. */
typedef void net_handler(struct net_conn *c, void *arg);

/* Takes l and closes it on every path.  Runs handler in a coroutine per
 * connection, on all schedulers, until cancelled: so what handlers share needs
 * a co_mutex, or a runtime of one scheduler.  Once cancelled, accepts what is
 * queued and no more (not beyond max_conns), lets handlers finish for
 * options.grace, cancels the rest, and waits for them, however long they take.
 * What a handler set by co_limit_deadline() or co_hold_cancel() ends with it.
 * While there are no descriptors, no memory or no coroutines left, accepting
 * pauses and is tried again; nobody else is disturbed.
 *
 * 0 after such a stop, -1 on failure: what listen(2) says for one more socket,
 * ENOMEM, EAGAIN, ESHUTDOWN when the runtime is not up, ETIMEDOUT when the
 * caller's co_limit_deadline() ended it.  A NULL listener is a failure that
 * keeps errno, so that net_listen() can stand in the call.  On a plain thread,
 * until the runtime is shut down.  [waits] */
int net_serve(struct net_listener *l, net_handler *handler, void *arg);

/* ---- Connections -----------------------------------------------------------
 *
 * One coroutine may read while others write, from any scheduler; a write is
 * whole, concurrent ones queue.  Two readers at once are a bug, and abort.
 * net_close() while others use c fails their calls with EBADF; the memory goes
 * when the last returns.  Errors are those of the sockets (ECONNRESET, EPIPE
 * ...), and ETIMEDOUT, ECANCELED; never SIGPIPE. */

/* Tries all addresses of a name in turn, each with an even share of the time
 * that is left, until one answers.  NULL with the last one's error
 * (ECONNREFUSED, EHOSTUNREACH ...), or what an address can fail with.
 * [waits] */
struct net_conn *net_dial(const char *addr, int64_t deadline);
void net_close(struct net_conn *c); /* NULL is fine; keeps errno.  [any] */

/* What has arrived, len bytes at most; 0 at the end.  [waits] */
ssize_t net_read(struct net_conn *c, void *buf, size_t len, int64_t deadline);

/* 0 when all len bytes came.  -1 with EPIPE when the peer had ended before the
 * first, ECONNRESET when it ended between; how many came is not told.
 * [waits] */
int net_read_full(struct net_conn *c, void *buf, size_t len, int64_t deadline);

/* Lends what has arrived (at most 16 KiB) in a pooled buffer, which the caller
 * may also write to, until the next net_next, net_read, net_read_full, net_wait
 * or net_close on c.  Waiting holds no buffer.  Result as net_read(); ENOMEM
 * loses nothing.  [waits] */
ssize_t net_next(struct net_conn *c, const void **data, int64_t deadline);

/* What net_next() lent last becomes the caller's, all NET_BUFFER_BYTES of it,
 * for net_buffer_put().  NULL when nothing is lent. */
void *net_take(struct net_conn *c);

/* The buffers that net_next() lends, of NET_BUFFER_BYTES each, for protocols
 * that need one only while they have work.  Each thread keeps a few, the
 * warmest on top.  NULL + ENOMEM.  [any] */
enum { NET_BUFFER_BYTES = 16 * 1024 };
void *net_buffer_get(void);
void net_buffer_put(void *buffer); /* NULL is fine.  [any] */

/* Waits until net_read() would not wait; holds no buffer meanwhile.  0, or
 * -1.  [waits] */
int net_wait(struct net_conn *c, int64_t deadline);

/* All of it: 0, or -1.  deadline is that of the whole, waiting for its turn
 * included.  After a write that broke off in its middle all later ones fail
 * with EPIPE, since the peer would take them for the rest.  [waits] */
int net_write(struct net_conn *c, const void *buf, size_t len,
              int64_t deadline);
int net_writev(struct net_conn *c, const struct iovec *iov, int count,
               int64_t deadline);

/* len bytes of the file fd from offset, by sendfile(2) where that can.  ENODATA
 * when the file ends before.  What is not in memory is read from the disk on a
 * thread of co_offload()'s.  [waits] */
int net_sendfile(struct net_conn *c, int fd, off_t offset, size_t len,
                 int64_t deadline);

/* Buffers and behind them a part of a file, as one write: 0, or -1 as
 * net_write() and net_sendfile().  With patience, the deadline is that of the
 * first NET_PACE bytes alone, and moves on to patience ns from then each time
 * that the peer has taken so many: one that is slow is waited for, one that is
 * silent is not.  [waits] */
enum { NET_PACE = 64 * 1024 };
struct net_message { /* public; zero means none */
    const struct iovec *iov;
    int count;
    int fd; /* with len: so many of its bytes, from offset */
    off_t offset;
    uint64_t len;
    int64_t patience;
    uint64_t sent; /* set: bytes that the socket took, of a failure too */
};
int net_write_message(struct net_conn *c, struct net_message *m,
                      int64_t deadline);

/* No more writes; the peer reads the end.  Writers inside fail with EPIPE.
 * 0, or -1.  [any] */
int net_shutdown(struct net_conn *c);

int net_fd(const struct net_conn *c); /* borrowed.  [any] */

/* The addresses of both ends as text, "" when there is none to be had.  A unix
 * client that did not bind has none: "unix:"; one that did chose it freely,
 * newlines included.  [any] */
void net_peer(const struct net_conn *c, char *buf, size_t len);
void net_local(const struct net_conn *c, char *buf, size_t len);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
