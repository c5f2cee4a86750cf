/* fd_tell.c - what all schedulers, and threads, that wait for a number are
 * told: it was closed, it comes fresh from the kernel, look again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd.h"
#include "co/fd_thread.h"
#include "co/runq.h"
#include "co/sched_set.h"
#include <errno.h>

void fd_tell(int fd, uint64_t bits, unsigned what, int why)
{
    struct sched *self = sched_self();
    unsigned count;

    runq_enter();
    count = atomic_load(&sched_set.count);
    for (unsigned i = 0; i < count; i++) {
        struct sched *s = sched_set.at[i];
        struct fd_entry *e;

        if (!(bits & fd_word_bit(s)) || (e = fd_find(s, fd)) == NULL)
            continue;
        if (s == self)
            fd_told(s, e, what);
        else
            runq_post(s, &e->post, what);
    }
    runq_leave();
    if (bits & FD_WORD_THREADS)
        fd_thread_fire(fd, why);
}

/* Moves the generation of fd on, and ends the waits of the old one. */
static uint32_t next_gen(int fd, fd_word *w, uint64_t flags)
{
    uint64_t old = fd_word_next(w, flags);

    if (fd_word_waiters(old) != 0)
        fd_tell(fd, old, POST_CLOSED, EBADF);
    return fd_word_gen(old) + 1;
}

int fd_fresh(int fd)
{
    fd_word *w = fd_word_make(fd);

    if (w == NULL)
        return -1;
    (void)next_gen(fd, w, FD_WORD_OWN);
    return 0;
}

uint32_t fd_forget(int fd)
{
    fd_word *w = fd_word_find(fd);

    return w == NULL ? 0 : next_gen(fd, w, FD_WORD_CLOSING);
}

void fd_look(int fd) { fd_tell(fd, fd_word_now(fd), POST_LOOK, 0); }

void fd_forgotten(int fd, uint32_t gen)
{
    fd_word *w = fd_word_find(fd);

    if (w != NULL)
        fd_word_closed(w, gen);
}
