/* hook_poll.c - waiting for several descriptors.
 *
 * The kernel is asked first, without waiting, by the very call that was made:
 * so what it says of errors, and which bits, is its own.  Only when it says
 * "nothing yet" the coroutine waits for any of them, and then asks again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_mode.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

void __chk_fail(void) __attribute__((noreturn));

enum {
    FEW = 16,       /* descriptors waited for without malloc() */
    MASK_LOOK = 10, /* ms between two looks for signals, with a mask */
    IN_VAIN = 3,    /* wakes for nothing before they are made rare */
};

/* ---- Waiting for any of them
 * --------------------------------------------------
 */

static int events_of(short events)
{
    return (events & (POLLIN | POLLRDNORM | POLLRDBAND) ? CO_READ : 0) |
           (events & (POLLOUT | POLLWRNORM | POLLWRBAND) ? CO_WRITE : 0) |
           (events & POLLPRI ? CO_PRI : 0) | CO_HUP;
}

static int wait_several(const struct pollfd *fds, nfds_t n, int64_t deadline)
{
    struct co_case few[FEW], *cases = few;
    int count = 0, r;

    if (n > FEW && (cases = malloc(n * sizeof *cases)) == NULL)
        return -1;
    for (nfds_t i = 0; i < n; i++)
        if (fds[i].fd >= 0)
            cases[count++] =
                (struct co_case)CO_FD(fds[i].fd, events_of(fds[i].events));
    r = co_select(cases, count, deadline);
    if (cases != few)
        free(cases);
    return r;
}

/* 0 when it is time to ask again, -1 with errno: what a limit or a cancel says,
 * ENOMEM.  *times counts how often: a descriptor may stay ready in a way that
 * nobody asked for. */
static int wait_any(const struct pollfd *fds, nfds_t n, int64_t deadline,
                    int *times)
{
    int r;

    if (++*times > IN_VAIN && co_sleep_until(co_after(CO_MSEC)) < 0)
        return -1;
    if (n == 0)
        r = co_sleep_until(deadline);
    else if (n == 1 && fds[0].fd >= 0)
        r = co_fd_wait(fds[0].fd, events_of(fds[0].events), deadline);
    else
        r = wait_several(fds, n, deadline);
    if (r < 0 && errno == EPERM) /* a file, which is never ready for that */
        r = co_sleep_until(deadline);
    if (r >= 0 || errno == EBADF ||
        (errno == ETIMEDOUT && co_now() >= deadline))
        return 0;
    return -1;
}

static int64_t deadline_of_ms(int ms)
{
    return ms < 0 ? CO_FOREVER : co_after(ms * CO_MSEC);
}

static bool is_time(const struct timespec *t)
{
    return t->tv_sec >= 0 && t->tv_nsec >= 0 && t->tv_nsec < CO_SECOND;
}

static int64_t deadline_of(const struct timespec *t)
{
    if (t == NULL || t->tv_sec > CO_FOREVER / CO_SECOND / 2)
        return CO_FOREVER;
    return co_after(t->tv_sec * CO_SECOND + t->tv_nsec);
}

/* With a mask of signals, those that it lets through interrupt the call: they
 * are looked for now and then. */
static int64_t next_look(const sigset_t *mask, int64_t deadline)
{
    int64_t soon = co_after(MASK_LOOK * CO_MSEC);

    return mask != NULL && soon < deadline ? soon : deadline;
}

/* ---- poll
 * ---------------------------------------------------------------------
 */

static int poll_until(struct pollfd *fds, nfds_t n, int64_t deadline,
                      const sigset_t *mask)
{
    struct timespec none = { 0, 0 };
    int times = 0, err = errno;

    for (;;) {
        int r = real.ppoll(fds, n, &none, mask);

        if (r != 0 || co_now() >= deadline)
            return (int)hook_result(err, r);
        if (wait_any(fds, n, next_look(mask, deadline), &times) < 0)
            return -1;
    }
}

