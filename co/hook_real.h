/* hook_real.h - the hooked names, and libc's own functions behind them.
 *
 * Private to co/.  A row of the two tables is a name; hook_bind.c makes of it
 * what finds libc's function at the first call, and what the self-test looks
 * at.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HOOK_REAL_H
#define CO_HOOK_REAL_H

#include "co/co.h"
#include "co/sys.h"
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>

/* clang-format off */
#define HOOK_CALLS(X)                                                          \
    X(int, recvmmsg, (int fd, struct mmsghdr *v, unsigned n, int flags,        \
        struct timespec *time), (fd, v, n, flags, time))                       \
    X(int, sendmmsg, (int fd, struct mmsghdr *v, unsigned n, int flags),       \
        (fd, v, n, flags))                                                     \
    X(ssize_t, splice, (int in, off64_t *in_at, int out, off64_t *out_at,      \
        size_t len, unsigned flags), (in, in_at, out, out_at, len, flags))     \
    X(ssize_t, pread, (int fd, void *buf, size_t len, off_t at),               \
        (fd, buf, len, at))                                                    \
    X(int, eventfd_read, (int fd, uint64_t *value), (fd, value))               \
    X(int, eventfd_write, (int fd, uint64_t value), (fd, value))               \
    X(int, accept, (int fd, struct sockaddr *addr, socklen_t *len),            \
        (fd, addr, len))                                                       \
    X(int, dup, (int fd), (fd))                                                \
    X(int, dup2, (int from, int to), (from, to))                               \
    X(int, dup3, (int from, int to, int flags), (from, to, flags))             \
    X(FILE *, fdopen, (int fd, const char *mode), (fd, mode))                  \
    X(int, close_range, (unsigned first, unsigned last, int flags),            \
        (first, last, flags))                                                  \
    X(int, socketpair, (int domain, int type, int protocol, int *fds),         \
        (domain, type, protocol, fds))                                         \
    X(int, pipe, (int *fds), (fds))                                            \
    X(int, pipe2, (int *fds, int flags), (fds, flags))                         \
    X(int, signalfd, (int fd, const sigset_t *mask, int flags),                \
        (fd, mask, flags))                                                     \
    X(int, select, (int n, fd_set *r, fd_set *w, fd_set *e,                    \
        struct timeval *time), (n, r, w, e, time))                             \
    X(int, pselect, (int n, fd_set *r, fd_set *w, fd_set *e,                   \
        const struct timespec *time, const sigset_t *mask),                    \
        (n, r, w, e, time, mask))                                              \
    X(int, epoll_pwait, (int fd, struct epoll_event *events, int max, int ms,  \
        const sigset_t *mask), (fd, events, max, ms, mask))                    \
    X(int, epoll_pwait2, (int fd, struct epoll_event *events, int max,         \
        const struct timespec *time, const sigset_t *mask),                    \
        (fd, events, max, time, mask))                                         \
    X(unsigned, sleep, (unsigned s), (s))                                      \
    X(int, usleep, (useconds_t us), (us))                                      \
    X(int, nanosleep, (const struct timespec *time, struct timespec *left),    \
        (time, left))                                                          \
    X(int, clock_nanosleep, (clockid_t clock, int flags,                       \
        const struct timespec *time, struct timespec *left),                   \
        (clock, flags, time, left))                                            \
    X(int, sched_yield, (void), ())                                            \
    X(int, getnameinfo, (const struct sockaddr *addr, socklen_t len,           \
        char *host, socklen_t host_len, char *service, socklen_t service_len,  \
        int flags), (addr, len, host, host_len, service, service_len, flags))  \
    X(struct hostent *, gethostbyname, (const char *name), (name))             \
    X(struct hostent *, gethostbyname2, (const char *name, int af),            \
        (name, af))                                                            \
    X(struct hostent *, gethostbyaddr, (const void *addr, socklen_t len,       \
        int af), (addr, len, af))                                              \
    X(int, gethostbyname_r, (const char *name, struct hostent *ret, char *buf, \
        size_t len, struct hostent **result, int *err),                        \
        (name, ret, buf, len, result, err))                                    \
    X(int, gethostbyname2_r, (const char *name, int af, struct hostent *ret,   \
        char *buf, size_t len, struct hostent **result, int *err),             \
        (name, af, ret, buf, len, result, err))                                \
    X(int, gethostbyaddr_r, (const void *addr, socklen_t alen, int af,         \
        struct hostent *ret, char *buf, size_t len, struct hostent **result,   \
        int *err), (addr, alen, af, ret, buf, len, result, err))

