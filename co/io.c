/* io.c - the calls of co.h on descriptors: try, wait, try again.
 *
 * A call is tried first; when the kernel says EAGAIN it waits for readiness and
 * is tried again: the loop stands once, in io_run().  What is tried never
 * blocks the thread, see io_foreign.h for descriptions that are not ours.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/io.h"
#include "co/bug.h"
#include "co/fd.h"
#include "co/fd_wait.h"
#include "co/io_foreign.h"
#include "co/overflow.h"
#include "co/runq.h"
#include "co/switch.h"
#include "co/sys.h"
#include <errno.h>

enum { IO_TURN = 64 }; /* calls between two looks at the poller */

bool io_cancelled(void)
{
    struct co *co = co_running();

    if (__builtin_expect(co == NULL || !co->cancelled || co->hold, 1))
        return false;
    errno = ECANCELED;
    return true;
}

__attribute__((noinline, cold)) static void give_way(struct sched *s)
{
    s->budget = 0; /* to the loop, which asks the poller */
    runq_push(s, s->running);
    switch_away(s, s->running);
}

/* A coroutine whose descriptors are always ready gives way now and then: true
 * when it did. */
static inline bool count_call(void)
{
    struct sched *s = sched_self();

    if (s == NULL || s->running == NULL || ++s->calls < IO_TURN)
        return false;
    give_way(s);
    return true;
}

int co_sys_begin(void)
{
    (void)count_call();
    return io_cancelled() ? -1 : 0;
}

/* Only a system call can say EFAULT for a buffer that is the guard of our own
 * stack: a fault that nobody would see. */
static void check_fault(const void *buf, size_t len)
{
    if (errno == EFAULT)
        overflow_check(buf, len);
}

/* Whoever tries again and again without waiting gives way, too. */
static int wait_ready(int fd, uint32_t gen, uint32_t events, int64_t deadline)
{
    int r = fd_wait(fd, gen, events, deadline);

    if (r < 0 && deadline <= CO_NOWAIT)
        (void)count_call();
    return r;
}

static ssize_t try_once(int fd, io_try *attempt, void *args)
{
    ssize_t n;

    if (io_cancelled())
        return -1;
    n = attempt(fd, args);
    (void)count_call();
    return n;
}

ssize_t io_run(int fd, uint32_t events, int64_t deadline, io_try *attempt,
               void *args)
{
    uint32_t gen = fd_gen(fd);
    ssize_t n;

    if (io_cancelled())
        return -1;
    while ((n = attempt(fd, args)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || wait_ready(fd, gen, events, deadline) < 0)
            return -1;
    }
    (void)count_call();
    return n;
}

/* A socket of ours was closed behind our back, and the number is no socket now.
 */
static inline bool taken(ssize_t n)
{
    return __builtin_expect(n < 0 && errno == ENOTSOCK, 0);
}

/* ---- Reading ----------------------------------------------------------------
 */

/* The rest of a receive that found EAGAIN or worse.  odd: an event told of an
 * end, perhaps of this direction's, and comes only once. */
static ssize_t recv_again(int fd, uint32_t gen, void *const *buf, size_t len,
                          int64_t deadline, bool odd)
{
    bool waited = false;
    ssize_t n;

    do {
        if (errno != EINTR) {
            check_fault(*buf, len);
            if (errno == EAGAIN && odd && io_ended(fd))
                return 0;
            if (errno != EAGAIN ||
                wait_ready(fd, gen, POLLER_READ, deadline) < 0)
                return -1;
            waited = true;
        }
        n = sys.recv(fd, *buf, len, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN && waited && io_ended(fd))
            n = 0;
    } while (n < 0);
    return n;
}

/* Of our own sockets; word is the number's.  A TCP socket that came back short,
 * or another one that the caller says is as plain, is empty: the next read
 * waits for the edge without asking (fd_drained).  On others a read ends where
 * the sender or his descriptors change.  MSG_DONTWAIT, since the number may
 * have changed hands behind our back. */
