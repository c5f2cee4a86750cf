/* hook_open.c - open, which waits when the file is a FIFO.
 *
 * Opening one end of a FIFO waits for the other.  Here it is opened without
 * waiting, which for reading always works and for writing as soon as there is a
 * reader, and then put into blocking mode, if that was asked for, once the
 * other end is there.  No event tells of that: one looks, less and less often.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <fcntl.h>
#include <stdarg.h>
#include <unistd.h>

void __chk_fail(void) __attribute__((noreturn));

enum { PAUSE_MOST = 20 * 1000 * 1000 };

static bool needs_mode(int flags)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
}

/* Whether fd, the reading end of a FIFO in non-blocking mode, has had a writer:
 * a copy of its bytes says "no end yet", or poll(2) that there was one. */
static bool has_writer(int fd, const int *scratch)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    if (real.poll(&p, 1, 0) > 0)
        return true;
    return tee(fd, scratch[1], 1, SPLICE_F_NONBLOCK) < 0 && errno == EAGAIN;
}

static int pause_for(int64_t *pause)
{
    if (co_sleep_until(co_after(*pause)) < 0)
        return -1;
    *pause = *pause < PAUSE_MOST / 2 ? *pause * 2 : PAUSE_MOST;
    return 0;
}

static int wait_for_writer(int fd)
{
    int64_t pause = 100 * CO_USEC;
    int scratch[2], r = 0, err;

    if (hook_real.pipe2(scratch, O_NONBLOCK | O_CLOEXEC) < 0)
        return -1;
    while (r == 0 && !has_writer(fd, scratch))
        r = pause_for(&pause);
    err = errno;
    (void)real.close(scratch[0]);
    (void)real.close(scratch[1]);
    errno = err;
    return r;
}

static int open_fifo(int dir, const char *path, int flags, mode_t mode)
{
    int64_t pause = 100 * CO_USEC;
    int fd, err;

    while ((fd = hook_real.openat(dir, path, flags | O_NONBLOCK, mode)) < 0)
        if (errno != ENXIO || pause_for(&pause) < 0)
            return -1;
    if (((flags & O_ACCMODE) != O_RDONLY || wait_for_writer(fd) == 0) &&
        real.fcntl(fd, F_SETFL, flags & ~(O_CREAT | O_EXCL | O_TRUNC)) == 0)
        return fd;
    err = errno;
    (void)real.close(fd);
    errno = err;
    return -1;
}

static bool is_fifo(int dir, const char *path)
{
    struct stat st;
    int err = errno;
    bool yes =
        path != NULL && fstatat(dir, path, &st, 0) == 0 && S_ISFIFO(st.st_mode);

    errno = err;
    return yes;
}

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    bool plain = hook_plain();
    int64_t begin = plain ? 0 : hook_slow_begin();
    int fd;

    if (!plain && (flags & (O_NONBLOCK | O_PATH)) == 0 &&
        (flags & O_ACCMODE) != O_RDWR && is_fifo(dir, path)) {
        fd = open_fifo(dir, path, flags, mode);
        begin = 0;
    } else {
        fd = hook_real.openat(dir, path, flags, mode);
    }
    hook_slow_end("open", begin);
    if (fd >= 0)
        hook_mode_set(fd, 0);
    if (fd >= 0 && !plain)
        co_fd_forget(fd); /* the number is a new file's */
    return fd;
}

int hook_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list more;

    if (needs_mode(flags)) {
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return open_any(AT_FDCWD, path, flags, mode);
}
HOOK_NAME(open, hook_open);
HOOK_NAME(open64, hook_open);
HOOK_NAME(__open, hook_open);
HOOK_NAME(__open64, hook_open);

int hook_openat(int dir, const char *path, int flags, ...)
{
    mode_t mode = 0;
    va_list more;

    if (needs_mode(flags)) {
        va_start(more, flags);
        mode = va_arg(more, mode_t);
        va_end(more);
    }
    return open_any(dir, path, flags, mode);
}
HOOK_NAME(openat, hook_openat);
HOOK_NAME(openat64, hook_openat);

/* Fortified programs call these where no mode is given. */
int hook_open_2(const char *path, int flags)
{
    if (needs_mode(flags))
        __chk_fail();
    return open_any(AT_FDCWD, path, flags, 0);
}
HOOK_NAME(__open_2, hook_open_2);
HOOK_NAME(__open64_2, hook_open_2);

int hook_openat_2(int dir, const char *path, int flags)
{
    if (needs_mode(flags))
        __chk_fail();
    return open_any(dir, path, flags, 0);
}
HOOK_NAME(__openat_2, hook_openat_2);
HOOK_NAME(__openat64_2, hook_openat_2);
