/* hook_io.c - read and write.
 *
 * Each is tried without blocking, with the caller's own flags; what would have
 * blocked waits, if the descriptor's mode says so, and is tried again.  A
 * blocking write goes on until all is written.  Sockets that the hooks made and
 * that are in blocking mode without time-outs, the usual case, take the short
 * way through co_read() and hook_send().
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void __chk_fail(void) __attribute__((noreturn));

/* ---- Reading ----------------------------------------------------------------
 */

static ssize_t read_vec(int fd, const struct iovec *iov, int n)
{
    struct hook_wait w = { 0 };
    int64_t begin = hook_slow_begin();
    int err = errno;
    ssize_t r;
    int ended;

    while ((r = co_sys_try(fd, iov, n, false)) < 0 && errno == EAGAIN) {
        ended = hook_wait(&w, fd, CO_READ);
        if (ended < 0)
            return -1;
        if (ended > 0)
            return hook_result(err, 0);
        begin = hook_slow_begin();
    }
    hook_slow_end("read", begin);
    return hook_result(err, r);
}

__attribute__((noinline)) static ssize_t read_known(int fd, void *buf,
                                                    size_t len)
{
    int err = errno;

    return hook_result(err, co_read(fd, buf, len, CO_FOREVER));
}

__attribute__((noinline)) static ssize_t read_timed(int fd, void *buf,
                                                    size_t len)
{
    int64_t deadline = co_after(hook_timeout(fd));
    int err = errno;
    ssize_t n = co_read(fd, buf, len, deadline);

    return hook_result(err, hook_timed(fd, buf, len, deadline, n));
}

__attribute__((noinline)) static ssize_t read_other(int fd, void *buf,
                                                    size_t len)
{
    return read_vec(fd, &(struct iovec){ buf, len }, 1);
}

/* On a thread without coroutines it shall cost next to nothing: what needs a
 * frame of its own is elsewhere. */
ssize_t hook_read(int fd, void *buf, size_t len)
{
    if (hook_plain() || len == 0) /* EINVAL or 0, but not for long */
        return real.read(fd, buf, len);
    switch (hook_mode(fd)) {
    case MODE_KNOWN:
    case MODE_KNOWN | MODE_SOCKET:
        return read_known(fd, buf, len);
    case MODE_KNOWN | MODE_SOCKET | MODE_RCVTIMEO | MODE_RCVTIMED:
        return read_timed(fd, buf, len);
    case MODE_KNOWN | MODE_NONBLOCK:
    case MODE_KNOWN | MODE_NONBLOCK | MODE_SOCKET:
        return real.read(fd, buf, len);
    default:
        return read_other(fd, buf, len);
    }
}
HOOK_NAME(read, hook_read);
HOOK_NAME(__read, hook_read);

ssize_t hook_read_chk(int fd, void *buf, size_t len, size_t size)
{
    if (len > size)
        __chk_fail();
    return hook_read(fd, buf, len);
}
HOOK_NAME(__read_chk, hook_read_chk);

ssize_t hook_readv(int fd, const struct iovec *iov, int n)
{
    if (hook_plain() || n < 0 || n > IOV_MAX)
        return real.readv(fd, iov, n);
    return read_vec(fd, iov, n);
}
HOOK_NAME(readv, hook_readv);

/* At a place of its own, a file cannot be one that waits. */
ssize_t hook_preadv2(int fd, const struct iovec *iov, int n, off_t at,
                     int flags)
{
    if (hook_plain() || at != -1 || flags != 0 || n < 0 || n > IOV_MAX)
        return real.preadv2(fd, iov, n, at, flags);
    return read_vec(fd, iov, n);
}
HOOK_NAME(preadv2, hook_preadv2);
HOOK_NAME(preadv64v2, hook_preadv2);

/* Files that have places do not wait; they may take the thread. */
ssize_t hook_pread(int fd, void *buf, size_t len, off_t at)
{
    int64_t begin = hook_plain() ? 0 : hook_slow_begin();
    ssize_t r = hook_real.pread(fd, buf, len, at);

    hook_slow_end("pread", begin);
    return r;
}
HOOK_NAME(pread, hook_pread);
HOOK_NAME(pread64, hook_pread);
HOOK_NAME(__pread64, hook_pread);

ssize_t hook_pread_chk(int fd, void *buf, size_t len, off_t at, size_t size)
{
    if (len > size)
        __chk_fail();
    return hook_pread(fd, buf, len, at);
}
HOOK_NAME(__pread_chk, hook_pread_chk);
HOOK_NAME(__pread64_chk, hook_pread_chk);

/* ---- Writing ----------------------------------------------------------------
 */

int hook_skip_vec(const struct iovec *iov, int n, size_t skip,
                  struct iovec *place)
{
    int left = 0;

    for (int i = 0; i < n; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        place[left].iov_base = (char *)iov[i].iov_base + skip;
        place[left++].iov_len = iov[i].iov_len - skip;
        skip = 0;
    }
    return left;
}

