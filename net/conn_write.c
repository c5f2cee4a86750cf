/* conn_write.c - writing to a connection: all of it, one writer at a time.
 *
 * Buffers, a file, or both are one message, and one loop sends it.
 *
 * Writers count themselves in the connection's word, so who writes alone pays
 * for no lock.  Who finds a writer inside waits for its turn in a queue; a
 * writer that leaves others behind posts one turn.  A turn once posted must be
 * taken: a waiter that gives up may leave only while the count says that
 * somebody else will take it, and otherwise takes it and passes it on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/buffer.h"
#include "net/conn.h"
#include "net/net.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

enum {
    IOV_WINDOW = 16,          /* of long messages at a time */
    FILE_CHUNK = 1024 * 1024, /* of a file; then others have their turn */
    /* A file that is no larger shares packets with what precedes it.  Of larger
     * ones the pages would all be sent in two pieces: 1 MiB took 15 % longer.
     */
    SHARE_MAX = 128 * 1024
};

/* Passes the turn on, and leaves. */
__attribute__((noinline)) static ssize_t pass_on(struct net_conn *c, ssize_t r)
{
    uint64_t now;
    int err = errno;

    /* Still inside while the queue is touched. */
    now = atomic_fetch_add(&c->users, USERS_OTHER - USERS_WRITER);
    if ((now & USERS_WRITERS) > USERS_WRITER)
        co_sem_post(&c->turn);
    errno = err;
    return conn_leave(c, USERS_OTHER, r);
}

static inline ssize_t end_write(struct net_conn *c, ssize_t r)
{
    uint64_t now = users_now(&c->users);

    while ((now & USERS_WRITERS) == USERS_WRITER)
        if (atomic_compare_exchange_weak_explicit(
                &c->users, &now, now - USERS_WRITER, memory_order_acq_rel,
                memory_order_acquire)) {
            now -= USERS_WRITER;
            if (__builtin_expect(!(now & USERS_CLOSED), 1))
                return r;
            if (now == USERS_CLOSED)
                conn_destroy(c);
            errno = EBADF;
            return -1;
        }
    return pass_on(c, r);
}

/* Gives up waiting for a turn; errno says why. */
static int give_up(struct net_conn *c)
{
    uint64_t now = users_now(&c->users);
    int err = errno;
    bool held = false;

    while ((now & USERS_WRITERS) > USERS_WRITER)
        if (atomic_compare_exchange_weak(&c->users, &now,
                                         now - USERS_WRITER + USERS_OTHER)) {
            errno = err;
            return (int)conn_leave(c, USERS_OTHER, -1);
        }
    /* The last one but us has gone and posts our turn, or has: at once. */
    if (co_self() != NULL)
        held = co_hold_cancel(true);
    while (co_sem_wait(&c->turn, CO_FOREVER) < 0)
        ;
    if (co_self() != NULL)
        (void)co_hold_cancel(held);
    errno = err;
    return (int)end_write(c, -1);
}

__attribute__((noinline)) static int wait_turn(struct net_conn *c, uint64_t old,
                                               int64_t deadline)
{
    if ((old & USERS_WRITERS) != 0) {
        if (co_sem_wait(&c->turn, deadline) < 0)
            return give_up(c);
        old = users_now(&c->users);
    }
    if (old & USERS_CLOSED)
        return (int)end_write(c, -1);
    if (c->torn) {
        errno = EPIPE;
        return (int)end_write(c, -1);
    }
    return 0;
}

static inline int begin_write(struct net_conn *c, int64_t deadline)
{
    uint64_t old = users_enter(&c->users, USERS_WRITER);

    if (__builtin_expect((old & (USERS_CLOSED | USERS_WRITERS)) != 0 || c->torn,
                         0))
        return wait_turn(c, old, deadline);
    return 0;
}

/* The result of a write of which done bytes of len have gone. */
static inline int finish(struct net_conn *c, size_t done, size_t len)
{
    if (__builtin_expect(done == len, 1))
        return (int)end_write(c, 0);
    /* What would follow would be taken for the rest. */
    if (done > 0)
        c->torn = true;
    return (int)end_write(c, -1);
}

__attribute__((noinline)) static int write_on(struct net_conn *c,
                                              const char *buf, size_t len,
                                              size_t done, int64_t deadline)
{
    while (done < len) {
        ssize_t n = c->ops->write(c, buf + done, len - done, deadline);

        if (n < 0)
            break;
        done += (size_t)n;
    }
    return finish(c, done, len);
}

int net_write(struct net_conn *c, const void *buf, size_t len, int64_t deadline)
{
    ssize_t n = 0;

    if (begin_write(c, deadline) < 0)
        return -1;
    if (len > 0)
        n = c->ops->write(c, buf, len, deadline);
    if (__builtin_expect(n == (ssize_t)len, 1))
        return (int)end_write(c, 0);
    return n < 0 ? (int)end_write(c, -1)
                 : write_on(c, buf, len, (size_t)n, deadline);
}

/* ---- Messages --------------------------------------------------------------
 */

struct outgoing {
    struct net_conn *conn;
    struct net_message *message;
    int64_t deadline;
    size_t since; /* bytes, since it was moved on */
};

static inline void took(struct outgoing *o, size_t n)
{
    o->message->sent += n;
    o->since += n;
    if (o->since >= NET_PACE && o->message->patience > 0) {
        o->since = 0;
        o->deadline = co_after(o->message->patience);
    }
}

