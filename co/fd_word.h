/* fd_word.h - which generation of a number is meant, and who waits for it.
 *
 * Private to co/.  One word per descriptor number, process-wide: the
 * generation, which moves on whenever the number is closed or comes fresh from
 * the kernel, whether corten made it, and a bit for each scheduler that may
 * have it registered, so that a close knows whom to tell.
 *
 * Who races.  The word is changed by compare-and-swap.  To wait, a scheduler
 * first puts its bit into the word of the generation it means, and only then
 * registers with its poller.  To close, the generation moves on and the closing
 * bit is set in one step, which returns the bits of those to tell.  So a
 * waiter's bit is either seen by the closer, whose post ends the wait, or comes
 * too late and finds the closing bit.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FD_WORD_H
#define CO_FD_WORD_H

#include "co/core.h"
#include "co/hidden.h"

typedef _Atomic(uint64_t) fd_word;

#define FD_WORD_OWN (UINT64_C(1) << 31)
#define FD_WORD_CLOSING (UINT64_C(1) << 30)
#define FD_WORD_THREADS (UINT64_C(1) << 29) /* plain threads wait */

enum { FD_WORD_SCHEDS = 29 }; /* bits; schedulers beyond share them */

extern HIDDEN _Atomic(fd_word *) fd_words[FD_CHUNKS];

static inline uint64_t fd_word_bit(const struct sched *s)
{
    return UINT64_C(1) << (s->index % FD_WORD_SCHEDS);
}

static inline uint32_t fd_word_gen(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* The bits of a word that say who waits. */
static inline uint64_t fd_word_waiters(uint64_t word)
{
    return word & (FD_WORD_CLOSING - 1);
}

/* NULL for a number near which nobody has told us of any. */
static inline fd_word *fd_word_find(int fd)
{
    fd_word *chunk;

    if (fd < 0 || fd >= FD_CHUNKS * FD_CHUNK)
        return NULL;
    chunk =
        atomic_load_explicit(&fd_words[fd / FD_CHUNK], memory_order_acquire);
    return chunk == NULL ? NULL : &chunk[fd % FD_CHUNK];
}

/* The word of fd now; 0 for a number that nobody has told us of. */
static inline uint64_t fd_word_now(int fd)
{
    fd_word *w = fd_word_find(fd);

    return w == NULL ? 0 : atomic_load(w);
}

/* The generation of fd now; 0 for a number that nobody has told us of. */
static inline uint32_t fd_gen(int fd) { return fd_word_gen(fd_word_now(fd)); }

/* Whether corten made it: then it is a socket, and O_NONBLOCK. */
static inline bool fd_own(int fd)
{
    fd_word *w = fd_word_find(fd);

    return w != NULL &&
           (atomic_load_explicit(w, memory_order_relaxed) & FD_WORD_OWN);
}

/* -1 with errno: EBADF, EMFILE beyond 16 million, ENOMEM. */
fd_word *fd_word_make(int fd);

/* Puts bit into the word, if that is still of the generation of `word`, as read
 * from it before, and nobody is closing it. */
bool fd_word_announce(fd_word *w, uint64_t word, uint64_t bit);

/* It turned out that corten did not make what the number means now. */
void fd_word_disown(fd_word *w, uint32_t gen);

/* Ends the closing of generation gen, unless the number is fresh again, or
 * another one is closing it. */
void fd_word_closed(fd_word *w, uint32_t gen);

/* Moves the generation on, with nobody waiting; flags are the new ones.  The
 * word before, whose waiters the caller tells. */
uint64_t fd_word_next(fd_word *w, uint64_t flags);

/* In the child of a fork: nobody waits.  Safe in a signal handler. */
void fd_word_forsake(void);

void fd_word_close_all(void); /* frees the table, at the end */

#endif
