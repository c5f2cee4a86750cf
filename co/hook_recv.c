/* hook_recv.c - what receives.
 *
 * Each is tried without blocking, and after a wait again.  MSG_WAITALL of a
 * stream is several tries; what the kernel does once, at the first or at the
 * last of them, is done once here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <sys/ioctl.h>

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

/* Whether the next try would say no more than an error. */
static bool has_failed(int fd)
{
    struct pollfd p = { .fd = fd };
    int queued = 0;

    return real.poll(&p, 1, 0) > 0 && (p.revents & POLLERR) &&
           !hook_is_unix(fd) && real.ioctl(fd, FIONREAD, &queued) == 0 &&
           queued == 0;
}

/* more: something came before, by another call. */
static ssize_t receive(int fd, void *buf, size_t len, int flags,
                       struct sockaddr *addr, socklen_t *addr_len, bool more)
{
    struct hook_wait w = { 0 };
    socklen_t size = addr_len != NULL ? *addr_len : 0;
    size_t done = 0;
    int err = errno;
    ssize_t r;

    for (;; more = more || done > 0) {
        if (more && has_failed(fd)) {
            r = -1;
            break;
        }
        if (done > 0) { /* the name came with the first part */
            addr = NULL;
            addr_len = NULL;
        }
        if (addr_len != NULL)
            *addr_len = size;
        r = real.recvfrom(fd, done > 0 ? (char *)buf + done : buf, len - done,
                          flags | MSG_DONTWAIT, addr, addr_len);
        if (r < 0 && errno == EAGAIN) {
            int ended = hook_wait(&w, fd, receive_events(flags));

            if (ended == 0)
                continue;
            r = ended > 0 ? 0 : -1;
            if (ended > 0 && addr != NULL && addr_len != NULL)
                *addr_len = 0;
        } else if (hook_peek_again(fd, r, len, flags, &w)) {
            continue;
        } else if (r > 0 && (size_t)r < len - done &&
                   (flags & (MSG_WAITALL | MSG_PEEK)) == MSG_WAITALL &&
                   hook_is_stream(fd)) {
            done += (size_t)r;
            continue;
        }
        break;
    }
    if (done > 0)
        r = (ssize_t)done + (r > 0 ? r : 0);
    return hook_result(err, r);
}

ssize_t hook_recvfrom(int fd, void *buf, size_t len, int flags,
                      struct sockaddr *addr, socklen_t *addr_len)
{
    if (hook_plain() || never_waits(flags))
        return real.recvfrom(fd, buf, len, flags, addr, addr_len);
    return receive(fd, buf, len, flags, addr, addr_len, false);
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

ssize_t hook_recv_rest(int fd, void *buf, size_t len, int flags)
{
    return receive(fd, buf, len, flags, NULL, NULL, true);
}

ssize_t hook_recv(int fd, void *buf, size_t len, int flags)
{
    int err = errno;

    if (hook_plain())
        return real.recv(fd, buf, len, flags);
    if (flags == 0 && hook_mode(fd) == (MODE_KNOWN | MODE_SOCKET))
        return hook_result(err, co_recv(fd, buf, len, 0, CO_FOREVER));
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