static size_t vec_length(const struct iovec *iov, int n)
{
    size_t sum = 0;

    for (int i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}

/* One try from byte done on; the whole vector when done is 0. */
static ssize_t try_write(int fd, const struct iovec *iov, int n, size_t done)
{
    struct iovec few[16] = { { 0 } }, *left = few;
    ssize_t r;

    if (done == 0)
        return co_sys_try(fd, iov, n, true);
    if (n > 16 && (left = malloc((size_t)n * sizeof *left)) == NULL)
        return -1;
    n = hook_skip_vec(iov, n, done, left);
    r = co_sys_try(fd, left, n, true);
    if (left != few)
        free(left);
    return r;
}

static ssize_t write_vec(int fd, const struct iovec *iov, int n)
{
    struct hook_wait w = { 0 };
    int64_t begin = hook_slow_begin();
    int err = errno;
    size_t done = 0;
    ssize_t r;

    for (;;) {
        r = try_write(fd, iov, n, done);
        if (r >= 0) {
            done += (size_t)r;
            if (r == 0 || done >= vec_length(iov, n))
                break;
        } else if (errno != EAGAIN || hook_wait(&w, fd, CO_WRITE) < 0) {
            break;
        } else {
            begin = hook_slow_begin();
        }
    }
    hook_slow_end("write", begin);
    if (done > 0)
        r = (ssize_t)done;
    else if (r < 0 && errno == EPIPE)
        hook_broken_pipe(fd, 0, w.deadline != 0);
    return hook_result(err, r);
}

/* What is sent of nothing: an empty datagram may have to wait, an eventfd wants
 * more, pipes take it. */
static ssize_t write_nothing(int fd, const void *buf)
{
    struct iovec nothing = { (void *)buf, 0 };
    ssize_t r = write_vec(fd, &nothing, 1);

    return r == 0 && !hook_is_socket(fd) ? real.write(fd, buf, 0) : r;
}

__attribute__((noinline)) static ssize_t write_other(int fd, const void *buf,
                                                     size_t len)
{
    return write_vec(fd, &(struct iovec){ (void *)buf, len }, 1);
}

/* A number that was a socket, and was closed by a call that is not hooked, may
 * be something else by now. */
__attribute__((noinline)) static ssize_t write_socket(int fd, const void *buf,
                                                      size_t len)
{
    int err = errno;
    ssize_t r = hook_send(fd, buf, len, 0);

    if (__builtin_expect(r >= 0 || errno != ENOTSOCK, 1))
        return r;
    hook_mode_set(fd, 0);
    errno = err;
    return write_other(fd, buf, len);
}

ssize_t hook_write(int fd, const void *buf, size_t len)
{
    if (hook_plain())
        return real.write(fd, buf, len);
    if (len == 0)
        return write_nothing(fd, buf);
    switch (hook_mode(fd)) {
    case MODE_KNOWN | MODE_SOCKET:
    case MODE_KNOWN | MODE_SOCKET | MODE_RCVTIMEO | MODE_RCVTIMED:
        return write_socket(fd, buf, len);
    case MODE_KNOWN | MODE_NONBLOCK:
    case MODE_KNOWN | MODE_NONBLOCK | MODE_SOCKET:
        return real.write(fd, buf, len);
    default:
        return write_other(fd, buf, len);
    }
}
HOOK_NAME(write, hook_write);
HOOK_NAME(__write, hook_write);

/* Of no bytes, a vector sends nothing, where write() and sendmsg() send an
 * empty datagram, or are told of an error.  What only the kernel can say of a
 * pointer is left to it, as far as that is the usual one, NULL or near it. */
static bool is_empty(const struct iovec *iov, int n)
{
    return n == 0 || ((uintptr_t)iov >= 4096 && vec_length(iov, n) == 0);
}

ssize_t hook_writev(int fd, const struct iovec *iov, int n)
{
    if (hook_plain() || n < 0 || n > IOV_MAX || is_empty(iov, n))
        return real.writev(fd, iov, n);
    return write_vec(fd, iov, n);
}
HOOK_NAME(writev, hook_writev);

ssize_t hook_pwritev2(int fd, const struct iovec *iov, int n, off_t at,
                      int flags)
{
    if (hook_plain() || at != -1 || flags != 0 || n < 0 || n > IOV_MAX ||
        is_empty(iov, n))
        return real.pwritev2(fd, iov, n, at, flags);
    return write_vec(fd, iov, n);
}
HOOK_NAME(pwritev2, hook_pwritev2);
HOOK_NAME(pwritev64v2, hook_pwritev2);

/* libc's own do no more, but call read and write by names of their own. */
int hook_eventfd_read(int fd, uint64_t *value)
{
    return hook_read(fd, value, sizeof *value) == sizeof *value ? 0 : -1;
}
HOOK_NAME(eventfd_read, hook_eventfd_read);

int hook_eventfd_write(int fd, uint64_t value)
{
    return hook_write(fd, &value, sizeof value) == sizeof value ? 0 : -1;
}
HOOK_NAME(eventfd_write, hook_eventfd_write);
