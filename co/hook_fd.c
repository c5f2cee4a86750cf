/* hook_fd.c - descriptors made, copied, changed and closed.
 *
 * Most of these never block: they are here so that what is known of a number
 * (its mode, and in the runtime who waits for it) stays true.  So they also do
 * it on threads that run no coroutine, once a runtime is up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include "co/hook_ssl.h"
#include <fcntl.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

#ifndef SO_RCVTIMEO_NEW
enum { SO_RCVTIMEO_NEW = 66, SO_SNDTIMEO_NEW = 67 };
#endif

/* Whether there is a runtime that wants to know. */
static bool is_down(void) { return hook_off || co_sched_at(0) == NULL; }

/* ---- Made
 * ---------------------------------------------------------------------
 */

/* fd, if it is one, is new.  A socket's registration may be trusted then. */
static int made(int fd, unsigned mode)
{
    if (fd < 0)
        return fd;
    hook_mode_set(fd, mode);
    if (is_down())
        return fd;
    if (mode & MODE_SOCKET) {
        (void)co_sys_fresh(fd); /* without memory it is a foreign one */
        hook_ssl_look();
    } else {
        co_fd_forget(fd);
    }
    return fd;
}

static unsigned mode_of(int flags) /* SOCK_NONBLOCK is O_NONBLOCK */
{
    return MODE_KNOWN | (flags & O_NONBLOCK ? MODE_NONBLOCK : 0);
}

int hook_socket(int domain, int type, int protocol)
{
    return made(real.socket(domain, type, protocol),
                mode_of(type) | MODE_SOCKET);
}
HOOK_NAME(socket, hook_socket);

static int made_two(int r, const int *fds, unsigned mode)
{
    if (r == 0) {
        (void)made(fds[0], mode);
        (void)made(fds[1], mode);
    }
    return r;
}

int hook_socketpair(int domain, int type, int protocol, int *fds)
{
    return made_two(hook_real.socketpair(domain, type, protocol, fds), fds,
                    mode_of(type) | MODE_SOCKET);
}
HOOK_NAME(socketpair, hook_socketpair);

int hook_pipe2(int *fds, int flags)
{
    return made_two(hook_real.pipe2(fds, flags), fds, mode_of(flags));
}
HOOK_NAME(pipe2, hook_pipe2);

int hook_pipe(int *fds)
{
    return made_two(hook_real.pipe(fds), fds, MODE_KNOWN);
}
HOOK_NAME(pipe, hook_pipe);
HOOK_NAME(__pipe, hook_pipe);

int hook_eventfd(unsigned initial, int flags)
{
    return made(real.eventfd(initial, flags), mode_of(flags));
}
HOOK_NAME(eventfd, hook_eventfd);

int hook_timerfd_create(int clock, int flags)
{
    return made(real.timerfd_create(clock, flags), mode_of(flags));
}
HOOK_NAME(timerfd_create, hook_timerfd_create);

int hook_signalfd(int fd, const sigset_t *mask, int flags)
{
    int r = hook_real.signalfd(fd, mask, flags);

    return fd == -1 ? made(r, mode_of(flags)) : r;
}
HOOK_NAME(signalfd, hook_signalfd);

/* ---- Connections
 * --------------------------------------------------------------
 */

int hook_accept4(int fd, struct sockaddr *addr, socklen_t *len, int flags)
{
    unsigned mode = hook_mode(fd);
    int64_t deadline = hook_plain() ? CO_NOWAIT : hook_deadline(fd, CO_READ);
    int r, err = errno;

    if (deadline == CO_NOWAIT)
        r = real.accept4(fd, addr, len, flags);
    else
        r = co_sys_accept(fd, addr, len, flags, deadline);
    if (r < 0 && deadline != CO_NOWAIT)
        hook_timed_out(deadline);
    /* It inherits the time-outs, but not O_NONBLOCK. */
    if (!(mode & MODE_KNOWN))
        mode = MODE_RCVTIMEO | MODE_SNDTIMEO;
    mode &= MODE_RCVTIMEO | MODE_SNDTIMEO;
    return (int)hook_result(err, made(r, mode_of(flags) | MODE_SOCKET | mode));
}
HOOK_NAME(accept4, hook_accept4);

int hook_accept(int fd, struct sockaddr *addr, socklen_t *len)
{
    return hook_accept4(fd, addr, len, 0);
}
HOOK_NAME(accept, hook_accept);

int hook_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    bool others = false; /* another call began to connect, we wait, too */
    int64_t deadline;
    int r, err = errno;

    if (hook_plain())
        return real.connect(fd, addr, len);
    deadline = hook_deadline(fd, CO_WRITE);
    if (deadline == CO_NOWAIT)
        return real.connect(fd, addr, len);
    while ((r = co_connect(fd, addr, len, deadline)) < 0 && errno == EALREADY) {
        others = true;
        if (co_fd_wait(fd, CO_WRITE, deadline) < 0)
            break;
    }
    if (r == 0 || (others && errno == EISCONN))
        return (int)hook_result(err, 0);
    /* connect(2): a time-out of the socket leaves it in progress. */
    hook_timed_out(deadline);
    if (errno == EAGAIN && addr->sa_family != AF_UNIX)
        errno = others ? EALREADY : EINPROGRESS;
    return -1;
}
HOOK_NAME(connect, hook_connect);
HOOK_NAME(__connect, hook_connect);

