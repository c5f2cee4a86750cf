/* hook_send.c - what sends.
 *
 * The first try raises SIGPIPE as the kernel does; later ones do not, since
 * whoever waits in the kernel is told other things first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"

void hook_broken_pipe(int fd, int flags, bool waited)
{
    socklen_t len = sizeof(int);
    int err = 0, domain = 0;

    if (waited && real.getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) == 0 &&
        err != 0) {
        errno = err;
        return;
    }
    if (waited)
        (void)real.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len);
    if (!(flags & MSG_NOSIGNAL) && domain != AF_UNIX && hook_is_stream(fd))
        (void)raise(SIGPIPE);
    errno = EPIPE;
}

/* The short way, for a socket in blocking mode.  Only streams are ever written
 * in parts. */
static ssize_t send_known(int fd, const void *buf, size_t len, int flags)
{
    int err = errno;
    size_t done = 0;
    ssize_t r;

    if (co_sys_begin() < 0)
        return -1;
    r = real.send(fd, buf, len, flags | MSG_DONTWAIT);
    if (r == (ssize_t)len || (r < 0 && errno != EAGAIN))
        return hook_result(err, r);
    done = r > 0 ? (size_t)r : 0;
    if (hook_is_unix(fd)) { /* whose waits are hook_wait()'s */
        r = hook_sendto(fd, (const char *)buf + done, len - done,
                        flags | (done > 0 ? MSG_NOSIGNAL : 0), NULL, 0);
        if (done > 0)
            r = (ssize_t)done + (r > 0 ? r : 0);
        return hook_result(err, r);
    }
    for (; done < len; done += (size_t)r)
        if ((r = co_send(fd, (const char *)buf + done, len - done, flags,
                         CO_FOREVER)) <= 0)
            break;
    if (done > 0)
        r = (ssize_t)done;
    else if (r < 0 && errno == EPIPE)
        hook_broken_pipe(fd, flags, true);
    return hook_result(err, r);
}

ssize_t hook_sendto(int fd, const void *buf, size_t len, int flags,
                    const struct sockaddr *addr, socklen_t addr_len)
{
    struct hook_wait w = { 0 };
    int err = errno, quiet = 0; /* the first try raises SIGPIPE itself */
    size_t done = 0;
    ssize_t r;

    if (hook_plain() || (flags & MSG_DONTWAIT))
        return real.sendto(fd, buf, len, flags, addr, addr_len);
    for (;; quiet = MSG_NOSIGNAL) {
        r = real.sendto(fd, (const char *)buf + done, len - done,
                        flags | quiet | MSG_DONTWAIT, addr, addr_len);
        if (r > 0)
            done += (size_t)r;
        if (r < 0 ? errno != EAGAIN || hook_wait(&w, fd, CO_WRITE) < 0
                  : r == 0 || done >= len)
            break;
    }
    if (done > 0)
        r = (ssize_t)done;
    else if (r < 0 && errno == EPIPE && quiet != 0)
        hook_broken_pipe(fd, flags, true);
    return hook_result(err, r);
}
HOOK_NAME(sendto, hook_sendto);

ssize_t hook_send(int fd, const void *buf, size_t len, int flags)
{
    if (hook_plain())
        return real.send(fd, buf, len, flags);
    if ((flags & ~MSG_NOSIGNAL) == 0) {
        switch (hook_mode(fd)) {
        case MODE_KNOWN | MODE_SOCKET:
        case MODE_KNOWN | MODE_SOCKET | MODE_RCVTIMEO | MODE_RCVTIMED:
            return send_known(fd, buf, len, flags);
        default:
            break;
        }
    }
    return hook_sendto(fd, buf, len, flags, NULL, 0);
}
HOOK_NAME(send, hook_send);
HOOK_NAME(__send, hook_send);
