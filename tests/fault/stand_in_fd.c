/* stand_in_fd.c - fault_<name>() for the calls on descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/inject.h"
#include "tests/fault/stand_in.h"
#include <fcntl.h>
#include <stdarg.h>

/* ---- Made and closed
 * --------------------------------------------------------- */

int fault_socket(int domain, int type, int protocol)
{
    return HIT(socket) ? -1 : socket(domain, type, protocol);
}

int fault_socketpair(int domain, int type, int protocol, int *fds)
{
    return HIT(socketpair) ? -1 : socketpair(domain, type, protocol, fds);
}

int fault_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    return HIT(accept4) ? -1 : accept4(fd, addr, len, flags);
}

int fault_eventfd(unsigned count, int flags)
{
    return HIT(eventfd) ? -1 : eventfd(count, flags);
}

int fault_epoll_create1(int flags)
{
    return HIT(epoll_create1) ? -1 : epoll_create1(flags);
}

int fault_timerfd_create(int clock, int flags)
{
    return HIT(timerfd_create) ? -1 : timerfd_create(clock, flags);
}

bool inject_no_tmpfile;

int fault_open(const char *name, int flags, ...)
{
    bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = 0;
    va_list args;

    if ((flags & O_CREAT) != 0 || tmpfile) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (tmpfile && inject_no_tmpfile) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return HIT(open) ? -1 : open(name, flags, mode);
}

/* Never to make a file. */
int fault_openat(int at, const char *name, int flags, ...)
{
    return HIT(openat) ? -1 : openat(at, name, flags);
}

int fault_mkostemp(char *name, int flags)
{
    return HIT(mkostemp) ? -1 : mkostemp(name, flags);
}

int fault_close(int fd)
{
    bool hit = HIT(close);
    int err = errno;
    int r = close(fd);

    if (!hit)
        return r;
    errno = err;
    return -1;
}

/* ---- Waiting
 * ----------------------------------------------------------------- */

int fault_epoll_ctl(int at, int op, int fd, struct epoll_event *event)
{
    enum inject_call part = op == EPOLL_CTL_ADD   ? CALL_epoll_ctl_add
                            : op == EPOLL_CTL_DEL ? CALL_epoll_ctl_del
                                                  : CALL_epoll_ctl;

    if (inject_hit(part, __builtin_return_address(0)))
        return -1;
    return epoll_ctl(at, op, fd, event);
}

int fault_epoll_wait(int at, struct epoll_event *events, int most, int timeout)
{
    return HIT(epoll_wait) ? -1 : epoll_wait(at, events, most, timeout);
}

int fault_poll(struct pollfd *fds, nfds_t count, int timeout)
{
    return HIT(poll) ? -1 : poll(fds, count, timeout);
}

int fault_ppoll(struct pollfd *fds, nfds_t count,
                const struct timespec *timeout, const sigset_t *mask)
{
    return HIT(ppoll) ? -1 : ppoll(fds, count, timeout, mask);
}

/* ---- Reading and writing
 * ------------------------------------------------------ */

ssize_t fault_read(int fd, void *buf, size_t len)
{
    return HIT(read) ? -1 : read(fd, buf, len);
}

ssize_t fault_pread(int fd, void *buf, size_t len, off_t from)
{
    return HIT(pread) ? -1 : pread(fd, buf, len, from);
}

ssize_t fault_pwrite(int fd, const void *buf, size_t len, off_t to)
{
    return HIT(pwrite) ? -1 : pwrite(fd, buf, len, to);
}

ssize_t fault_readv(int fd, const struct iovec *iov, int count)
{
    return HIT(readv) ? -1 : readv(fd, iov, count);
}

ssize_t fault_writev(int fd, const struct iovec *iov, int count)
{
    return HIT(writev) ? -1 : writev(fd, iov, count);
}

ssize_t fault_preadv2(int fd, const struct iovec *iov, int count, off_t from,
                      int flags)
{
    return HIT(preadv2) ? -1 : preadv2(fd, iov, count, from, flags);
}

ssize_t fault_pwritev2(int fd, const struct iovec *iov, int count, off_t from,
                       int flags)
{
    return HIT(pwritev2) ? -1 : pwritev2(fd, iov, count, from, flags);
}

