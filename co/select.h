/* select.h - a select while it runs.
 *
 * Private to co/.  select.c knows the channels, select_fd.c the descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SELECT_H
#define CO_SELECT_H

#include "co/wait.h"

/* What a case's priv holds. */
struct slot {
    struct wait_link link;
    union {
        struct co_case *next; /* of a channel: in the order of locking */
        uint32_t gen;         /* of an fd: its generation when we came */
    };
};

_Static_assert(sizeof(struct slot) <= sizeof((struct co_case *)0)->priv,
               "a slot fits into a case");
_Static_assert(_Alignof(struct slot) <= _Alignof(void *),
               "a slot lies well in a case");

struct selection {
    struct co_case *cases;
    int count;
    int fds;               /* how many of them are descriptors */
    struct co_case *order; /* the channel cases, by address of the channel */
    struct wait wait;
};

static inline struct slot *select_slot_of(struct co_case *c)
{
    return (struct slot *)c->priv;
}

static inline bool select_is_fd(const struct co_case *c)
{
    return c->op == CO_OP_FD;
}

/* Asks the kernel about each descriptor.  What is ready is kept in link.events,
 * and EBADF in err.  -1 with errno when it cannot tell. */
int select_fd_poll(struct selection *x);

/* Gives the ticket to the descriptors, and takes it back.  When one cannot be
 * watched, the ticket is fired instead. */
void select_fd_watch(struct selection *x);
void select_fd_unwatch(struct selection *x);

/* The park of a plain thread that waits for descriptors; fd_thread_open() was
 * called before. */
void select_fd_park(struct selection *x);

#endif
