/* hook_mode.c - see hook_mode.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <fcntl.h>
#include <sys/time.h>

enum { LOOK_MOST = 100 * 1000 * 1000 };

_Atomic(uint8_t) hook_modes[MODE_FDS];
_Atomic(uint32_t) hook_timeouts[MODE_FDS];

/* In ns; CO_FOREVER for none, and for what is no socket. */
static int64_t ask_timeout(int fd, int events)
{
    struct timeval t = { 0 };
    socklen_t len = sizeof t;
    int name = events == CO_WRITE ? SO_SNDTIMEO : SO_RCVTIMEO;

    if (real.getsockopt(fd, SOL_SOCKET, name, &t, &len) < 0 ||
        (t.tv_sec == 0 && t.tv_usec == 0))
        return CO_FOREVER;
    if (t.tv_sec > CO_FOREVER / CO_SECOND / 2)
        return CO_FOREVER;
    return t.tv_sec * CO_SECOND + t.tv_usec * CO_USEC;
}

/* What the kernel made of it, which counts in ticks. */
void hook_timeout_changed(int fd)
{
    unsigned mode = hook_mode(fd) & ~(unsigned)MODE_RCVTIMED;
    int err = errno;
    int64_t ns;

    mode |= MODE_RCVTIMEO;
    if (mode & MODE_KNOWN) {
        ns = ask_timeout(fd, CO_READ);
        if (ns == CO_FOREVER) {
            mode &= ~(unsigned)MODE_RCVTIMEO;
        } else if (ns / CO_MSEC < UINT32_MAX) {
            atomic_store_explicit(&hook_timeouts[fd],
                                  (uint32_t)((ns - 1) / CO_MSEC + 1),
                                  memory_order_relaxed);
            mode |= MODE_RCVTIMED;
        }
    }
    hook_mode_set(fd, mode);
    errno = err;
}

int64_t hook_deadline(int fd, int events)
{
    unsigned mode = hook_mode(fd);
    unsigned timeo = events == CO_WRITE ? MODE_SNDTIMEO : MODE_RCVTIMEO;
    int err = errno;
    int64_t deadline = CO_FOREVER;

    if (!(mode & MODE_KNOWN)) {
        int flags = real.fcntl(fd, F_GETFL);

        mode = flags >= 0 && (flags & O_NONBLOCK) ? MODE_NONBLOCK : timeo;
    }
    if (mode & MODE_NONBLOCK)
        deadline = CO_NOWAIT;
    else if (events != CO_WRITE && (mode & MODE_RCVTIMED))
        deadline = co_after(hook_timeout(fd));
    else if (mode & timeo)
        deadline = co_after(ask_timeout(fd, events));
    errno = err;
    return deadline;
}

void hook_timed_out(int64_t deadline)
{
    if (errno == ETIMEDOUT && deadline != CO_FOREVER && co_now() >= deadline)
        errno = EAGAIN;
}

/* Who is late, as others ran meanwhile, takes what has come all the same: the
 * kernel looks before it says that time is up. */
ssize_t hook_timed(int fd, void *buf, size_t len, int64_t deadline, ssize_t n)
{
    struct pollfd end = { .fd = fd, .events = POLLRDHUP };

    if (n >= 0 || errno != ETIMEDOUT || co_now() < deadline)
        return n;
    n = real.recv(fd, buf, len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN && real.poll(&end, 1, 0) > 0 &&
        (end.revents & POLLRDHUP))
        n = 0; /* as after shutdown(2) of a socket for datagrams */
    return n;
}

/* When somebody waits to write to a unix socket, and the other side, which does
 * not read, shuts its reading down, that is EPIPE; but no event tells of it.
 * So one looks, less and less often. */
static int wait_and_look(struct hook_wait *w, int fd, int events)
{
    int64_t until = co_after(w->look);

    if (w->look == 0 || until >= w->deadline)
        return co_fd_wait(fd, events, w->deadline) < 0 ? -1 : 0;
    w->look = w->look < LOOK_MOST / 2 ? 2 * w->look : LOOK_MOST;
    if (co_fd_wait(fd, events, until) >= 0)
        return 0;
    return errno == ETIMEDOUT && co_now() >= until ? 0 : -1;
}

int hook_wait(struct hook_wait *w, int fd, int events)
{
    struct pollfd end = { .fd = fd, .events = POLLRDHUP };

    if (w->deadline != 0 && events == CO_READ && real.poll(&end, 1, 0) > 0 &&
        (end.revents & POLLRDHUP))
        return 1;
    if (w->deadline == 0) {
        w->deadline = hook_deadline(fd, events);
        if (w->deadline == CO_NOWAIT) {
            errno = EAGAIN;
            return -1;
        }
        if (events == CO_WRITE && hook_is_unix(fd))
            w->look = CO_MSEC;
    }
    if (wait_and_look(w, fd, events) == 0)
        return 0;
    hook_timed_out(w->deadline);
    return -1;
}