int hook_poll(struct pollfd *fds, nfds_t n, int ms)
{
    int r;

    if (hook_plain())
        return real.poll(fds, n, ms);
    r = real.poll(fds, n, 0);
    return r != 0 || ms == 0 ? r : poll_until(fds, n, deadline_of_ms(ms), NULL);
}
HOOK_NAME(poll, hook_poll);
HOOK_NAME(__poll, hook_poll);

int hook_poll_chk(struct pollfd *fds, nfds_t n, int ms, size_t size)
{
    if (size / sizeof *fds < n)
        __chk_fail();
    return hook_poll(fds, n, ms);
}
HOOK_NAME(__poll_chk, hook_poll_chk);

int hook_ppoll(struct pollfd *fds, nfds_t n, const struct timespec *time,
               const sigset_t *mask)
{
    if (hook_plain() || (time != NULL && !is_time(time)))
        return real.ppoll(fds, n, time, mask);
    return poll_until(fds, n, deadline_of(time), mask);
}
HOOK_NAME(ppoll, hook_ppoll);

int hook_ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *time,
                   const sigset_t *mask, size_t size)
{
    if (size / sizeof *fds < n)
        __chk_fail();
    return hook_ppoll(fds, n, time, mask);
}
HOOK_NAME(__ppoll_chk, hook_ppoll_chk);

/* ---- select
 * -------------------------------------------------------------------
 *
 * The caller's sets may be longer than an fd_set. */

struct sets {
    size_t bytes; /* of one */
    unsigned long *in[3], *out[3];
    struct pollfd *fds;
    nfds_t count;
    char *block; /* all of the above but out */
};

enum { BITS = 8 * sizeof(unsigned long) };

static bool has(const unsigned long *set, int fd)
{
    return set != NULL && (set[fd / BITS] >> fd % BITS & 1);
}

/* One block holds the sets as they were given, and what is waited for. */
static int sets_open(struct sets *s, int n, fd_set *r, fd_set *w, fd_set *e)
{
    static const short events[3] = { POLLIN, POLLOUT, POLLPRI };
    fd_set *given[3] = { r, w, e };

    s->bytes = (size_t)(n + BITS - 1) / BITS * sizeof(unsigned long);
    s->count = 0;
    s->block = malloc(3 * s->bytes + (size_t)n * sizeof *s->fds);
    if (s->block == NULL)
        return -1;
    s->fds = (struct pollfd *)(void *)(s->block + 3 * s->bytes);
    for (int i = 0; i < 3; i++) {
        s->out[i] = (unsigned long *)(void *)given[i];
        s->in[i] = NULL;
        if (given[i] == NULL)
            continue;
        s->in[i] = (unsigned long *)(void *)(s->block + (size_t)i * s->bytes);
        memcpy(s->in[i], given[i], s->bytes);
    }
    for (int fd = 0; fd < n; fd++) {
        struct pollfd p = { .fd = fd };

        for (int i = 0; i < 3; i++)
            if (has(s->in[i], fd))
                p.events |= events[i];
        if (p.events != 0)
            s->fds[s->count++] = p;
    }
    return 0;
}

static int ask(struct sets *s, int n, const sigset_t *mask)
{
    struct timespec none = { 0, 0 };

    for (int i = 0; i < 3; i++)
        if (s->in[i] != NULL)
            memcpy(s->out[i], s->in[i], s->bytes);
    return hook_real.pselect(n, (fd_set *)(void *)s->out[0],
                             (fd_set *)(void *)s->out[1],
                             (fd_set *)(void *)s->out[2], &none, mask);
}

