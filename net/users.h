/* users.h - who is inside an object that may be closed under them.
 *
 * Private to net/.  One word counts those inside, by what they do, and says
 * whether it was closed.  Whoever finds on leaving that it is closed and that
 * nobody else is inside destroys the object; until then its descriptor keeps
 * its number, so that no late call can hit a descriptor that got that number
 * since.
 *
 * The argument: all changes of the word are atomic read-modify-writes, so they
 * have one order.  After USERS_CLOSED is set each enter sees it and only
 * leaves again, and exactly one leave brings the word to USERS_CLOSED alone.
 * Release on leaving pairs with acquire in that last leave: all that the others
 * did comes before the destruction.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_USERS_H
#define NET_USERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

typedef _Atomic(uint64_t) users_t;

#define USERS_READER UINT64_C(1)
#define USERS_READERS UINT64_C(0xff)
#define USERS_WRITER (UINT64_C(1) << 8)
#define USERS_WRITERS (UINT64_C(0xffffff) << 8)
#define USERS_OTHER (UINT64_C(1) << 32)
#define USERS_CLOSED (UINT64_C(1) << 63)

/* What the word was before. */
static inline uint64_t users_enter(users_t *u, uint64_t as)
{
    return atomic_fetch_add_explicit(u, as, memory_order_acquire);
}

/* What the word is now; USERS_CLOSED alone: destroy the object. */
static inline uint64_t users_leave(users_t *u, uint64_t as)
{
    return atomic_fetch_sub_explicit(u, as, memory_order_acq_rel) - as;
}

static inline uint64_t users_now(users_t *u)
{
    return atomic_load_explicit(u, memory_order_acquire);
}

/* By one inside as USERS_OTHER.  Whether others are inside who have to be
 * woken; false when it was closed before. */
static inline bool users_close(users_t *u)
{
    uint64_t old =
        atomic_fetch_or_explicit(u, USERS_CLOSED, memory_order_acq_rel);

    return !(old & USERS_CLOSED) && old != USERS_OTHER;
}

#endif
