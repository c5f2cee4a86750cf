/* hook_copy.c - sendfile and splice.
 *
 * Neither has a flag that keeps it from waiting for a socket in blocking mode.
 * There the bytes go through a buffer; non-blocking descriptors get the call
 * itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

static bool is_kind(int fd, mode_t kind)
{
    struct stat st;

    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/* Until fd is ready, when it is of a kind that one waits for. */
static int wait_end(int fd, int events)
{
    int64_t deadline;

    if (is_kind(fd, S_IFREG) || is_kind(fd, S_IFBLK))
        return 0;
    deadline = hook_deadline(fd, events);
    if (deadline == CO_NOWAIT) {
        errno = EAGAIN;
        return -1;
    }
    if (co_fd_wait(fd, events, deadline) >= 0)
        return 0;
    hook_timed_out(deadline);
    return -1;
}

/* ---- sendfile
 * -----------------------------------------------------------------
 */

static ssize_t copy_file(int out, int in, off_t *at, size_t len, char *buf)
{
    size_t done = 0;
    ssize_t n = 0, written;

    while (done < len) {
        size_t want = len - done < CHUNK ? len - done : CHUNK;

        n = pread(in, buf, want, *at);
        if (n <= 0)
            break;
        written = hook_write(out, buf, (size_t)n);
        if (written > 0) {
            *at += written;
            done += (size_t)written;
        }
        if (written < n) {
            n = written;
            break;
        }
    }
    return done > 0 ? (ssize_t)done : n;
}

ssize_t hook_sendfile(int out, int in, off_t *at, size_t len)
{
    off_t place;
    char *buf;
    ssize_t r;
    int err;

    if (hook_plain() || len == 0 || !is_kind(in, S_IFREG) ||
        is_kind(out, S_IFREG) || hook_deadline(out, CO_WRITE) == CO_NOWAIT)
        return real.sendfile(out, in, at, len);
    place = at != NULL ? *at : lseek(in, 0, SEEK_CUR);
    if (place < 0 || (buf = malloc(CHUNK)) == NULL)
        return real.sendfile(out, in, at, len);
    r = copy_file(out, in, &place, len, buf);
    if (r == 0 && is_kind(out, S_IFIFO)) /* which is asked even so */
        r = wait_end(out, CO_WRITE) < 0 ? -1 : real.sendfile(out, in, at, len);
    err = errno;
    free(buf);
    if (at != NULL)
        *at = place;
    else if (r > 0)
        (void)lseek(in, place, SEEK_SET); /* worked a moment ago */
    errno = err;
    return r;
}
HOOK_NAME(sendfile, hook_sendfile);
HOOK_NAME(sendfile64, hook_sendfile);

/* ---- splice
 * -------------------------------------------------------------------
 */

/* Whether nothing can be sent any more. */
static bool is_broken(int out)
{
    struct pollfd p = { .fd = out };

    if (real.poll(&p, 1, 0) > 0)
        return true;
    return hook_is_stream(out) &&
           real.send(out, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
           errno == EPIPE;
}

/* A pipe into a socket that may wait: what was read must be written.  So one
 * waits first until it can be, and leaves it in the pipe otherwise. */
static ssize_t copy_pipe(int in, int out, size_t len)
{
    struct pollfd from = { .fd = in, .events = POLLIN };
    struct pollfd to = { .fd = out, .events = POLLOUT };
    struct hook_wait w = { 0 };
    char *buf;
    ssize_t n, written = 0;
    int err;

    if (real.poll(&from, 1, 0) == 0 && wait_end(in, CO_READ) < 0)
        return -1;
    while (!is_broken(out) && real.poll(&to, 1, 0) == 0)
        if (hook_wait(&w, out, CO_WRITE) < 0)
            return -1;
    if (is_broken(out))
        return hook_real.splice(in, NULL, out, NULL, len, SPLICE_F_NONBLOCK);
    buf = malloc(CHUNK);
    if (buf == NULL)
        return -1;
    n = hook_read(in, buf, len < CHUNK ? len : CHUNK);
    if (n > 0)
        written = hook_write(out, buf, (size_t)n);
    err = errno;
    free(buf);
    errno = err;
    return n > 0 ? written : n;
}

ssize_t hook_splice(int in, off64_t *in_at, int out, off64_t *out_at,
                    size_t len, unsigned flags)
{
    bool from_pipe, to_pipe, from_socket;
    int err = errno;
    ssize_t r;

    if (hook_plain() || len == 0 || (flags & SPLICE_F_NONBLOCK))
        return hook_real.splice(in, in_at, out, out_at, len, flags);
    from_pipe = is_kind(in, S_IFIFO);
    to_pipe = is_kind(out, S_IFIFO);
    if (!from_pipe && !to_pipe)
        return hook_real.splice(in, in_at, out, out_at, len, flags);
    if (from_pipe && is_kind(out, S_IFSOCK) && in_at == NULL &&
        out_at == NULL && hook_deadline(out, CO_WRITE) != CO_NOWAIT)
        return copy_pipe(in, out, len);
    /* The flag is the pipe's: a socket may wait in spite of it. */
    from_socket = is_kind(in, S_IFSOCK) && in_at == NULL &&
                  hook_deadline(in, CO_READ) != CO_NOWAIT;
    do {
        if (from_socket && wait_end(in, CO_READ) < 0)
            return -1;
        r = hook_real.splice(in, in_at, out, out_at, len,
                             flags | SPLICE_F_NONBLOCK);
    } while (r < 0 && errno == EAGAIN && wait_end(in, CO_READ) == 0 &&
             wait_end(out, CO_WRITE) == 0);
    return hook_result(err, r);
}
HOOK_NAME(splice, hook_splice);