static int select_until(int n, fd_set *r, fd_set *w, fd_set *e,
                        int64_t deadline, const sigset_t *mask)
{
    struct sets s;
    int result, err, times = 0, before = errno;

    if (sets_open(&s, n, r, w, e) < 0)
        return -1;
    for (;;) {
        result = ask(&s, n, mask);
        if (result != 0 || co_now() >= deadline)
            break;
        result = wait_any(s.fds, s.count, next_look(mask, deadline), &times);
        if (result < 0)
            break;
    }
    err = errno;
    /* The kernel leaves the sets alone when it fails. */
    for (int i = 0; i < 3 && result < 0; i++)
        if (s.in[i] != NULL)
            memcpy(s.out[i], s.in[i], s.bytes);
    free(s.block);
    errno = err;
    return (int)hook_result(before, result);
}

/* Linux writes back how much time is left. */
int hook_select(int n, fd_set *r, fd_set *w, fd_set *e, struct timeval *time)
{
    int64_t deadline = CO_FOREVER, left;
    int result;

    if (hook_plain() || n < 0 || n > MODE_FDS ||
        (time != NULL && (time->tv_sec < 0 || time->tv_usec < 0)))
        return hook_real.select(n, r, w, e, time);
    if (time != NULL && time->tv_sec < CO_FOREVER / CO_SECOND / 2)
        deadline = co_after(time->tv_sec * CO_SECOND + time->tv_usec * CO_USEC);
    result = select_until(n, r, w, e, deadline, NULL);
    if (time != NULL) {
        left = deadline > co_now() ? deadline - co_now() : 0;
        time->tv_sec = left / CO_SECOND;
        time->tv_usec = left % CO_SECOND / CO_USEC;
    }
    return result;
}
HOOK_NAME(select, hook_select);
HOOK_NAME(__select, hook_select);

int hook_pselect(int n, fd_set *r, fd_set *w, fd_set *e,
                 const struct timespec *time, const sigset_t *mask)
{
    if (hook_plain() || n < 0 || n > MODE_FDS ||
        (time != NULL && !is_time(time)))
        return hook_real.pselect(n, r, w, e, time, mask);
    return select_until(n, r, w, e, deadline_of(time), mask);
}
HOOK_NAME(pselect, hook_pselect);

/* ---- epoll
 * --------------------------------------------------------------------
 *
 * An epoll set is readable when one of its descriptors is ready. */

static int epoll_until(int fd, struct epoll_event *events, int max,
                       int64_t deadline, const sigset_t *mask)
{
    struct pollfd self = { .fd = fd, .events = POLLIN };
    struct timespec none = { 0, 0 };
    int times = 0, err = errno;

    for (;;) {
        int r = real.epoll_wait(fd, events, max, 0);

        /* epoll_pwait(2) that does not wait lets no signal through. */
        if (r == 0 && mask != NULL)
            r = real.ppoll(NULL, 0, &none, mask);
        if (r != 0 || co_now() >= deadline)
            return (int)hook_result(err, r);
        if (wait_any(&self, 1, next_look(mask, deadline), &times) < 0)
            return -1;
    }
}

int hook_epoll_wait(int fd, struct epoll_event *events, int max, int ms)
{
    if (hook_plain())
        return real.epoll_wait(fd, events, max, ms);
    return epoll_until(fd, events, max, deadline_of_ms(ms), NULL);
}
HOOK_NAME(epoll_wait, hook_epoll_wait);

int hook_epoll_pwait(int fd, struct epoll_event *events, int max, int ms,
                     const sigset_t *mask)
{
    if (hook_plain())
        return hook_real.epoll_pwait(fd, events, max, ms, mask);
    return epoll_until(fd, events, max, deadline_of_ms(ms), mask);
}
HOOK_NAME(epoll_pwait, hook_epoll_pwait);

int hook_epoll_pwait2(int fd, struct epoll_event *events, int max,
                      const struct timespec *time, const sigset_t *mask)
{
    if (hook_plain() || (time != NULL && !is_time(time)))
        return hook_real.epoll_pwait2(fd, events, max, time, mask);
    return epoll_until(fd, events, max, deadline_of(time), mask);
}
HOOK_NAME(epoll_pwait2, hook_epoll_pwait2);
