/* select_fd.c - the descriptors of a select.
 *
 * Their events are only a reason for another turn, which asks the kernel again.
 * The ticket stands in the channels' queues already when it is given to the
 * descriptors; so when that fails, it must be fired like by anybody
 * else, and parked on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/fd_thread.h"
#include "co/io.h"
#include "co/select.h"
#include <errno.h>
#include <stdlib.h>

enum { THREAD_FDS = 16 }; /* of a plain thread, without malloc() */

/* Asks the kernel about one descriptor.  What is ready is kept in link.events,
 * and EBADF in err. */
static int poll_fd(struct co_case *c)
{
    int ready = c->fd < 0 ? 0 : io_poll(c->fd, c->events);

    if (ready < 0 && errno != EBADF)
        return -1;
    c->err = c->fd < 0 || ready < 0 || fd_gen(c->fd) != select_slot_of(c)->gen
                 ? EBADF
                 : 0;
    select_slot_of(c)->link.events = c->err == 0 ? (uint32_t)ready : 0;
    return 0;
}

int select_fd_poll(struct selection *x)
{
    for (int i = 0; i < x->count; i++)
        if (select_is_fd(&x->cases[i]) && poll_fd(&x->cases[i]) < 0)
            return -1;
    return 0;
}

/* Fires our own ticket, unless another one has: the park then ends at once.
 * The error is that of case c, or of the whole select when c is NULL. */
static void fire(struct selection *x, struct co_case *c, int err)
{
    struct wait *w = &x->wait;

    if (!wait_claim(w, err))
        return;
    w->fired = c == NULL ? NULL : &select_slot_of(c)->link;
    wait_wake(w);
}

/* False when the park will end at once. */
static bool watch(struct selection *x, struct co_case *c)
{
    struct wait_link *l = &select_slot_of(c)->link;
    uint32_t gen = select_slot_of(c)->gen, events = (uint32_t)c->events;
    int r;

    l->data = NULL;
    if (x->wait.co == NULL)
        r = fd_thread_watch(c->fd, gen, l);
    else
        r = fd_watch(co_sched_of(x->wait.co), c->fd, gen, events, l);
    if (r == 0)
        return true;
    if (r > 0) {
        fire(x, NULL, 0); /* the number is just changing hands: another turn */
    } else if (errno == EBADF) {
        fire(x, c, EBADF);
    } else if (errno == EPERM) {
        /* Always ready, the poll said, but for what is not asked for. */
        return true;
    } else {
        fire(x, NULL, errno);
    }
    return false;
}

void select_fd_watch(struct selection *x)
{
    bool more = x->fds > 0;

    for (int i = 0; more && i < x->count; i++)
        if (select_is_fd(&x->cases[i]))
            more = watch(x, &x->cases[i]);
}

static int park_thread_on(struct selection *x, struct pollfd *fds)
{
    unsigned n = 0;

    for (int i = 0; i < x->count; i++) {
        struct co_case *c = &x->cases[i];

        if (select_is_fd(c))
            fds[++n] = (struct pollfd){ .fd = c->fd,
                                        .events = io_poll_events(c->events) };
    }
    return fd_thread_park(&x->wait, fds, n);
}

void select_fd_park(struct selection *x)
{
    struct pollfd some[THREAD_FDS + 1], *fds = some;

    if (x->fds > THREAD_FDS &&
        (fds = calloc((size_t)x->fds + 1, sizeof *fds)) == NULL)
        fire(x, NULL, ENOMEM);
    if (fds == NULL)
        (void)fd_thread_park(&x->wait, some, 0);
    else
        (void)park_thread_on(x, fds);
    if (fds != some)
        free(fds);
}

void select_fd_unwatch(struct selection *x)
{
    for (int i = 0; x->fds > 0 && i < x->count; i++) {
        struct co_case *c = &x->cases[i];

        if (select_is_fd(c) && x->wait.co != NULL)
            fd_unwatch(co_sched_of(x->wait.co), c->fd,
                       &select_slot_of(c)->link);
        else if (select_is_fd(c) && select_slot_of(c)->link.data != NULL)
            fd_thread_remove(&select_slot_of(c)->link);
    }
}
