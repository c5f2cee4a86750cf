/* conn_write.c - writing to a connection: all of it, one writer at a time.
 *
 * Writers count themselves in the connection's word, so who writes alone pays
 * for no lock.  Who finds a writer inside waits for its turn in a queue; a
 * writer that leaves others behind posts one turn.  A turn once posted must be
 * taken: a waiter that gives up may leave only while the count says that
 * somebody else will take it, and otherwise takes it and passes it on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/buffer.h"
#include "net/conn.h"
#include "net/net.h"
#include <errno.h>
#include <limits.h>
#include <unistd.h>

enum { IOV_WINDOW = 16 }; /* of a long net_writev() at a time */

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

int net_writev(struct net_conn *c, const struct iovec *iov, int count,
               int64_t deadline)
{
    struct iovec some[IOV_WINDOW];
    size_t len = 0, done = 0, skip = 0;
    int first = 0;

    for (int i = 0; i < count; i++)
        len += iov[i].iov_len;
    if (count < 0 || len > SSIZE_MAX) {
        errno = EINVAL;
        return -1;
    }
    if (begin_write(c, deadline) < 0)
        return -1;
    while (done < len) {
        int n = window(some, iov, count, &first, &skip);
        ssize_t sent = c->ops->writev(c, some, n, deadline);

        if (sent < 0)
            break;
        skip += (size_t)sent;
        done += (size_t)sent;
    }
    return finish(c, done, len);
}

/* What the transport cannot send from the file itself. */
static ssize_t copy_file(struct net_conn *c, int fd, off_t offset, size_t len,
                         int64_t deadline)
{
    char *buf = buffer_get();
    ssize_t n, done = 0;

    if (buf == NULL)
        return -1;
    do
        n = pread(fd, buf, len < BUFFER_BYTES ? len : BUFFER_BYTES, offset);
    while (n < 0 && errno == EINTR);
    while (done < n) {
        ssize_t sent =
            c->ops->write(c, buf + done, (size_t)(n - done), deadline);

        if (sent < 0) {
            n = done > 0 ? done : -1;
            break;
        }
        done += sent;
    }
    buffer_put(buf);
    return n;
}

int net_sendfile(struct net_conn *c, int fd, off_t offset, size_t len,
                 int64_t deadline)
{
    size_t done = 0;
    bool copy = false;

    if (begin_write(c, deadline) < 0)
        return -1;
    while (done < len) {
        off_t at = offset + (off_t)done;
        ssize_t n = copy ? copy_file(c, fd, at, len - done, deadline)
                         : c->ops->sendfile(c, fd, at, len - done, deadline);

        if (n < 0 && errno == EINVAL && !copy) {
            copy = true;
            continue;
        }
        if (n == 0)
            errno = ENODATA;
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    return finish(c, done, len);
}
