/* runq.c - the ring and the inbox; see runq.h.
 *
 * The inbox is a stack of posts, pushed by compare-and-swap by anybody and
 * emptied at once by its owner, so there is no ABA.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/runq.h"
#include "co/reserve.h"
#include "co/sys.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { RING_FIRST = 256 };

atomic_uint runq_outsiders;

int runq_open(struct sched *s)
{
    s->ring = reserve_open(STACK_MAX * sizeof *s->ring);
    if (s->ring == NULL)
        return -1;
    s->ring_mask = RING_FIRST - 1;
    s->head = s->tail = 0;
    s->eventfd = sys.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (s->eventfd >= 0)
        return 0;
    reserve_close(s->ring, STACK_MAX * sizeof *s->ring);
    s->ring = NULL;
    return -1;
}

void runq_close(struct sched *s)
{
    int err = errno; /* of whoever gives up half way */

    (void)sys.close(s->eventfd); /* nobody writes it any more */
    reserve_close(s->ring, STACK_MAX * sizeof *s->ring);
    s->ring = NULL;
    errno = err;
}

/* Position p stands at p & mask.  With one more bit in the mask the entries
 * whose position has that bit move up by the old size, the others stay. */
void runq_grow(struct sched *s)
{
    uint32_t size = s->ring_mask + 1;

    for (uint32_t p = s->head; p != s->tail; p++)
        if (p & size)
            s->ring[(p & s->ring_mask) + size] = s->ring[p & s->ring_mask];
    s->ring_mask = 2 * size - 1;
}

static void wake(struct sched *s)
{
    uint64_t one = 1;

    /* Pairs with sched_block(): there `sleeping` is stored and then the inbox
     * read, here the inbox is written and then `sleeping` read, all seq_cst, so
     * one of the two sees the other. */
    if (atomic_load(&s->sleeping) && atomic_exchange(&s->sleeping, 0))
        /* Can fail only when the counter is at its maximum: it is readable
         * then. */
        (void)!sys.write(s->eventfd, &one, sizeof one);
}

void runq_forward(struct sched *s, struct post *p)
{
    struct post *old = atomic_load_explicit(&s->inbox, memory_order_relaxed);

    do
        p->next = old;
    while (!atomic_compare_exchange_weak(&s->inbox, &old, p));
    wake(s);
}

void runq_post(struct sched *s, struct post *p, unsigned bits)
{
    /* Release: what the poster wrote (w->why, a copied element) is seen by the
     * owner, who takes the bits with acquire. */
    unsigned old;

    runq_enter(); /* s may be done with p, and with all, before we are */
    old = atomic_fetch_or(&p->bits, bits | POST_QUEUED);
    if (!(old & POST_QUEUED))
        runq_forward(s, p);
    runq_leave();
}

struct post *runq_take(struct sched *s)
{
    struct post *p, *first = NULL;

    if (atomic_load_explicit(&s->inbox, memory_order_relaxed) == NULL)
        return NULL;
    p = atomic_exchange(&s->inbox, NULL);
    while (p != NULL) { /* newest first: turn it round */
        struct post *next = p->next;

        p->next = first;
        first = p;
        p = next;
    }
    return first;
}