static inline ssize_t recv_own(int fd, uint64_t word, void *const *buf,
                               size_t len, int64_t deadline, bool plain)
{
    uint32_t gen = fd_word_gen(word);
    struct sched *s = sched_self();
    struct fd_entry *e = s == NULL ? NULL : fd_find(s, fd);
    ssize_t n;

    if (io_cancelled())
        return -1;
    /* Too late is no reason not to look: the event that says that it is not
     * empty any more may be waiting for the poller. */
    if (e != NULL && fd_drained(e, gen) && len > 0 && s->running != NULL &&
        fd_wait_edge(e, deadline) < 0 && errno != ETIMEDOUT)
        return -1;
    n = sys.recv(fd, *buf, len, MSG_DONTWAIT);
    if (n < 0 &&
        (n = recv_again(fd, gen, buf, len, deadline, e != NULL && e->odd)) < 0)
        return -1;
    if (e != NULL && (size_t)n < len && n > 0)
        fd_set_drained(e, gen, plain);
    return n;
}

static ssize_t recv_plain(int fd, uint64_t word, void *buf, size_t len,
                          int64_t deadline)
{
    ssize_t n = recv_own(fd, word, &buf, len, deadline, false);

    if (n >= 0)
        (void)count_call();
    return n;
}

ssize_t co_read(int fd, void *buf, size_t len, int64_t deadline)
{
    struct iovec iov = { .iov_base = buf, .iov_len = len };
    uint64_t word = fd_word_now(fd);
    ssize_t n;

    if ((word & FD_WORD_OWN) && len > 0 &&
        !taken(n = recv_plain(fd, word, buf, len, deadline)))
        return n;
    return io_foreign_readv(fd, &iov, 1, deadline);
}

ssize_t co_readv(int fd, const struct iovec *iov, int count, int64_t deadline)
{
    return io_foreign_readv(fd, iov, count, deadline);
}

struct recv_args {
    void *buf;
    size_t len;
    int flags;
    struct sockaddr *addr;
    socklen_t *addr_len;
    socklen_t addr_size; /* as the caller gave it: the call overwrites it */
    bool again;          /* it was tried before */
};

static ssize_t try_recv(int fd, void *args)
{
    struct recv_args *a = args;
    ssize_t n;

    if (a->addr_len != NULL)
        *a->addr_len = a->addr_size;
    n = sys.recvfrom(fd, a->buf, a->len, a->flags | MSG_DONTWAIT, a->addr,
                     a->addr_len);
    if (n < 0)
        check_fault(a->buf, a->len);
    if (n < 0 && errno == EAGAIN && a->again && io_ended(fd))
        n = 0;
    a->again = true;
    return n;
}

static uint32_t events_of(int flags)
{
    return flags & MSG_OOB ? POLLER_PRI : POLLER_READ;
}

ssize_t io_receive(int fd, int flags, int64_t deadline, io_try *attempt,
                   void *args)
{
    if (flags & (MSG_DONTWAIT | MSG_ERRQUEUE))
        return try_once(fd, attempt, args);
    return io_run(fd, events_of(flags), deadline, attempt, args);
}

ssize_t io_send(int fd, int flags, int64_t deadline, io_try *attempt,
                void *args)
{
    if (flags & MSG_DONTWAIT)
        return try_once(fd, attempt, args);
    return io_run(fd, POLLER_WRITE, deadline, attempt, args);
}

bool io_wants_rest(int fd, int flags)
{
    int type = 0;
    socklen_t len = sizeof type;

    return (flags & (MSG_WAITALL | MSG_PEEK | MSG_DONTWAIT)) == MSG_WAITALL &&
           sys.getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_STREAM;
}

size_t io_receive_rest(int fd, void *buf, size_t len, int flags,
                       int64_t deadline)
{
    struct recv_args a = { .buf = buf, .len = len, .flags = flags };

    while (a.len > 0) {
        ssize_t n = io_run(fd, POLLER_READ, deadline, try_recv, &a);

        if (n <= 0)
            break;
        a.buf = (char *)a.buf + n;
        a.len -= (size_t)n;
    }
    return len - a.len;
}

