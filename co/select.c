/* select.c - waits for the first of several: channels and descriptors.
 *
 * One ticket stands in all the queues.  A turn asks the kernel which of the
 * descriptors are ready, then takes the locks of all the channels, in the order
 * of their addresses, and looks: if something can be done, a random one of all
 * that can is done; otherwise the ticket joins the queues before the locks are
 * given up.  While it looks, the ticket stands nowhere yet, so nobody can fire
 * it: a match with another select needs only to claim the other's ticket, which
 * settles it for both, however they meet.
 *
 * A descriptor's event is a reason for another turn, not a result: it may
 * be out of date.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/select.h"
#include "co/bug.h"
#include "co/chan.h"
#include "co/fd.h"
#include "co/fd_thread.h"
#include <errno.h>

enum { AGAIN = -2 }; /* another turn is needed */

static inline bool is_send(const struct co_case *c)
{
    return c->op == CO_OP_SEND;
}

/* ---- The order of locking ---------------------------------------------------
 */

static struct co_case *merge(struct co_case *a, struct co_case *b)
{
    struct co_case *first = NULL, **end = &first;

    while (a != NULL && b != NULL) {
        struct co_case **less =
            (uintptr_t)a->chan <= (uintptr_t)b->chan ? &a : &b;

        *end = *less;
        end = &select_slot_of(*less)->next;
        *less = *end;
    }
    *end = a != NULL ? a : b;
    return first;
}

/* Sorts the first count of list, and cuts them off from the rest. */
static struct co_case *sort(struct co_case **list, int count)
{
    struct co_case *first = *list, *second;

    if (count == 0)
        return NULL;
    if (count == 1) {
        *list = select_slot_of(first)->next;
        select_slot_of(first)->next = NULL;
        return first;
    }
    first = sort(list, count / 2);
    second = sort(list, count - count / 2);
    return merge(first, second);
}

static void open_selection(struct selection *x)
{
    struct co_case *list = NULL;
    int channels = 0;

    x->fds = 0;
    for (int i = 0; i < x->count; i++) {
        struct co_case *c = &x->cases[i];

        BUG_ON(c->op != CO_OP_SEND && c->op != CO_OP_RECV && !select_is_fd(c),
               "co_select: a case with an unknown op");
        c->err = 0;
        select_slot_of(c)->link =
            (struct wait_link){ .wait = &x->wait, .index = i, .data = c->elem };
        if (select_is_fd(c)) {
            select_slot_of(c)->gen = fd_gen(c->fd);
            x->fds++;
        } else if (c->chan != NULL) {
            select_slot_of(c)->next = list;
            list = c;
            channels++;
        }
    }
    x->order = sort(&list, channels);
}

/* The next one in order that has another channel. */
static inline struct co_case *next_channel(struct co_case *c)
{
    struct co_chan *ch = c->chan;

    while ((c = select_slot_of(c)->next) != NULL && c->chan == ch)
        ;
    return c;
}

static void lock_all(struct selection *x)
{
    for (struct co_case *c = x->order; c != NULL; c = next_channel(c))
        chan_lock(c->chan);
}

static void unlock_all(struct selection *x)
{
    for (struct co_case *c = x->order; c != NULL; c = next_channel(c))
        chan_unlock(c->chan);
}

/* ---- Looking ----------------------------------------------------------------
 */

/* Whether somebody in q can still be claimed, probably; forgets the others. */
static bool anybody(struct co_waitq *q)
{
    struct wait_link *l;

    while ((l = (struct wait_link *)q->head) != NULL) {
        if (!l->wait->shared ||
            !atomic_load_explicit(&l->wait->claimed, memory_order_relaxed))
            return true;
        waitq_remove(q, l);
    }
    return false;
}

static bool is_ready(struct co_case *c)
{
    struct co_chan *ch = c->chan;

    if (select_is_fd(c))
        return c->err != 0 || select_slot_of(c)->link.events != 0;
    if (ch == NULL)
        return false;
    if (ch->closed)
        return true;
    if (is_send(c))
        return ch->count < ch->capacity || anybody(&ch->receivers);
    return ch->count > 0 || anybody(&ch->senders);
}