int hook_shutdown(int fd, int how)
{
    int r = real.shutdown(fd, how);

    if (r == 0 && !is_down())
        co_sys_look(fd);
    return r;
}
HOOK_NAME(shutdown, hook_shutdown);

/* ---- Changed
 * ------------------------------------------------------------------
 */

/* The description has a second descriptor, or another process has it: what it
 * is may change behind our back. */
static void forget_mode(int fd)
{
    hook_mode_set(fd, hook_mode(fd) & MODE_SOCKET);
}

static void set_nonblock(int fd, bool on)
{
    unsigned mode = hook_mode(fd);

    if (mode & MODE_KNOWN)
        hook_mode_set(fd, on ? mode | MODE_NONBLOCK
                             : mode & ~(unsigned)MODE_NONBLOCK);
}

static int duplicated(int from, int to)
{
    if (to < 0)
        return to;
    forget_mode(from);
    hook_mode_set(to, 0);
    if (!is_down())
        co_fd_forget(to);
    return to;
}

int hook_fcntl(int fd, int op, ...)
{
    va_list more;
    void *arg;
    int r;

    va_start(more, op);
    arg = va_arg(more, void *);
    va_end(more);
    r = real.fcntl(fd, op, arg);
    if (r >= 0 && (op == F_DUPFD || op == F_DUPFD_CLOEXEC))
        return duplicated(fd, r);
    if (r >= 0 && op == F_SETFL)
        set_nonblock(fd, (int)(intptr_t)arg & O_NONBLOCK);
    return r;
}
HOOK_NAME(fcntl, hook_fcntl);
HOOK_NAME(fcntl64, hook_fcntl);
HOOK_NAME(__fcntl, hook_fcntl);

int hook_ioctl(int fd, unsigned long op, ...)
{
    va_list more;
    void *arg;
    int r;

    va_start(more, op);
    arg = va_arg(more, void *);
    va_end(more);
    r = real.ioctl(fd, op, arg);
    if (r >= 0 && op == FIONBIO)
        set_nonblock(fd, *(int *)arg != 0);
    return r;
}
HOOK_NAME(ioctl, hook_ioctl);

int hook_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return real.getsockopt(fd, level, name, value, len);
}
HOOK_NAME(getsockopt, hook_getsockopt);

int hook_setsockopt(int fd, int level, int name, const void *value,
                    socklen_t len)
{
    int r = real.setsockopt(fd, level, name, value, len);

    if (r == 0 && level == SOL_SOCKET) {
        if (name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW)
            hook_timeout_changed(fd);
        if (name == SO_SNDTIMEO || name == SO_SNDTIMEO_NEW)
            hook_mode_set(fd, hook_mode(fd) | MODE_SNDTIMEO);
    }
    return r;
}
HOOK_NAME(setsockopt, hook_setsockopt);

int hook_dup(int fd) { return duplicated(fd, hook_real.dup(fd)); }
HOOK_NAME(dup, hook_dup);

/* The old file of `to` is closed by the call, when that succeeds. */
int hook_dup2(int from, int to)
{
    int r = hook_real.dup2(from, to);

    return from == to ? r : duplicated(from, r);
}
HOOK_NAME(dup2, hook_dup2);
HOOK_NAME(__dup2, hook_dup2);

int hook_dup3(int from, int to, int flags)
{
    return duplicated(from, hook_real.dup3(from, to, flags));
}
HOOK_NAME(dup3, hook_dup3);

/* From now on libc closes it, past the hooks. */
FILE *hook_fdopen(int fd, const char *mode)
{
    FILE *f = hook_real.fdopen(fd, mode);

    if (f != NULL)
        hook_mode_set(fd, 0);
    return f;
}
HOOK_NAME(fdopen, hook_fdopen);
HOOK_NAME(_IO_fdopen, hook_fdopen);

/* ---- Closed
 * -------------------------------------------------------------------
 */

int hook_close(int fd)
{
    int64_t begin;
    int r;

    hook_mode_set(fd, 0);
    if (is_down())
        return real.close(fd);
    begin = co_self() != NULL ? hook_slow_begin() : 0;
    r = co_close(fd);
    hook_slow_end("close", begin);
    return r;
}
HOOK_NAME(close, hook_close);
HOOK_NAME(__close, hook_close);

int hook_close_range(unsigned first, unsigned last, int flags)
{
    int r = hook_real.close_range(first, last, flags);
    long most = sysconf(_SC_OPEN_MAX);

    if (r < 0 || (flags & (int)CLOSE_RANGE_CLOEXEC))
        return r;
    if (most > 0 && last > (unsigned long)most)
        last = (unsigned)most;
    for (unsigned fd = first; fd <= last; fd++) {
        hook_mode_set((int)fd, 0);
        if (!is_down())
            co_fd_forget((int)fd);
    }
    return r;
}
HOOK_NAME(close_range, hook_close_range);

void hook_closefrom(int first)
{
    int err = errno;

    (void)hook_close_range(first < 0 ? 0 : (unsigned)first, ~0U, 0);
    errno = err;
}
HOOK_NAME(closefrom, hook_closefrom);
