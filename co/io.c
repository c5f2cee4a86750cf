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
#include <errno.h>

enum { IO_TURN = 64 }; /* calls between two looks at the poller */

static inline bool cancelled(void)
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

/* Only a system call can say EFAULT for a buffer that is the guard of our own
 * stack: a fault that nobody would see. */
static void check_fault(const void *buf, size_t len)
{
    if (errno == EFAULT)
        overflow_check(buf, len);
}

ssize_t io_run(int fd, uint32_t events, int64_t deadline, io_try *attempt,
               void *args)
{
    uint32_t gen = fd_gen(fd);
    ssize_t n;

    if (cancelled())
        return -1;
    while ((n = attempt(fd, args)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN || fd_wait(fd, &gen, events, deadline) < 0)
            return -1;
    }
    (void)count_call();
    return n;
}

/* ---- Reading ----------------------------------------------------------------
 */

/* The rest of a receive that found EAGAIN or worse. */
static ssize_t recv_again(int fd, uint32_t gen, void *const *buf, size_t len,
                          int64_t deadline)
{
    ssize_t n;

    do {
        if (errno == EINTR)
            continue;
        check_fault(*buf, len);
        if (errno != EAGAIN || fd_wait(fd, &gen, POLLER_READ, deadline) < 0)
            return -1;
    } while ((n = recv(fd, *buf, len, MSG_DONTWAIT)) < 0);
    return n;
}

/* Of our own sockets; word is the number's.  A TCP socket that came back short
 * is empty: the next read waits for the edge without asking (fd_drained). */
static inline ssize_t recv_own(int fd, uint64_t word, void *const *buf,
                               size_t len, int64_t deadline)
{
    uint32_t gen = fd_word_gen(word);
    struct sched *s = sched_self();
    struct fd_entry *e = s == NULL ? NULL : fd_find(s, fd);
    ssize_t n;

    if (cancelled())
        return -1;
    if (e != NULL && fd_drained(e, gen) && len > 0 && s->running != NULL &&
        fd_wait_edge(e, deadline) < 0)
        return -1;
    n = recv(fd, *buf, len, 0);
    if (n < 0 && (n = recv_again(fd, gen, buf, len, deadline)) < 0)
        return -1;
    if (e != NULL && (size_t)n < len && n > 0)
        fd_set_drained(e, gen);
    return n;
}

static ssize_t recv_plain(int fd, uint64_t word, void *buf, size_t len,
                          int64_t deadline)
{
    ssize_t n = recv_own(fd, word, &buf, len, deadline);

    if (n >= 0)
        (void)count_call();
    return n;
}

ssize_t co_read(int fd, void *buf, size_t len, int64_t deadline)
{
    struct iovec iov = { .iov_base = buf, .iov_len = len };
    uint64_t word = fd_word_now(fd);

    if (word & FD_WORD_OWN)
        return recv_plain(fd, word, buf, len, deadline);
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
};

static ssize_t try_recv(int fd, void *args)
{
    struct recv_args *a = args;
    ssize_t n;

    if (a->addr_len != NULL)
        *a->addr_len = a->addr_size;
    n = recvfrom(fd, a->buf, a->len, a->flags | MSG_DONTWAIT, a->addr,
                 a->addr_len);
    if (n < 0)
        check_fault(a->buf, a->len);
    return n;
}

/* What the caller asked not to wait for is tried once. */
static bool tries_only(int flags)
{
    return flags & (MSG_DONTWAIT | MSG_ERRQUEUE);
}

static uint32_t events_of(int flags)
{
    return flags & MSG_OOB ? POLLER_PRI : POLLER_READ;
}

/* MSG_WAITALL on what does not block returns what is there: collect it. */
static ssize_t recv_all(int fd, struct recv_args *a, int64_t deadline)
{
    size_t done = 0, len = a->len;
    char *buf = a->buf;

    do {
        ssize_t n = io_run(fd, POLLER_READ, deadline, try_recv, a);

        if (n < 0 && done == 0)
            return -1;
        if (n <= 0)
            break; /* what came before the error counts, as recv(2) has it */
        done += (size_t)n;
        a->buf = buf + done;
        a->len = len - done;
    } while (done < len);
    return (ssize_t)done;
}