ssize_t fault_recv(int fd, void *buf, size_t len, int flags)
{
    return HIT(recv) ? -1 : recv(fd, buf, len, flags);
}

ssize_t fault_recvfrom(int fd, void *buf, size_t len, int flags,
                       struct sockaddr *addr, socklen_t *addr_len)
{
    return HIT(recvfrom) ? -1 : recvfrom(fd, buf, len, flags, addr, addr_len);
}

ssize_t fault_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return HIT(recvmsg) ? -1 : recvmsg(fd, msg, flags);
}

ssize_t fault_send(int fd, const void *buf, size_t len, int flags)
{
    return HIT(send) ? -1 : send(fd, buf, len, flags);
}

ssize_t fault_sendto(int fd, const void *buf, size_t len, int flags,
                     const struct sockaddr *addr, socklen_t addr_len)
{
    return HIT(sendto) ? -1 : sendto(fd, buf, len, flags, addr, addr_len);
}

ssize_t fault_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return HIT(sendmsg) ? -1 : sendmsg(fd, msg, flags);
}

ssize_t fault_sendfile(int to, int from, off_t *offset, size_t len)
{
    return HIT(sendfile) ? -1 : sendfile(to, from, offset, len);
}

/* ---- Asking and setting
 * ------------------------------------------------------- */

int fault_fcntl(int fd, int op, ...)
{
    enum inject_call part;
    va_list args;
    int arg;

    va_start(args, op);
    arg = va_arg(args, int);
    va_end(args);
    part = op == F_GETFL             ? CALL_fcntl_get
           : (arg & O_NONBLOCK) != 0 ? CALL_fcntl_set
                                     : CALL_fcntl;
    if (inject_hit(part, __builtin_return_address(0)))
        return -1;
    return fcntl(fd, op, arg);
}

ssize_t fault_getrandom(void *buf, size_t len, unsigned flags)
{
    return HIT(getrandom) ? -1 : getrandom(buf, len, flags);
}

int fault_fstat(int fd, struct stat *st)
{
    return HIT(fstat) ? -1 : fstat(fd, st);
}

int fault_fstatat(int fd, const char *name, struct stat *st, int flags)
{
    return HIT(fstatat) ? -1 : fstatat(fd, name, st, flags);
}

ssize_t fault_readlink(const char *name, char *to, size_t size)
{
    return HIT(readlink) ? -1 : readlink(name, to, size);
}

int fault_lstat(const char *name, struct stat *st)
{
    return HIT(lstat) ? -1 : lstat(name, st);
}

int fault_stat(const char *name, struct stat *st)
{
    return HIT(stat) ? -1 : stat(name, st);
}

int fault_linkat(int from_dir, const char *from, int to_dir, const char *to,
                 int flags)
{
    return HIT(linkat) ? -1 : linkat(from_dir, from, to_dir, to, flags);
}

int fault_unlink(const char *name) { return HIT(unlink) ? -1 : unlink(name); }

int fault_bind(int fd, const struct sockaddr *addr, socklen_t len)
{
    return HIT(bind) ? -1 : bind(fd, addr, len);
}

int fault_listen(int fd, int backlog)
{
    return HIT(listen) ? -1 : listen(fd, backlog);
}

int fault_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return HIT(connect) ? -1 : connect(fd, addr, len);
}

int fault_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return HIT(getsockopt) ? -1 : getsockopt(fd, level, name, value, len);
}

int fault_setsockopt(int fd, int level, int name, const void *value,
                     socklen_t len)
{
    return HIT(setsockopt) ? -1 : setsockopt(fd, level, name, value, len);
}

int fault_getsockname(int fd, struct sockaddr *addr, socklen_t *len)
{
    return HIT(getsockname) ? -1 : getsockname(fd, addr, len);
}

int fault_getpeername(int fd, struct sockaddr *addr, socklen_t *len)
{
    return HIT(getpeername) ? -1 : getpeername(fd, addr, len);
}

int fault_shutdown(int fd, int how)
{
    return HIT(shutdown) ? -1 : shutdown(fd, how);
}
