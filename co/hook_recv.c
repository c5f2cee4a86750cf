/* hook_recv.c - what receives.
 *
 * Each is tried without blocking, and after a wait again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"

void __chk_fail(void) __attribute__((noreturn));

/* Whether the call cannot wait, whatever the descriptor's mode is. */
static bool never_waits(int flags)
{
    return flags & (MSG_DONTWAIT | MSG_ERRQUEUE);
}

static int receive_events(int flags)
{
    return flags & MSG_OOB ? CO_PRI : CO_READ;
}

/* -1 when fd is no socket. */
static int ask_socket(int fd, int option)
{
    int value = -1, err = errno;
    socklen_t len = sizeof value;

    (void)real.getsockopt(fd, SOL_SOCKET, option, &value, &len);
    errno = err;
    return value;
}

bool hook_is_stream(int fd) { return ask_socket(fd, SO_TYPE) == SOCK_STREAM; }

bool hook_is_unix(int fd) { return ask_socket(fd, SO_DOMAIN) == AF_UNIX; }

bool hook_is_socket(int fd) { return ask_socket(fd, SO_TYPE) >= 0; }

/* Of a unix socket the kernel shows what is there, and does not wait for more.
 */
bool hook_peek_again(int fd, ssize_t got, size_t want, int flags,
                     struct hook_wait *w)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };

    if ((flags & (MSG_PEEK | MSG_WAITALL)) != (MSG_PEEK | MSG_WAITALL) ||
        got <= 0 || (size_t)got >= want || !hook_is_stream(fd) ||
        hook_is_unix(fd))
        return false;
    if (w->deadline == 0)
        w->deadline = hook_deadline(fd, CO_READ);
    if (co_now() >= w->deadline || real.poll(&p, 1, 0) > 0)
        return false;
    return co_sleep_until(co_after(CO_MSEC)) == 0;
}

/* Of a stream several tries, which are told apart by what only recvmsg(2)
 * says. */
static ssize_t receive_all(int fd, void *buf, size_t len, int flags,
                           struct sockaddr *addr, socklen_t *addr_len)
{
    struct iovec iov = { buf, len };
    struct msghdr msg = { .msg_name = addr,
                          .msg_namelen = addr_len != NULL ? *addr_len : 0,
                          .msg_iov = &iov,
                          .msg_iovlen = 1 };
    ssize_t r = hook_recvmsg(fd, &msg, flags);

    if (r >= 0 && addr != NULL && addr_len != NULL)
        *addr_len = msg.msg_namelen;
    return r;
}

ssize_t hook_recvfrom(int fd, void *buf, size_t len, int flags,
                      struct sockaddr *addr, socklen_t *addr_len)
{
    struct hook_wait w = { 0 };
    socklen_t size = addr_len != NULL ? *addr_len : 0;
    int err = errno, ended = 0;
    ssize_t r;

    if (hook_plain() || never_waits(flags))
        return real.recvfrom(fd, buf, len, flags, addr, addr_len);
    if ((flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL)
        return receive_all(fd, buf, len, flags, addr, addr_len);
    while (ended == 0) {
        if (addr_len != NULL)
            *addr_len = size;
        r = real.recvfrom(fd, buf, len, flags | MSG_DONTWAIT, addr, addr_len);
        if (r < 0 && errno == EAGAIN)
            ended = hook_wait(&w, fd, receive_events(flags));
        else if (!hook_peek_again(fd, r, len, flags, &w))
            return hook_result(err, r);
    }
    if (ended < 0)
        return -1;
    if (addr != NULL && addr_len != NULL)
        *addr_len = 0;
    return hook_result(err, 0);
}
HOOK_NAME(recvfrom, hook_recvfrom);

ssize_t hook_recvfrom_chk(int fd, void *buf, size_t len, size_t size, int flags,
                          struct sockaddr *addr, socklen_t *addr_len)
{
    if (len > size)
        __chk_fail();
    return hook_recvfrom(fd, buf, len, flags, addr, addr_len);
}
HOOK_NAME(__recvfrom_chk, hook_recvfrom_chk);

__attribute__((noinline)) static ssize_t recv_known(int fd, void *buf,
                                                    size_t len)
{
    int err = errno;

    return hook_result(err, co_recv(fd, buf, len, 0, CO_FOREVER));
}

__attribute__((noinline)) static ssize_t recv_timed(int fd, void *buf,
                                                    size_t len)
{
    int64_t deadline = co_after(hook_timeout(fd));
    int err = errno;
    ssize_t n = co_recv(fd, buf, len, 0, deadline);

    return hook_result(err, hook_timed(fd, buf, len, deadline, n));
}

ssize_t hook_recv(int fd, void *buf, size_t len, int flags)
{
    if (hook_plain())
        return real.recv(fd, buf, len, flags);
    if (flags == 0) {
        switch (hook_mode(fd)) {
        case MODE_KNOWN | MODE_SOCKET:
            return recv_known(fd, buf, len);
        case MODE_KNOWN | MODE_SOCKET | MODE_RCVTIMEO | MODE_RCVTIMED:
            return recv_timed(fd, buf, len);
        default:
            break;
        }
    }
    return hook_recvfrom(fd, buf, len, flags, NULL, NULL);
}
HOOK_NAME(recv, hook_recv);

ssize_t hook_recv_chk(int fd, void *buf, size_t len, size_t size, int flags)
{
    if (len > size)
        __chk_fail();
    return hook_recv(fd, buf, len, flags);
}
HOOK_NAME(__recv_chk, hook_recv_chk);
