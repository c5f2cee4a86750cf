/* poller_epoll.c - readiness of descriptors, from epoll.
 *
 * The kernel keeps the whole table.  Its interest belongs to an open file and
 * the number it had when it was added, so it can vanish with a close, and it
 * can outlive one when the file has another descriptor; what to make of a
 * stale token is the caller's to know.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/poller.h"
#include "co/sys.h"
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

static uint32_t to_kernel(uint32_t events)
{
    uint32_t mask = EPOLLET;

    if (events & POLLER_READ)
        mask |= EPOLLIN;
    if (events & POLLER_WRITE)
        mask |= EPOLLOUT;
    if (events & POLLER_PRI)
        mask |= EPOLLPRI;
    if (events & POLLER_HUP)
        mask |= EPOLLRDHUP;
    return mask;
}

static uint32_t from_kernel(uint32_t mask)
{
    uint32_t events = 0;

    if (mask & EPOLLIN)
        events |= POLLER_READ;
    if (mask & EPOLLOUT)
        events |= POLLER_WRITE;
    if (mask & EPOLLPRI)
        events |= POLLER_PRI;
    if (mask & (EPOLLRDHUP | EPOLLHUP))
        events |= POLLER_HUP;
    if (mask & (EPOLLERR | EPOLLHUP))
        events |= POLLER_ERROR;
    return events;
}

int poller_open(struct poller *p)
{
    p->fd = epoll_create1(EPOLL_CLOEXEC);
    return p->fd < 0 ? -1 : 0;
}

void poller_close(struct poller *p)
{
    int err = errno; /* of whoever gives up half way */

    if (p->fd >= 0)
        (void)sys.close(p->fd); /* nothing is lost with it */
    p->fd = -1;
    errno = err;
}

int poller_set(struct poller *p, int fd, uint32_t events, uint64_t token,
               bool known)
{
    struct epoll_event e = { .events = to_kernel(events),
                             .data = { .u64 = token } };

    if (known)
        return epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e);
    /* An fd that was here before the caller knew it is changed instead; when
     * another thread closes and reuses it in between, it is new again. */
    do {
        if (epoll_ctl(p->fd, EPOLL_CTL_ADD, fd, &e) == 0)
            return 0;
        if (errno == ENOSPC) /* memory of another kind: max_user_watches */
            errno = ENOMEM;
        if (errno != EEXIST)
            return -1;
        if (epoll_ctl(p->fd, EPOLL_CTL_MOD, fd, &e) == 0)
            return 0;
    } while (errno == ENOENT);
    return -1;
}

void poller_clear(struct poller *p, int fd)
{
    /* Fails when the kernel has forgotten it already, which is as good. */
    (void)epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL);
}

int poller_wait(struct poller *p, struct poller_event *events, bool block)
{
    struct epoll_event ready[POLLER_BATCH];
    int n = sys.epoll_wait(p->fd, ready, POLLER_BATCH, block ? -1 : 0);

    if (n < 0) {
        /* Anything else would be returned again at once, for ever. */
        BUG_ON(errno != EINTR, "someone closed the epoll fd of a scheduler");
        return 0;
    }
    for (int i = 0; i < n; i++) {
        events[i].token = ready[i].data.u64;
        events[i].events = from_kernel(ready[i].events);
    }
    return n;
}

int poller_fd(const struct poller *p) { return p->fd; }
