/* fd_wait.c - see fd_wait.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd_wait.h"
#include "co/fd.h"
#include "co/fd_thread.h"
#include "co/runq.h"
#include "co/switch.h"
#include <errno.h>

static int wait_on_thread(struct wait *w, int fd, uint32_t gen, uint32_t events)
{
    struct pollfd fds[2];
    int r;

    if (fd_thread_open(w) < 0 || fd_thread_watch(fd, gen, &w->link) < 0)
        return -1;
    fds[1] = (struct pollfd){
        .fd = fd,
        .events = (short)((events & POLLER_READ ? POLLIN : 0) |
                          (events & POLLER_WRITE ? POLLOUT : 0) |
                          (events & POLLER_PRI ? POLLPRI : 0) |
                          (events & POLLER_HUP ? POLLRDHUP : 0)),
    };
    r = fd_thread_park(w, fds, 1);
    fd_thread_remove(&w->link);
    return r;
}

int fd_wait(int fd, uint32_t gen, uint32_t events, int64_t deadline)
{
    struct sched *s = sched_self();
    struct wait w;
    int r;

    if (wait_open(&w, WAIT_FD, deadline) < 0 || wait_passed(&w))
        return -1;
    if (w.co == NULL)
        return wait_on_thread(&w, fd, gen, events);
    w.link.index = fd;
    r = fd_watch(s, fd, gen, events, &w.link);
    if (r > 0) { /* the number is just changing hands: not now */
        runq_push(s, w.co);
        switch_away(s, w.co);
        r = 0;
    } else if (r == 0) {
        r = wait_park(&w);
        fd_unwatch(s, fd, &w.link);
    }
    if (r < 0 || fd_gen(fd) == gen)
        return r;
    errno = EBADF;
    return -1;
}

int fd_wait_edge(struct fd_entry *e, int64_t deadline)
{
    uint32_t gen = e->gen;
    struct wait w;
    int r;

    if (wait_open(&w, WAIT_FD, deadline) < 0 || wait_passed(&w))
        return -1;
    w.link.index = e->fd;
    fd_watch_edge(sched_self(), e, &w.link);
    r = wait_park(&w);
    if (w.link.linked)
        fd_unwatch(sched_self(), e->fd, &w.link);
    if (r < 0 || fd_gen(e->fd) == gen)
        return r;
    errno = EBADF;
    return -1;
}