/* Further names, and whose hook they have. */
#define HOOK_ALIASES(X)                                                        \
    X(open, open) X(open64, open) X(__open, open) X(__open64, open)            \
    X(openat, openat) X(openat64, openat)                                      \
    X(__open_2, open_2) X(__open64_2, open_2)                                  \
    X(__openat_2, openat_2) X(__openat64_2, openat_2)                          \
    X(fcntl, fcntl) X(fcntl64, fcntl) X(__fcntl, fcntl) X(ioctl, ioctl)        \
    X(closefrom, closefrom) X(__close, close) X(__dup2, dup2)                  \
    X(_IO_fdopen, fdopen) X(__pipe, pipe) X(sendfile64, sendfile)                                    \
    X(preadv64v2, preadv2) X(pwritev64v2, pwritev2)                            \
    X(__read, read) X(__write, write) X(__connect, connect) X(__send, send)    \
    X(__poll, poll) X(__select, select) X(__nanosleep, nanosleep)              \
    X(__sched_yield, sched_yield)                                              \
    X(pread64, pread) X(__pread64, pread)                                      \
    X(__pread_chk, pread_chk) X(__pread64_chk, pread_chk)                      \
    X(__read_chk, read_chk) X(__recv_chk, recv_chk)                            \
    X(__recvfrom_chk, recvfrom_chk)                                            \
    X(__poll_chk, poll_chk) X(__ppoll_chk, ppoll_chk)
/* clang-format on */

struct hook_real {
    struct sys sys;
    int (*openat)(int dir, const char *path, int flags, ...);
#define HOOK_FIELD(type, name, params, args) type(*name) params;
    HOOK_CALLS(HOOK_FIELD)
#undef HOOK_FIELD
};
extern HIDDEN struct hook_real hook_real;
#define real hook_real.sys

extern HIDDEN bool hook_off;        /* CORTEN_HOOK=off */
extern HIDDEN int64_t hook_slow_ns; /* CORTEN_HOOK_SLOW, or 0 */

/* The hook of a name is hook_NAME() here, and has its real name, and those of
 * its aliases, by this, in the file that defines it. */
#define HOOK_NAME(name, function)                                              \
    __asm__(".globl " #name "\n.type " #name ", %function\n.set " #name        \
            ", " #function "\n")

#define HOOK_DECLARE(type, name, params, args) type hook_##name params;
SYS_CALLS(HOOK_DECLARE)
HOOK_CALLS(HOOK_DECLARE)
#undef HOOK_DECLARE
int hook_open(const char *path, int flags, ...);
int hook_openat(int dir, const char *path, int flags, ...);
int hook_open_2(const char *path, int flags);
int hook_openat_2(int dir, const char *path, int flags);
int hook_fcntl(int fd, int op, ...);
int hook_ioctl(int fd, unsigned long op, ...);
void hook_closefrom(int first);
ssize_t hook_read_chk(int fd, void *buf, size_t len, size_t size);
ssize_t hook_pread_chk(int fd, void *buf, size_t len, off_t at, size_t size);
ssize_t hook_recv_chk(int fd, void *buf, size_t len, size_t size, int flags);
ssize_t hook_recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags,
                          struct sockaddr *addr, socklen_t *addr_len);
int hook_poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size);
int hook_ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time,
                   const sigset_t *mask, size_t size);

/* Whether this call is not ours: no coroutine runs here. */
static inline bool hook_plain(void)
{
    return co_sys_thread == NULL || co_self() == NULL ||
           __builtin_expect(hook_off, 0);
}

/* Around a call that takes the thread: begins with hook_slow_begin(), 0 when
 * nobody asked. */
int64_t hook_slow_begin(void);
void hook_slow_end(const char *name, int64_t begin);

#endif
