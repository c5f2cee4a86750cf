/* io_ready.c - the calls of co.h on descriptors that move no bytes: is it
 * ready, forget it, close it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/io.h"
#include "co/sys.h"
#include <errno.h>
#include <poll.h>
#include <unistd.h>

short io_poll_events(int events)
{
    return (short)((events & CO_READ ? POLLIN : 0) |
                   (events & CO_WRITE ? POLLOUT : 0) |
                   (events & CO_PRI ? POLLPRI : 0) |
                   (events & CO_HUP ? POLLRDHUP : 0));
}

int io_poll(int fd, int events)
{
    struct pollfd p = { .fd = fd, .events = io_poll_events(events) };

    while (sys.poll(&p, 1, 0) < 0)
        if (errno != EINTR)
            return -1;
    if (fd < 0 || (p.revents & POLLNVAL)) { /* poll(2) skips what is negative */
        errno = EBADF;
        return -1;
    }
    return (p.revents & POLLIN ? CO_READ : 0) |
           (p.revents & POLLOUT ? CO_WRITE : 0) |
           (p.revents & POLLPRI ? CO_PRI : 0) |
           (p.revents & (POLLHUP | POLLERR | POLLRDHUP) ? CO_HUP : 0);
}

bool io_ended(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLRDHUP };
    bool ended = sys.poll(&p, 1, 0) > 0 && (p.revents & POLLRDHUP);

    errno = EAGAIN;
    return ended;
}

static ssize_t try_poll(int fd, void *args)
{
    int ready = io_poll(fd, *(int *)args);

    if (ready == 0)
        errno = EAGAIN;
    return ready != 0 ? ready : -1;
}

int co_fd_wait(int fd, int events, int64_t deadline)
{
    _Static_assert((int)CO_READ == (int)POLLER_READ &&
                       (int)CO_WRITE == (int)POLLER_WRITE &&
                       (int)CO_PRI == (int)POLLER_PRI &&
                       (int)CO_HUP == (int)POLLER_HUP,
                   "co.h and poller.h count alike");
    return (int)io_run(fd, (uint32_t)events, deadline, try_poll, &events);
}

static uint32_t forget(int fd)
{
    bool own = fd_own(fd);
    uint32_t gen = fd_forget(fd);

    if (!own)
        io_settle_flags();
    return gen;
}

void co_fd_forget(int fd) { fd_forgotten(fd, forget(fd)); }

int co_close(int fd)
{
    uint32_t gen = forget(fd);
    int r;

    /* Others may be asking the kernel about fd just now; the generation tells
     * them that the answer is worth nothing. */
    asan_ignore_begin();
    r = sys.close(fd);
    asan_ignore_end();
    fd_forgotten(fd, gen);
    /* Linux has closed it even when it says EINTR (close(2)). */
    return r < 0 && errno == EINTR ? 0 : r;
}
