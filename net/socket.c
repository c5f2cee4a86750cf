/* socket.c - the transport of plain sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/conn.h"
#include <errno.h>
#include <signal.h>
#include <sys/sendfile.h>

static ssize_t socket_read(struct net_conn *c, void *buf, size_t len,
                           int64_t deadline)
{
    return co_recv(c->fd, buf, len, 0, deadline);
}

static ssize_t socket_read_into(struct net_conn *c, void *const *buf,
                                size_t len, int64_t deadline)
{
    return co_recv_into(c->fd, buf, len, deadline);
}

static int socket_wait(struct net_conn *c, int64_t deadline)
{
    return co_fd_wait(c->fd, CO_READ, deadline) < 0 ? -1 : 0;
}

static ssize_t socket_write(struct net_conn *c, const void *buf, size_t len,
                            int64_t deadline)
{
    return co_send(c->fd, buf, len, 0, deadline);
}

static ssize_t socket_writev(struct net_conn *c, const struct iovec *iov,
                             int count, bool more, int64_t deadline)
{
    struct msghdr m = { .msg_iov = (struct iovec *)iov,
                        .msg_iovlen = (size_t)count };

    if (more)
        return co_sendmsg(c->fd, &m, MSG_MORE, deadline);
    return co_writev(c->fd, iov, count, deadline);
}

/* sendfile(2) has no MSG_NOSIGNAL.  The signal is sent to this thread, so it
 * can be held off and taken back, unless one was pending before: which only one
 * that was held off before can be. */
static ssize_t quiet_sendfile(int to, int from, off_t offset, size_t len)
{
    static const struct timespec now;
    sigset_t pipe, old, pending;
    ssize_t n;
    int err;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    (void)sigemptyset(&pending);
    (void)pthread_sigmask(SIG_BLOCK, &pipe, &old);
    if (sigismember(&old, SIGPIPE) == 1)
        (void)sigpending(&pending);
    n = sys.sendfile(to, from, &offset, len);
    err = errno;
    /* It also comes when the connection breaks after some were sent. */
    if ((n < 0 ? err == EPIPE : (size_t)n < len) &&
        sigismember(&pending, SIGPIPE) == 0)
        while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
            ;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = err;
    return n;
}

static ssize_t socket_sendfile(struct net_conn *c, int fd, off_t offset,
                               size_t len, int64_t deadline)
{
    for (;;) {
        ssize_t n = quiet_sendfile(c->fd, fd, offset, len);

        if (n >= 0 || (errno != EAGAIN && errno != EINTR))
            return n;
        if (errno == EAGAIN && co_fd_wait(c->fd, CO_WRITE, deadline) < 0)
            return -1;
    }
}

static int socket_shutdown(struct net_conn *c)
{
    return sys.shutdown(c->fd, SHUT_WR);
}

static void socket_close(struct net_conn *c)
{
    /* What close(2) may report concerns data that TCP goes on sending. */
    (void)co_close(c->fd);
}

const struct conn_ops conn_socket_ops = {
    .read = socket_read,
    .read_into = socket_read_into,
    .wait = socket_wait,
    .write = socket_write,
    .writev = socket_writev,
    .sendfile = socket_sendfile,
    .shutdown = socket_shutdown,
    .close = socket_close,
};
