/* chan.c - channels: made, closed, and the sends and receives that wait for
 * one channel only; see chan.h.  select.c has those that wait for several.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/chan.h"
#include "co/bug.h"
#include <errno.h>
#include <stdlib.h>

struct co_chan *co_chan_new(size_t elem_size, size_t capacity)
{
    struct co_chan *ch;
    size_t bytes;

    if (__builtin_mul_overflow(elem_size, capacity, &bytes) ||
        __builtin_add_overflow(bytes, sizeof *ch, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    ch = malloc(bytes);
    if (ch != NULL)
        *ch = (struct co_chan){ .elem_size = elem_size, .capacity = capacity };
    return ch;
}

void co_chan_free(struct co_chan *ch)
{
    if (ch == NULL)
        return;
    BUG_ON(!waitq_empty(&ch->receivers), "co_chan_free: somebody receives");
    BUG_ON(!waitq_empty(&ch->senders), "co_chan_free: somebody sends");
    free(ch);
}

void co_chan_close(struct co_chan *ch)
{
    struct wait_link *receivers, *senders;

    chan_lock(ch);
    ch->closed = true;
    receivers = waitq_claim_all(&ch->receivers, EPIPE);
    senders = waitq_claim_all(&ch->senders, EPIPE);
    chan_unlock(ch);
    wait_wake_all(receivers);
    wait_wake_all(senders);
}

/* With ch locked, which is unlocked then. */
static __attribute__((noinline)) int wait_for_partner(struct co_chan *ch,
                                                      bool send, void *elem,
                                                      int64_t deadline)
{
    struct wait w;

    wait_open_checked(&w, WAIT_CHAN, deadline);
    if (wait_passed(&w)) {
        chan_unlock(ch);
        return -1;
    }
    w.link.data = elem;
    chan_push(ch, send, &w.link);
    chan_unlock(ch);
    return wait_park(&w);
}

/* A NULL channel is never ready. */
static int wait_for_nothing(int64_t deadline)
{
    struct wait w;

    if (wait_open(&w, WAIT_CHAN, deadline) < 0 || wait_passed(&w))
        return -1;
    return wait_park(&w);
}

/* What is left to do once it was tried under the lock. */
static inline int finish(struct co_chan *ch, enum chan_result result,
                         struct wait *partner)
{
    chan_unlock(ch);
    if (result == CHAN_WAKES)
        wait_wake(partner);
    if (__builtin_expect(result != CHAN_CLOSED, 1))
        return 0;
    errno = EPIPE;
    return -1;
}

/* With ch locked.  These and wait_for_partner() are functions of their own so
 * that each way through a send or a receive saves only the registers that it
 * needs: 10 ns of a round trip. */
static __attribute__((noinline)) int send_now(struct co_chan *ch,
                                              const void *elem,
                                              int64_t deadline)
{
    struct wait *partner;
    enum chan_result result = chan_try_send(ch, elem, &partner);

    if (result == CHAN_WAIT) /* a partner was claimed by somebody else */
        return wait_for_partner(ch, true, (void *)elem, deadline);
    return finish(ch, result, partner);
}

static __attribute__((noinline)) int recv_now(struct co_chan *ch, void *elem,
                                              int64_t deadline)
{
    struct wait *partner;
    enum chan_result result = chan_try_recv(ch, elem, &partner);

    if (result == CHAN_WAIT)
        return wait_for_partner(ch, false, elem, deadline);
    return finish(ch, result, partner);
}

int co_chan_send(struct co_chan *ch, const void *elem, int64_t deadline)
{
    if (wait_check() < 0)
        return -1;
    if (__builtin_expect(ch == NULL, 0))
        return wait_for_nothing(deadline);
    chan_lock(ch);
    if (chan_may_send(ch))
        return send_now(ch, elem, deadline);
    return wait_for_partner(ch, true, (void *)elem, deadline);
}

int co_chan_recv(struct co_chan *ch, void *elem, int64_t deadline)
{
    if (wait_check() < 0)
        return -1;
    if (__builtin_expect(ch == NULL, 0))
        return wait_for_nothing(deadline);
    chan_lock(ch);
    if (chan_may_recv(ch))
        return recv_now(ch, elem, deadline);
    return wait_for_partner(ch, false, elem, deadline);
}
