/* reserve.h - arrays that grow in place.
 *
 * Private to co/.  Address space is reserved for the largest size an array can
 * have; the kernel gives memory page by page as it is touched, zeroed.  So an
 * array of the scheduler never moves and growing it cannot fail.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_RESERVE_H
#define CO_RESERVE_H

#include "co/asan.h"
#include <stddef.h>
#include <sys/mman.h>

/* NULL with errno (ENOMEM: RLIMIT_AS, or overcommit is forbidden).  Unlocked
 * even under mlockall(MCL_FUTURE), which would otherwise touch all of it: hence
 * the three steps.  Valgrind looks at each byte when mprotect(2) makes it
 * accessible, most of a second per scheduler, so there it is one step. */
static inline void *reserve_open(size_t bytes)
{
    int prot = asan_valgrind() ? PROT_READ | PROT_WRITE : PROT_NONE;
    void *p = mmap(NULL, bytes, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    (void)munlock(p, bytes); /* fails only where it was not locked anyway */
    if (prot == PROT_NONE && mprotect(p, bytes, PROT_READ | PROT_WRITE) < 0) {
        (void)munmap(p, bytes);
        return NULL;
    }
    return p;
}

static inline void reserve_close(void *p, size_t bytes)
{
    if (p != NULL)
        (void)munmap(p, bytes);
}

#endif
