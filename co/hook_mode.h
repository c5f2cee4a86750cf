/* hook_mode.h - whether a call on a descriptor waits, and until when.
 *
 * Private to co/.  The truth stands in the kernel: O_NONBLOCK in the
 * description, the time-outs in the socket.  Asking costs a system call or two
 * a wait, so what the hooks made or changed themselves is remembered by the
 * number, until a hook closes it, or a second descriptor for the same
 * description is made, through which it could change unseen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HOOK_MODE_H
#define CO_HOOK_MODE_H

#include "co/hook_real.h"
#include <stdatomic.h>

enum {
    MODE_KNOWN = 1,    /* the bits below are true */
    MODE_NONBLOCK = 2, /* O_NONBLOCK */
    MODE_RCVTIMEO = 4, /* there may be such a time-out: ask */
    MODE_SNDTIMEO = 8,
    MODE_SOCKET = 16,   /* it is one */
    MODE_RCVTIMED = 32, /* besides MODE_RCVTIMEO: it is hook_timeout(fd) */
    MODE_FDS = 1 << 20  /* numbers above are never remembered */
};

extern HIDDEN _Atomic(uint8_t) hook_modes[MODE_FDS];

static inline unsigned hook_mode(int fd)
{
    if ((unsigned)fd >= MODE_FDS)
        return 0;
    return atomic_load_explicit(&hook_modes[fd], memory_order_relaxed);
}

static inline void hook_mode_set(int fd, unsigned mode)
{
    if ((unsigned)fd < MODE_FDS)
        atomic_store_explicit(&hook_modes[fd], (uint8_t)mode,
                              memory_order_relaxed);
}

/* For reading, in ns; where MODE_RCVTIMED. */
extern HIDDEN _Atomic(uint32_t) hook_timeouts[MODE_FDS]; /* ms */
static inline int64_t hook_timeout(int fd)
{
    return atomic_load_explicit(&hook_timeouts[fd], memory_order_relaxed) *
           CO_MSEC;
}

/* SO_RCVTIMEO of fd was set. */
void hook_timeout_changed(int fd);

/* n, what a read of the socket fd with the deadline hook_timeout() from now has
 * come to, as a blocking call has it. */
ssize_t hook_timed(int fd, void *buf, size_t len, int64_t deadline, ssize_t n);

/* A wait's progress; zero to begin with. */
struct hook_wait {
    int64_t deadline; /* 0: not asked yet */
    int64_t look;     /* pause before the next try without an event, or 0 */
};

/* After a try on fd that would have blocked (EAGAIN): 0 once fd is ready for
 * events (CO_READ, CO_WRITE) and the try is to be repeated.  -1 with errno:
 * EAGAIN where the kernel says so, as fd is in non-blocking mode or its
 * time-out has passed; or ETIMEDOUT, ECANCELED, EBADF, ENOMEM.  1: it was ready
 * for reading, and nothing more will come, as after shutdown(2) of a socket for
 * datagrams, which tells only who waits in the kernel. */
int hook_wait(struct hook_wait *w, int fd, int events);

/* r, which a call is about to return.  One that succeeds leaves errno as it was
 * before, which is err, whatever was tried meanwhile. */
static inline ssize_t hook_result(int err, ssize_t r)
{
    if (r >= 0)
        errno = err;
    return r;
}

/* After EPIPE from a try without SIGPIPE: raises it where the kernel would. Who
 * has waited for a unix socket learns of its peer's reset instead, as waiting
 * in the kernel looks at that first; or has no signal. */
void hook_broken_pipe(int fd, int flags, bool waited);

/* The deadline that a blocking call on fd has, CO_NOWAIT in non-blocking mode.
 */
int64_t hook_deadline(int fd, int events);

/* What a deadline's end means to a caller who knows of none: EAGAIN, unless it
 * was the limit of the coroutine. */
void hook_timed_out(int64_t deadline);

bool hook_is_socket(int fd);
bool hook_is_stream(int fd); /* a socket of that type */
bool hook_is_unix(int fd);   /* a socket of that family */

/* After got bytes of want were received: whether they were only looked at, by a
 * call that waits for all of it.  It has waited a little then, as no event
 * tells when more has come. */
bool hook_peek_again(int fd, ssize_t got, size_t want, int flags,
                     struct hook_wait *w);

/* What is left of iov after skip bytes; place has room for n. */
int hook_skip_vec(const struct iovec *iov, int n, size_t skip,
                  struct iovec *place);

#endif