static bool is_stream(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;

    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
           type == SOCK_STREAM;
}

ssize_t co_recvfrom(int fd, void *buf, size_t len, int flags,
                    struct sockaddr *addr, socklen_t *addr_len,
                    int64_t deadline)
{
    struct recv_args a = { buf,  len,      flags,
                           addr, addr_len, addr_len != NULL ? *addr_len : 0 };

    if (tries_only(flags))
        return cancelled() ? -1 : try_recv(fd, &a);
    if ((flags & MSG_WAITALL) && !(flags & MSG_PEEK) && is_stream(fd))
        return recv_all(fd, &a, deadline);
    return io_run(fd, events_of(flags), deadline, try_recv, &a);
}

ssize_t co_recv(int fd, void *buf, size_t len, int flags, int64_t deadline)
{
    uint64_t word = fd_word_now(fd);

    if (flags == 0 && (word & FD_WORD_OWN))
        return recv_plain(fd, word, buf, len, deadline);
    return co_recvfrom(fd, buf, len, flags, NULL, NULL, deadline);
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
        return recv_own(fd, word, buf, len, deadline);
    if (cancelled())
        return -1;
    n = recv(fd, *buf, len, MSG_DONTWAIT);
    return n >= 0 ? n : recv_again(fd, gen, buf, len, deadline);
}

struct msg_args {
    struct msghdr *msg;
    int flags;
    socklen_t name_size;
    size_t control_size;
};

/* The call overwrites the sizes even when it fails. */
static ssize_t try_recvmsg(int fd, void *args)
{
    struct msg_args *a = args;

    a->msg->msg_namelen = a->name_size;
    a->msg->msg_controllen = a->control_size;
    return recvmsg(fd, a->msg, a->flags | MSG_DONTWAIT);
}

ssize_t co_recvmsg(int fd, struct msghdr *msg, int flags, int64_t deadline)
{
    struct msg_args a = { msg, flags, msg->msg_namelen, msg->msg_controllen };

    if (tries_only(flags))
        return cancelled() ? -1 : try_recvmsg(fd, &a);
    return io_run(fd, events_of(flags), deadline, try_recvmsg, &a);
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
        sendto(fd, a->buf, a->len, a->flags | MSG_DONTWAIT | MSG_NOSIGNAL,
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

    if (flags & MSG_DONTWAIT)
        return cancelled() ? -1 : try_send(fd, &a);
    return io_run(fd, POLLER_WRITE, deadline, try_send, &a);
}

/* Of our own sockets it mostly succeeds at once. */
ssize_t co_send(int fd, const void *buf, size_t len, int flags,
                int64_t deadline)
{
    ssize_t n;

    if (fd_own(fd) && !cancelled() &&
        (n = send(fd, buf, len, flags | MSG_NOSIGNAL)) >= 0) {
        (void)count_call();
        return n;
    }
    return co_sendto(fd, buf, len, flags, NULL, 0, deadline);
}

static ssize_t try_sendmsg(int fd, void *args)
{
    struct msg_args *a = args;

    return sendmsg(fd, a->msg, a->flags | MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t co_sendmsg(int fd, const struct msghdr *msg, int flags,
                   int64_t deadline)
{
    struct msg_args a = { .msg = (struct msghdr *)msg, .flags = flags };

    if (flags & MSG_DONTWAIT)
        return cancelled() ? -1 : try_sendmsg(fd, &a);
    return io_run(fd, POLLER_WRITE, deadline, try_sendmsg, &a);
}

ssize_t co_write(int fd, const void *buf, size_t len, int64_t deadline)
{
    struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };

    if (fd_own(fd))
        return co_send(fd, buf, len, 0, deadline);
    return io_foreign_writev(fd, &iov, 1, deadline);
}

ssize_t co_writev(int fd, const struct iovec *iov, int count, int64_t deadline)
{
    struct msghdr msg = { .msg_iov = (struct iovec *)iov,
                          .msg_iovlen = (size_t)count };

    if (fd_own(fd) && count >= 0)
        return co_sendmsg(fd, &msg, 0, deadline);
    return io_foreign_writev(fd, iov, count, deadline);
}