/* False when it turns out not to be ready. */
static bool attempt(struct co_case *c, struct wait **partner)
{
    enum chan_result result;

    *partner = NULL;
    if (select_is_fd(c)) {
        c->events = (int)select_slot_of(c)->link.events;
        return true;
    }
    if (is_send(c))
        result = chan_try_send(c->chan, c->elem, partner);
    else
        result = chan_try_recv(c->chan, c->elem, partner);
    if (result == CHAN_CLOSED)
        c->err = EPIPE;
    return result != CHAN_WAIT;
}

/* Two threads may read the same state and get the same number: random enough,
 * and it costs no atomic exchange. */
static uint32_t random_below(uint32_t n)
{
    static atomic_uint state = 1;
    uint32_t r = atomic_load_explicit(&state, memory_order_relaxed);

    r ^= r << 13;
    r ^= r >> 17;
    r ^= r << 5;
    atomic_store_explicit(&state, r, memory_order_relaxed);
    return (uint32_t)((uint64_t)r * n >> 32);
}

/* A random one of those that are ready, or -1. */
static int choose(struct selection *x)
{
    uint32_t ready = 0, skip;
    int last = -1;

    for (int i = 0; i < x->count; i++) {
        if (is_ready(&x->cases[i])) {
            ready++;
            last = i;
        }
    }
    if (ready < 2)
        return last;
    skip = random_below(ready);
    for (int i = 0; i < x->count; i++)
        if (is_ready(&x->cases[i]) && skip-- == 0)
            return i;
    return last; /* one that was counted is not ready any more */
}

/* Under all locks: does one of those that are ready, and returns its index; -1
 * when none is.  A second round is needed only when a partner's ticket was
 * claimed from elsewhere between the choice and the attempt. */
static int look(struct selection *x, struct wait **partner)
{
    int i;

    do
        i = choose(x);
    while (i >= 0 && !attempt(&x->cases[i], partner));
    return i;
}

/* ---- Waiting ----------------------------------------------------------------
 */

static void push_all(struct selection *x)
{
    for (struct co_case *c = x->order; c != NULL; c = select_slot_of(c)->next)
        chan_push(c->chan, is_send(c), &select_slot_of(c)->link);
}

static void remove_all(struct selection *x)
{
    for (struct co_case *c = x->order; c != NULL; c = select_slot_of(c)->next) {
        chan_lock(c->chan);
        if (select_slot_of(c)->link.linked)
            waitq_remove(chan_queue(c->chan, is_send(c)),
                         &select_slot_of(c)->link);
        chan_unlock(c->chan);
    }
}

/* Stands in all queues until fired.  The case's index, -1 with errno, or AGAIN
 * for another turn. */
static int park(struct selection *x)
{
    struct wait *w = &x->wait;
    struct co_case *c;

    select_fd_watch(x);
    if (w->co == NULL && x->fds > 0)
        select_fd_park(x);
    else
        (void)wait_park(w); /* why and fired say all */
    remove_all(x);
    select_fd_unwatch(x);
    if (w->fired == NULL) {
        errno = w->why;
        /* EBADF: some descriptor has changed hands; the next turn sees which.
         */
        return w->why == 0 || w->why == EBADF ? AGAIN : -1;
    }
    c = &x->cases[w->fired->index];
    if (select_is_fd(c) && w->why == 0)
        return AGAIN;
    if (select_is_fd(c))
        c->events = 0;
    c->err = w->why;
    return w->fired->index;
}

static int turn(struct selection *x, int64_t deadline)
{
    struct wait *partner = NULL;
    int done;

    if (wait_open(&x->wait, WAIT_SELECT, deadline) < 0)
        return -1;
    x->wait.shared = true;
    if (x->fds > 0 && select_fd_poll(x) < 0)
        return -1;
    if (x->fds > 0 && x->wait.co == NULL && fd_thread_open(&x->wait) < 0)
        return -1;
    lock_all(x);
    done = look(x, &partner);
    if (done < 0 && !wait_passed(&x->wait)) {
        push_all(x);
        unlock_all(x);
        return park(x);
    }
    unlock_all(x);
    if (partner != NULL)
        wait_wake(partner);
    return done;
}

int co_select(struct co_case *cases, int count, int64_t deadline)
{
    struct selection x;
    int done;

    BUG_ON(count < 0, "co_select: a negative count");
    x.cases = cases;
    x.count = count;
    open_selection(&x);
    do
        done = turn(&x, deadline);
    while (done == AGAIN);
    return done;
}
