/* fd_word.c - see fd_word.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/fd_word.h"
#include <errno.h>
#include <stdlib.h>

_Atomic(fd_word *) fd_words[FD_CHUNKS];

fd_word *fd_word_make(int fd)
{
    fd_word *w = fd_word_find(fd), *none = NULL, *chunk;

    if (w != NULL)
        return w;
    if (fd < 0 || fd >= FD_CHUNKS * FD_CHUNK) {
        errno = fd < 0 ? EBADF : EMFILE;
        return NULL;
    }
    chunk = (fd_word *)calloc(FD_CHUNK, sizeof *chunk);
    if (chunk == NULL)
        return NULL;
    if (!atomic_compare_exchange_strong(&fd_words[fd / FD_CHUNK], &none, chunk))
        free((void *)chunk); /* somebody was faster */
    return fd_word_find(fd);
}

bool fd_word_announce(fd_word *w, uint64_t word, uint64_t bit)
{
    uint32_t gen = fd_word_gen(word);

    while (!(word & bit)) {
        if ((word & FD_WORD_CLOSING) || fd_word_gen(word) != gen)
            return false;
        if (atomic_compare_exchange_weak(w, &word, word | bit))
            return true;
    }
    return !(word & FD_WORD_CLOSING) && fd_word_gen(word) == gen;
}

/* Takes bits out of the word while it is of generation gen. */
static void take_out(fd_word *w, uint32_t gen, uint64_t bits)
{
    uint64_t word = atomic_load(w);

    while (fd_word_gen(word) == gen &&
           !atomic_compare_exchange_weak(w, &word, word & ~bits))
        ;
}

void fd_word_disown(fd_word *w, uint32_t gen) { take_out(w, gen, FD_WORD_OWN); }

void fd_word_closed(fd_word *w, uint32_t gen)
{
    take_out(w, gen, FD_WORD_CLOSING);
}

uint64_t fd_word_next(fd_word *w, uint64_t flags)
{
    uint64_t old = atomic_load(w), gen;

    do
        gen = (old >> 32) + 1;
    while (!atomic_compare_exchange_weak(w, &old, gen << 32 | flags));
    return old;
}

void fd_word_forsake(void)
{
    for (int i = 0; i < FD_CHUNKS; i++)
        for (int k = 0; k < FD_CHUNK && fd_words[i] != NULL; k++)
            atomic_fetch_and(&fd_words[i][k], ~(FD_WORD_OWN - 1));
}

void fd_word_close_all(void)
{
    for (int i = 0; i < FD_CHUNKS; i++)
        free((void *)atomic_exchange(&fd_words[i], NULL));
}
