/* event.c - probes: eventfd_read() and eventfd_write().
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/eventfd.h>

static eventfd_t value;

static void add_five(void *fd) { NEED(eventfd_write(*(int *)fd, 5) == 0); }

static void take_all(void *fd)
{
    eventfd_t all;

    NEED(eventfd_read(*(int *)fd, &all) == 0);
}

PROBE(event_read, PAUSE_MS, "eventfd_read() waits")
{
    int fd = eventfd(0, 0);

    later(add_five, &fd);
    TRY(eventfd_read(fd, &value));
    SHOW(value);
}

PROBE(event_write, PAUSE_MS, "eventfd_write() waits when there is no room")
{
    int fd = eventfd(0, 0);

    TRY(eventfd_write(fd, UINT64_MAX - 1));
    later(take_all, &fd);
    TRY(eventfd_write(fd, 1));
    TRY(eventfd_read(fd, &value));
    SHOW(value);
}

PROBE(event_nonblock, 0, "the same with EFD_NONBLOCK: EAGAIN; bad ones")
{
    int fd = eventfd(0, EFD_NONBLOCK);

    TRY(eventfd_read(fd, &value));
    TRY(eventfd_write(fd, UINT64_MAX - 1));
    TRY(eventfd_write(fd, 1));
    TRY(eventfd_write(fd, UINT64_MAX));
    TRY(eventfd_read(-1, &value));
    TRY(eventfd_write(-1, 1));
}