/* The part of iov behind its first skip bytes, as far as the window reaches;
 * iov[*first] is where to look for it the next time. */
static int window(struct iovec *out, const struct iovec *iov, int count,
                  int *first, size_t *skip)
{
    int n = 0;

    while (*first < count && *skip >= iov[*first].iov_len)
        *skip -= iov[(*first)++].iov_len;
    for (int i = *first; i < count && n < IOV_WINDOW; i++)
        out[n++] = iov[i];
    if (n > 0) {
        out[0].iov_base = (char *)out[0].iov_base + *skip;
        out[0].iov_len -= *skip;
    }
    return n;
}

static int send_buffers(struct outgoing *o, size_t len)
{
    const struct net_message *m = o->message;
    struct iovec some[IOV_WINDOW];
    bool more = m->len > 0 && m->len <= SHARE_MAX;
    size_t skip = 0, done = 0;
    int first = 0;

    while (done < len) {
        int n = window(some, m->iov, m->count, &first, &skip);
        ssize_t sent =
            o->conn->ops->writev(o->conn, some, n, more, o->deadline);

        if (sent < 0)
            return -1;
        skip += (size_t)sent;
        done += (size_t)sent;
        took(o, (size_t)sent);
    }
    return 0;
}

/* What the transport cannot send from the file itself. */
static ssize_t copy_file(struct outgoing *o, off_t at, size_t len)
{
    char *buf = buffer_get();
    ssize_t n, done = 0;

    if (buf == NULL)
        return -1;
    do
        n = pread(o->message->fd, buf, len < BUFFER_BYTES ? len : BUFFER_BYTES,
                  at);
    while (n < 0 && errno == EINTR);
    while (done < n) {
        ssize_t sent = o->conn->ops->write(o->conn, buf + done,
                                           (size_t)(n - done), o->deadline);

        if (sent < 0) {
            n = done > 0 ? done : -1;
            break;
        }
        done += sent;
    }
    buffer_put(buf);
    return n;
}

struct cold { /* a part of a file that is to be read from the disk */
    int fd;
    off_t at;
    size_t len;
};

/* Errors come up again when it is sent. */
static void read_cold(void *arg)
{
    const struct cold *cold = arg;
    char byte;

    (void)readahead(cold->fd, cold->at, cold->len);
    (void)!pread(cold->fd, &byte, 1, cold->at);
    (void)!pread(cold->fd, &byte, 1, cold->at + (off_t)cold->len - 1);
}

/* sendfile(2) holds up the thread for as long as the disk takes; so what is not
 * in memory is read on another one first.  The last byte tells: the kernel
 * reads ahead. */
static void warm(int fd, off_t at, size_t len)
{
    struct cold cold = { fd, at, len };
    char byte;
    struct iovec v = { &byte, 1 };

    if (sys.preadv2(fd, &v, 1, at + (off_t)len - 1, RWF_NOWAIT) < 0 &&
        errno == EAGAIN)
        (void)co_offload(read_cold, &cold); /* if not, this thread waits */
}

/* Who is never made to wait lets the others run. */
static int give_way(void)
{
    if (co_self() == NULL)
        return 0;
    co_yield_now();
    return co_sys_begin();
}

static int send_file(struct outgoing *o)
{
    const struct net_message *m = o->message;
    uint64_t done = 0;
    size_t chunk = 0; /* of the last chunk, what is not sent */
    bool copy = false;

    while (done < m->len) {
        off_t at = m->offset + (off_t)done;
        ssize_t n;

        if (chunk == 0) {
            chunk = m->len - done < FILE_CHUNK ? (size_t)(m->len - done)
                                               : FILE_CHUNK;
            if (done > 0 && give_way() < 0)
                return -1;
            warm(m->fd, at, chunk);
        }
        n = copy ? copy_file(o, at, chunk)
                 : o->conn->ops->sendfile(o->conn, m->fd, at, chunk,
                                          o->deadline);
        if (n < 0 && errno == EINVAL && !copy) {
            copy = true;
            continue;
        }
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            return -1;
        done += (size_t)n;
        chunk -= (size_t)n;
        took(o, (size_t)n);
    }
    return 0;
}

int net_write_message(struct net_conn *c, struct net_message *m,
                      int64_t deadline)
{
    struct outgoing o = { c, m, deadline, 0 };
    size_t len = 0;

    m->sent = 0;
    for (int i = 0; i < m->count; i++)
        len += m->iov[i].iov_len;
    if (m->count < 0 || len > SSIZE_MAX || m->patience < 0 ||
        m->len > INT64_MAX || (m->len > 0 && m->offset < 0) ||
        m->offset > INT64_MAX - (int64_t)m->len) {
        errno = EINVAL;
        return -1;
    }
    if (begin_write(c, deadline) < 0)
        return -1;
    if (send_buffers(&o, len) == 0 && m->len > 0)
        (void)send_file(&o);
    if (__builtin_expect(m->sent == len + m->len, 1))
        return (int)end_write(c, 0);
    /* What would follow would be taken for the rest. */
    c->torn |= m->sent > 0;
    return (int)end_write(c, -1);
}

int net_writev(struct net_conn *c, const struct iovec *iov, int count,
               int64_t deadline)
{
    struct net_message m = { .iov = iov, .count = count };

    return net_write_message(c, &m, deadline);
}

int net_sendfile(struct net_conn *c, int fd, off_t offset, size_t len,
                 int64_t deadline)
{
    struct net_message m = { .fd = fd, .offset = offset, .len = len };

    return net_write_message(c, &m, deadline);
}
