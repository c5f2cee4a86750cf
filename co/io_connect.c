/* io_connect.c - making sockets, accepting and connecting.
 *
 * On a description that is in blocking mode, accept and connect can only be
 * kept from blocking by the flag of the description itself: it is set for the
 * length of the one system call, and nobody else of us does so meanwhile, or
 * closes the number: the flag could not be taken away again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/io.h"
#include "co/sys.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t flags_lock = PTHREAD_MUTEX_INITIALIZER;

void io_settle_flags(void)
{
    (void)pthread_mutex_lock(&flags_lock);
    (void)pthread_mutex_unlock(&flags_lock);
}

void io_forsake(void)
{
    flags_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* F_GETFL, of what nobody is about to close. */
static int flags_of(int fd)
{
    fd_word *w = fd_word_make(fd);

    if (w == NULL && errno == ENOMEM)
        return -1;
    if (w != NULL && (atomic_load(w) & FD_WORD_CLOSING)) {
        errno = EBADF;
        return -1;
    }
    return sys.fcntl(fd, F_GETFL);
}

/* The flags to go back to, -2 when it is not blocking, -1 on failure.  Looks
 * under the lock, too: the flag that is there may be another thread's, about to
 * be taken away.  Only our own keep it, unless the number changed hands. */
static int begin_nonblock(int fd)
{
    int flags;

    if (fd_own(fd) && (flags = sys.fcntl(fd, F_GETFL)) >= 0 &&
        (flags & O_NONBLOCK))
        return -2;
    (void)pthread_mutex_lock(&flags_lock);
    flags = flags_of(fd);
    if (flags >= 0 && (flags & O_NONBLOCK))
        flags = -2;
    else if (flags >= 0 && sys.fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        flags = -1;
    if (flags < 0)
        (void)pthread_mutex_unlock(&flags_lock);
    return flags;
}

static void end_nonblock(int fd, int flags)
{
    int err = errno;

    if (flags == -2)
        return;
    (void)sys.fcntl(fd, F_SETFL, flags); /* it was possible a moment ago */
    (void)pthread_mutex_unlock(&flags_lock);
    errno = err;
}

/* fd is new: 0 once it is known as ours, else it is closed. */
static int adopt(int fd)
{
    int err;

    if (fd_fresh(fd) == 0)
        return fd;
    err = errno;
    (void)sys.close(fd);
    errno = err;
    return -1;
}

int co_socket(int domain, int type, int protocol)
{
    int fd = sys.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

    return fd < 0 ? -1 : adopt(fd);
}

int co_sys_fresh(int fd) { return fd_fresh(fd); }

void co_sys_look(int fd) { fd_look(fd); }

struct accept_args {
    struct sockaddr *addr;
    socklen_t *len;
    socklen_t size;
    int flags;
    bool again; /* it was tried before */
};

static ssize_t try_accept(int fd, void *args)
{
    struct accept_args *a = args;
    int flags = begin_nonblock(fd);
    int r;

    if (flags == -1)
        return -1;
    if (a->len != NULL)
        *a->len = a->size;
    r = sys.accept4(fd, a->addr, a->len, a->flags);
    end_nonblock(fd, flags);
    /* Who waits on a unix socket is told of its shutdown(2), who only tries is
     * not. */
    if (r < 0 && errno == EAGAIN && a->again)
        errno = io_poll(fd, CO_HUP) > 0 ? EINVAL : EAGAIN;
    a->again = true;
    return r;
}

int co_sys_accept(int fd, struct sockaddr *addr, socklen_t *len, int flags,
                  int64_t deadline)
{
    struct accept_args a = { addr, len, len != NULL ? *len : 0, flags, false };
    ssize_t r = io_run(fd, POLLER_READ, deadline, try_accept, &a);

    return r < 0 ? -1 : adopt((int)r);
}

int co_accept(int fd, struct sockaddr *addr, socklen_t *len, int64_t deadline)
{
    return co_sys_accept(fd, addr, len, SOCK_NONBLOCK | SOCK_CLOEXEC, deadline);
}

struct connect_args {
    const struct sockaddr *addr;
    socklen_t len;
};

static int connect_once(int fd, const struct connect_args *a)
{
    int flags = begin_nonblock(fd);
    int r;

    if (flags == -1)
        return -1;
    r = sys.connect(fd, a->addr, a->len);
    end_nonblock(fd, flags);
    return r;
}

/* A unix socket whose listener's queue is full says EAGAIN, and no event tells
 * when there is room: look again, less and less often. */
static int pause_busy(int fd, uint32_t gen, int64_t *pause, int64_t deadline)
{
    int64_t until = co_after(*pause);

    if (until > deadline)
        until = deadline;
    if (deadline <= CO_NOWAIT || co_now() >= deadline) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (co_sleep_until(until) < 0)
        return -1;
    if (fd_gen(fd) != gen) {
        errno = EBADF;
        return -1;
    }
    if (*pause < 100 * CO_MSEC)
        *pause *= 2;
    return 0;
}

/* After EINPROGRESS the kernel goes on without us, and tells the next who
 * connects how it ended; until it has told, the socket is in between. */
int co_connect(int fd, const struct sockaddr *addr, socklen_t len,
               int64_t deadline)
{
    struct connect_args a = { addr, len };
    int64_t pause = CO_MSEC;
    uint32_t gen = fd_gen(fd);
    bool begun = false;

    if (io_cancelled())
        return -1;
    while (connect_once(fd, &a) < 0) {
        if (errno == EINPROGRESS || (begun && errno == EALREADY)) {
            begun = true;
            if (co_fd_wait(fd, CO_WRITE, deadline) < 0)
                return -1;
            if (fd_gen(fd) != gen) {
                errno = EBADF;
                return -1;
            }
        } else if (begun && errno == EISCONN) { /* another one was told */
            return 0;
        } else if (errno != EINTR &&
                   (errno != EAGAIN ||
                    pause_busy(fd, gen, &pause, deadline) < 0)) {
            return -1;
        }
    }
    return 0;
}