ssize_t co_recvfrom(int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addr_len,
                    int64_t deadline)
{
    struct recv_args a = { buf,  len,      flags,
                           addr, addr_len, addr_len != NULL ? *addr_len : 0,
                           false };
    ssize_t n = io_receive(fd, flags, deadline, try_recv, &a);

    if (n > 0 && (size_t)n < len && io_wants_rest(fd, flags))
        n += (ssize_t)io_receive_rest(fd, (char *)buf + n, len - (size_t)n,
                                      flags, deadline);
    return n;
}

ssize_t co_recv(int fd, void *buf, size_t len, int flags, int64_t deadline)
{
    uint64_t word = fd_word_now(fd);

    if (flags == 0 && (word & FD_WORD_OWN))
        return recv_plain(fd, word, buf, len, deadline);
    return co_recvfrom(fd, buf, len, flags, NULL, NULL, deadline);
}

ssize_t co_sys_recv(int fd, void *buf, size_t len, int64_t deadline)
{
    uint64_t word = fd_word_now(fd);
    ssize_t n;

    if (!(word & FD_WORD_OWN) || len == 0)
        return co_read(fd, buf, len, deadline);
    n = recv_own(fd, word, &buf, len, deadline, true);
    if (n >= 0)
        (void)count_call();
    return n;
}

/* Gives way before the call, since nobody may run after it. */
ssize_t co_recv_into(int fd, void *const *buf, size_t len, int64_t deadline)
{
    uint64_t word = fd_word_now(fd);
    uint32_t gen = fd_word_gen(word);
    ssize_t n;

    if (count_call() && fd_gen(fd) != gen) {
        errno = EBADF;
        return -1;
    }
    if (word & FD_WORD_OWN)
        return recv_own(fd, word, buf, len, deadline, false);
    if (io_cancelled())
        return -1;
    n = sys.recv(fd, *buf, len, MSG_DONTWAIT);
    return n >= 0 ? n : recv_again(fd, gen, buf, len, deadline, false);
}

/* ---- Writing ----------------------------------------------------------------
 */

struct send_args {
    const void *buf;
    size_t len;
    int flags;
    const struct sockaddr *addr;
    socklen_t addr_len;
};

static ssize_t try_send(int fd, void *args)
{
    struct send_args *a = args;
    ssize_t n =
        sys.sendto(fd, a->buf, a->len, a->flags | MSG_DONTWAIT | MSG_NOSIGNAL,
                   a->addr, a->addr_len);

    if (n < 0)
        check_fault(a->buf, a->len);
    return n;
}

ssize_t co_sendto(int fd, const void *buf, size_t len, int flags,
                  const struct sockaddr *addr, socklen_t addr_len,
                  int64_t deadline)
{
    struct send_args a = { buf, len, flags, addr, addr_len };

    return io_send(fd, flags, deadline, try_send, &a);
}

/* Of our own sockets it mostly succeeds at once. */
ssize_t co_send(int fd, const void *buf, size_t len, int flags,
                int64_t deadline)
{
    ssize_t n;

    if (fd_own(fd) && !io_cancelled()) {
        n = sys.send(fd, buf, len, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            (void)count_call();
            return n;
        }
        if (errno != EAGAIN && errno != EINTR) { /* it is told only once */
            check_fault(buf, len);
            return -1;
        }
    }
    return co_sendto(fd, buf, len, flags, NULL, 0, deadline);
}

ssize_t co_write(int fd, const void *buf, size_t len, int64_t deadline)
{
    struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
    ssize_t n;

    if (fd_own(fd) && !taken(n = co_send(fd, buf, len, 0, deadline)))
        return n;
    return io_foreign_writev(fd, &iov, 1, deadline);
}

ssize_t co_writev(int fd, const struct iovec *iov, int count, int64_t deadline)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)iov,
                          .msg_iovlen = (size_t)count };
    ssize_t n;

    if (fd_own(fd) && count >= 0 &&
        !taken(n = co_sendmsg(fd, &msg, 0, deadline)))
        return n;
    return io_foreign_writev(fd, iov, count, deadline);
}
