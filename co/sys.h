/* sys.h - the calls of libc that hooks may shadow, as the runtime makes them.
 *
 * Private to co/ and net/.  A process that has corten-hook in it has other
 * functions of these names, which call the runtime.  So the runtime calls
 * through this table, which corten-hook sets to libc's own before anything
 * else; without corten-hook they are what the names mean.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SYS_H
#define CO_SYS_H

#include "co/hidden.h"
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* clang-format off */
#define SYS_CALLS(X)                                                           \
    X(ssize_t, read, (int fd, void *buf, size_t len), (fd, buf, len))          \
    X(ssize_t, write, (int fd, const void *buf, size_t len), (fd, buf, len))   \
    X(ssize_t, readv, (int fd, const struct iovec *iov, int n), (fd, iov, n))  \
    X(ssize_t, writev, (int fd, const struct iovec *iov, int n), (fd, iov, n)) \
    X(ssize_t, preadv2, (int fd, const struct iovec *iov, int n, off_t at,     \
        int flags), (fd, iov, n, at, flags))                                   \
    X(ssize_t, pwritev2, (int fd, const struct iovec *iov, int n, off_t at,    \
        int flags), (fd, iov, n, at, flags))                                   \
    X(ssize_t, recv, (int fd, void *buf, size_t len, int flags),               \
        (fd, buf, len, flags))                                                 \
    X(ssize_t, send, (int fd, const void *buf, size_t len, int flags),         \
        (fd, buf, len, flags))                                                 \
    X(ssize_t, recvfrom, (int fd, void *buf, size_t len, int flags,            \
        struct sockaddr *addr, socklen_t *alen),                               \
        (fd, buf, len, flags, addr, alen))                                     \
    X(ssize_t, sendto, (int fd, const void *buf, size_t len, int flags,        \
        const struct sockaddr *addr, socklen_t alen),                          \
        (fd, buf, len, flags, addr, alen))                                     \
    X(ssize_t, recvmsg, (int fd, struct msghdr *msg, int flags),               \
        (fd, msg, flags))                                                      \
    X(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags),         \
        (fd, msg, flags))                                                      \
    X(ssize_t, sendfile, (int out, int in, off_t *at, size_t len),             \
        (out, in, at, len))                                                    \
    X(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len,            \
        int flags), (fd, addr, len, flags))                                    \
    X(int, connect, (int fd, const struct sockaddr *addr, socklen_t len),      \
        (fd, addr, len))                                                       \
    X(int, socket, (int domain, int type, int protocol),                       \
        (domain, type, protocol))                                              \
    X(int, shutdown, (int fd, int how), (fd, how))                             \
    X(int, close, (int fd), (fd))                                              \
    X(int, getsockopt, (int fd, int level, int name, void *value,              \
        socklen_t *len), (fd, level, name, value, len))                        \
    X(int, setsockopt, (int fd, int level, int name, const void *value,        \
        socklen_t len), (fd, level, name, value, len))                         \
    X(int, poll, (struct pollfd *fds, nfds_t n, int ms), (fds, n, ms))         \
    X(int, ppoll, (struct pollfd *fds, nfds_t n, const struct timespec *time,  \
        const sigset_t *mask), (fds, n, time, mask))                           \
    X(int, epoll_wait, (int fd, struct epoll_event *events, int max, int ms),  \
        (fd, events, max, ms))                                                 \
    X(int, getaddrinfo, (const char *node, const char *service,                \
        const struct addrinfo *hints, struct addrinfo **list),                 \
        (node, service, hints, list))                                          \
    X(int, eventfd, (unsigned initial, int flags), (initial, flags))           \
    X(int, timerfd_create, (int clock, int flags), (clock, flags))
/* clang-format on */

struct sys {
#define SYS_FIELD(type, name, params, args) type(*name) params;
    SYS_CALLS(SYS_FIELD)
#undef SYS_FIELD
    int (*open)(const char *path, int flags, ...);
    int (*fcntl)(int fd, int op, ...);
    int (*ioctl)(int fd, unsigned long op, ...);
};
extern HIDDEN struct sys sys;

#pragma GCC visibility push(default)

/* For corten-hook, before there are other threads. */
void co_sys_set(const struct sys *libc);

/* fd has just come from the kernel, as a socket, and all that closes it will
 * say so by co_close(), co_fd_forget() or this.  -1 with ENOMEM.  [any] */
int co_sys_fresh(int fd);

/* Whoever waits for fd tries again: after shutdown(2), of which the kernel does
 * not make an event for all that wait.  [any] */
void co_sys_look(int fd);

/* As co_read() of a socket that co_sys_fresh() told of, when it is a stream
 * over which no descriptors are passed: as for TCP, what came back short is not
 * asked again before there is an event. */
ssize_t co_sys_recv(int fd, void *buf, size_t len, int64_t deadline);

struct sched;

/* The scheduler that this thread runs now, or NULL.  Only the runtime writes
 * it; what asks for it in every call of libc asks without a call of its own. */
extern _Thread_local struct sched *co_sys_thread
    __attribute__((tls_model("initial-exec")));

/* As co_accept(), with the flags of accept4(2) for the new one. */
int co_sys_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags,
                  int64_t deadline);

/* Before a call on a descriptor that will not wait: a coroutine whose
 * descriptors are always ready gives way now and then.  -1 ECANCELED when it
 * was cancelled.  [co] */
int co_sys_begin(void);

/* The turn of its scheduler's loop that the caller runs in: a number that no
 * other turn has while the schedulers are the same.  What woke coroutines in a
 * turn happened before it began.  0 outside a coroutine. */
uint64_t co_sys_turn(void);

/* Before a long wait: gives back the pages of the stack that calls which have
 * returned used.  [co] */
void co_sys_trim(void);

/* One try of readv(2) or writev(2) that never blocks the thread, whatever fd
 * is: EAGAIN when it would.  On sockets without SIGPIPE. */
ssize_t co_sys_try(int fd, const struct iovec *iov, int count, bool write);

/* Called when a coroutine is switched away from, and when it goes on: what a
 * library keeps for each thread, and coroutines should not share, is taken
 * away, and given back.  take() returns NULL when there is nothing; drop() is
 * for one that ends.  All three for this process, for good. */
void co_sys_guest(void *(*take)(void), void (*give)(void *kept),
                  void (*drop)(void));

#pragma GCC visibility pop

#endif
