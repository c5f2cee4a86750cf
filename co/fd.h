/* fd.h - which coroutine waits for which descriptor.
 *
 * Private to co/.  Two tables.  A process-wide word per number holds its
 * generation, which moves on whenever the number is closed or comes fresh from
 * the kernel, and which schedulers have registered it.  Each scheduler's own
 * entry holds the tickets that wait and what is registered with its poller, and
 * the generation they belong to: an entry of another generation is empty.
 *
 * A number is registered once, edge-triggered, when it first would block.  That
 * is trusted afterwards only for numbers that corten itself made; what others
 * made can be closed and made again behind our back, so each park asks the
 * kernel whether it still knows the registration (one system call).  Our own
 * may be closed behind our back, too: a park on trust that lasts is verified
 * once, a tenth of a second later.
 *
 * A registration that is lost says nothing of what others wait for: they may
 * mean the new file of that number.  So the generation stays, only those fail
 * here whose park had been confirmed, and whoever registers a number tells the
 * others that wait for it to look at their own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FD_H
#define CO_FD_H

#include "co/fd_word.h"
#include "co/wait.h"

struct fd_entry { /* owner thread only, but for post */
    struct post post;
    struct wait_link *head, *tail; /* who waits; all of them are woken */
    struct fd_entry *unverified_next;
    int fd;
    uint32_t gen;
    uint32_t serial; /* of the registration: older events mean nothing */
    uint8_t watched; /* POLLER_* registered */
    bool own, tcp;
    bool told;       /* the others were told to look; they will not be again */
    bool drained;    /* a read came back short, and no edge since */
    bool odd;        /* HUP, PRI or ERROR was seen: drained means nothing */
    bool unverified; /* is on the scheduler's list */
    bool parked;     /* somebody parked on trust since the last verify */
};

int fd_open(struct sched *s); /* 0, or -1 ENOMEM */
void fd_close(struct sched *s);

/* fd has just come from the kernel.  Its old waiters, if any, fail with EBADF.
 * -1 with errno when there is no memory to know it by. */
int fd_fresh(int fd);

/* Ends all waits for fd with EBADF; until fd_forgotten(), which gets the
 * result, nobody can begin one.  The caller then closes it. */
uint32_t fd_forget(int fd);

/* To those who wait for fd, whose word had bits: POST_CLOSED, its generation
 * has moved on, or they should ask whether it still means what they wait for;
 * POST_LOOK.  Threads get why. */
void fd_tell(int fd, uint64_t bits, unsigned what, int why);

/* All that wait for fd try again: something about it has changed of which the
 * kernel makes no event. */
void fd_look(int fd);

void fd_forgotten(int fd, uint32_t gen);

/* NULL when this scheduler has never waited for a number near fd. */
static inline struct fd_entry *fd_find(struct sched *s, int fd)
{
    struct fd_entry *chunk;

    if (fd < 0 || fd >= FD_CHUNKS * FD_CHUNK)
        return NULL;
    chunk = atomic_load_explicit(&s->fds[fd / FD_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[fd % FD_CHUNK];
}

/* Whether a plain read now would only find EAGAIN, and nobody else waits; gen
 * is what fd_gen() said before. */
static inline bool fd_drained(const struct fd_entry *e, uint32_t gen)
{
    return e->drained && e->head == NULL && e->gen == gen;
}

/* A plain read of what e stands for came back short: if that is a plain stream,
 * as TCP is, it is empty, and since it was registered before the read, what
 * comes later makes an edge. */
static inline void fd_set_drained(struct fd_entry *e, uint32_t gen, bool plain)
{
    e->drained = e->own && (plain || e->tcp) && !e->odd &&
                 (e->watched & POLLER_READ) && e->gen == gen;
}

/* Puts a link of a ticket of the running coroutine on e, which is drained. */
void fd_watch_edge(struct sched *s, struct fd_entry *e, struct wait_link *l);

/* Puts a link of a ticket of the running coroutine on fd.  gen is what fd_gen()
 * said before the caller's attempt.  0: it is there, and will be fired once fd
 * may be ready; 1: look again soon; -1 with errno: EPERM for what is always
 * ready, EBADF, ENOMEM, ENOSPC. */
int fd_watch(struct sched *s, int fd, uint32_t gen, uint32_t events,
             struct wait_link *l);
void fd_unwatch(struct sched *s, int fd, struct wait_link *l);

/* For the loop: an event, a post, time to verify. */
void fd_dispatch(struct sched *s, uint64_t token, uint32_t events);
/* Of an event that comes some places later, first the one, then the other. */
void fd_prefetch_ticket(struct sched *s, uint64_t token);
void fd_prefetch_co(struct sched *s, uint64_t token);
void fd_told(struct sched *s, struct fd_entry *e, unsigned bits);
void fd_verify(struct sched *s);

#endif
