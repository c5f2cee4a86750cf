/* io_foreign.c - see io_foreign.h.
 *
 * Nothing is remembered of a number, since it can be closed and made again
 * behind our back.  In turn:
 *
 *   1. sendmsg with MSG_DONTWAIT, for writes: sockets, without SIGPIPE.
 *   2. preadv2, pwritev2 with RWF_NOWAIT: sockets, pipes, eventfds, timerfds,
 *      regular files that are in memory.
 *   3. Where that is not supported, or the file is not in memory: regular files
 *      and block devices are simply read; FIFOs and terminals are opened again
 *      through /proc/self/fd, in non-blocking mode, for this one call;
 *      whatever else is there is called once poll(2) says that it is ready.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/io_foreign.h"
#include "co/co.h"
#include "co/io.h"
#include "co/overflow.h"
#include "co/poller.h"
#include "co/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct vec {
    const struct iovec *iov;
    int count;
    bool write;
    bool again; /* it was tried before */
};

static ssize_t call(int fd, const struct vec *v)
{
    return v->write ? sys.writev(fd, v->iov, v->count)
                    : sys.readv(fd, v->iov, v->count);
}

/* Opens what fd refers to once more, without blocking, for one call. */
static ssize_t call_reopened(int fd, const struct vec *v)
{
    char name[32];
    int again, err;
    ssize_t n;

    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    again = sys.open(name, (v->write ? O_WRONLY : O_RDONLY) | O_NONBLOCK |
                               O_NOCTTY | O_CLOEXEC);
    if (again < 0)
        return -2; /* no /proc, or not permitted: do without */
    n = call(again, v);
    err = errno;
    (void)sys.close(again);
    errno = err;
    return n;
}

/* Opening the master's side of a terminal again makes another terminal. */
static bool is_tty_slave(int fd)
{
    unsigned number;

    return isatty(fd) && sys.ioctl(fd, TIOCGPTN, &number) < 0;
}

/* The last resort: ready now, and then called; and at most what there is room
 * for then. */
static ssize_t call_when_ready(int fd, const struct vec *v, size_t room)
{
    struct iovec first;
    struct vec less = { .iov = &first, .count = 1, .write = v->write };
    int ready = io_poll(fd, v->write ? CO_WRITE : CO_READ);

    if (ready < 0)
        return -1;
    if (ready == 0) {
        errno = EAGAIN;
        return -1;
    }
    if (!v->write)
        return call(fd, v);
    /* The other end of a terminal is just being closed: a write that found no
     * room then would sleep for ever (Linux 6.18: the last close wakes writers
     * before it counts as one). */
    if (!(ready & CO_WRITE) && isatty(fd)) {
        errno = EIO;
        return -1;
    }
    for (int i = 0; i < v->count - 1 && v->iov->iov_len == 0; i++)
        less.iov++;
    first = v->iov[0];
    if (first.iov_len > room)
        first.iov_len = room;
    return call(fd, &less);
}

static size_t length(const struct vec *v)
{
    size_t sum = 0;

    for (int i = 0; i < v->count; i++)
        sum += v->iov[i].iov_len;
    return sum;
}

static ssize_t call_by_kind(int fd, const struct vec *v)
{
    struct stat st;
    int flags = sys.fcntl(fd, F_GETFL);
    size_t room = PIPE_BUF; /* of a pipe, as poll(2) promises */
    ssize_t n = -2;

    if (flags < 0 || fstat(fd, &st) < 0)
        return -1;
    if ((flags & O_NONBLOCK) || S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) ||
        S_ISDIR(st.st_mode))
        return call(fd, v);
    if ((st.st_mode & S_IFMT) == 0 && v->write && length(v) < sizeof(uint64_t))
        return call(fd, v); /* EINVAL of an eventfd, full or not */
    if (S_ISFIFO(st.st_mode) || (S_ISCHR(st.st_mode) && is_tty_slave(fd)))
        n = call_reopened(fd, v);
    if (S_ISCHR(st.st_mode) && isatty(fd))
        room = 1; /* no more is promised */
    return n == -2 ? call_when_ready(fd, v, room) : n;
}

/* What one cannot wait for: such a file never blocks for long. */
static bool is_disk(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

/* A regular file that was partly in memory: the rest from the disk, as read(2)
 * and write(2) do. */
static ssize_t finish_file(int fd, const struct vec *v, size_t done)
{
    int i = 0;

    if (!is_disk(fd))
        return (ssize_t)done;
    for (size_t skip = done; i < v->count; i++) {
        struct iovec rest = v->iov[i];
        struct vec one = { .iov = &rest, .count = 1, .write = v->write };
        ssize_t n;

        if (skip >= rest.iov_len) {
            skip -= rest.iov_len;
            continue;
        }
        rest.iov_base = (char *)rest.iov_base + skip;
        rest.iov_len -= skip;
        skip = 0;
        n = call(fd, &one);
        if (n <= 0)
            break; /* the end, or an error that the next call will find */
        done += (size_t)n;
        if ((size_t)n < rest.iov_len)
            break;
    }
    return (ssize_t)done;
}

static ssize_t try_vec(int fd, void *args)
{
    struct vec *v = args;
    ssize_t n;

    if (v->write) {
        struct msghdr msg = { .msg_iov = (struct iovec *)v->iov,
                              .msg_iovlen = (size_t)v->count };

        n = sys.sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0 || errno != ENOTSOCK)
            return n;
        n = sys.pwritev2(fd, v->iov, v->count, -1, RWF_NOWAIT);
    } else {
        n = sys.preadv2(fd, v->iov, v->count, -1, RWF_NOWAIT);
    }
    if (n > 0 && (size_t)n < length(v))
        return finish_file(fd, v, (size_t)n);
    if (n < 0 && errno == EAGAIN) { /* not in memory, or not ready */
        if (is_disk(fd))
            return call(fd, v);
        errno = EAGAIN;
        /* A socket for datagrams that was shut down is ready for ever. */
        if (!v->write && v->again && io_ended(fd))
            n = 0;
        v->again = true;
    }
    /* EINVAL is the call's own: what has no such operation, or wants more
     * room.  Linux 4.14 knows the flag. */
    if (n < 0 && (errno == EOPNOTSUPP || errno == ENOSYS))
        return call_by_kind(fd, v);
    return n;
}

ssize_t co_sys_try(int fd, const struct iovec *iov, int count, bool write)
{
    struct vec v = { .iov = iov, .count = count, .write = write };

    return try_vec(fd, &v);
}

static ssize_t run(int fd, struct vec *v, int64_t deadline)
{
    ssize_t n;

    if (v->count < 0 || v->count > IOV_MAX) {
        errno = EINVAL;
        return -1;
    }
    n = io_run(fd, v->write ? POLLER_WRITE : POLLER_READ, deadline, try_vec, v);
    if (n < 0 && errno == EFAULT)
        for (int i = 0; i < v->count; i++)
            overflow_check(v->iov[i].iov_base, v->iov[i].iov_len);
    return n;
}

ssize_t io_foreign_readv(int fd, const struct iovec *iov, int count,
                         int64_t deadline)
{
    struct vec v = { .iov = iov, .count = count };

    return run(fd, &v, deadline);
}

ssize_t io_foreign_writev(int fd, const struct iovec *iov, int count,
                          int64_t deadline)
{
    struct vec v = { .iov = iov, .count = count, .write = true };

    return run(fd, &v, deadline);
}
