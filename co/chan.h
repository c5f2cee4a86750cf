/* chan.h - a channel from the inside, for sends, receives and selects.
 *
 * Private to co/.  One lock guards both queues and the buffer.  A link that
 * waits says in `data` where its element lies; whoever matches it copies under
 * that lock, straight from one side's memory to the other's.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CHAN_H
#define CO_CHAN_H

#include "co/wait.h"
#include <string.h>

struct co_chan {
    struct co_waitq receivers; /* its lock guards all of this */
    struct co_waitq senders;   /* its own lock is not used */
    size_t elem_size, capacity;
    size_t count, first; /* elements in the buffer; where the oldest is */
    bool closed;
    unsigned char buffer[];
};

enum chan_result {
    CHAN_DONE,  /* done at once */
    CHAN_WAKES, /* done, with a partner who is now to be woken */
    CHAN_CLOSED,
    CHAN_WAIT /* nothing to do it with yet */
};

static inline void chan_lock(struct co_chan *ch) { waitq_lock(&ch->receivers); }

static inline void chan_unlock(struct co_chan *ch)
{
    waitq_unlock(&ch->receivers);
}

static inline void chan_copy(const struct co_chan *ch, void *to,
                             const void *from)
{
    /* The usual sizes cost no call. */
    if (ch->elem_size == sizeof(void *))
        memcpy(to, from, sizeof(void *));
    else if (ch->elem_size == sizeof(int))
        memcpy(to, from, sizeof(int));
    else if (ch->elem_size != 0)
        memcpy(to, from, ch->elem_size);
}

/* The i-th oldest place of the buffer. */
static inline void *chan_place(struct co_chan *ch, size_t i)
{
    size_t at = ch->first + i;

    if (at >= ch->capacity)
        at -= ch->capacity;
    return ch->buffer + at * ch->elem_size;
}

/* All with ch locked.  False: one must wait; true: try, though somebody else
 * may have claimed the partner. */
static inline bool chan_may_send(const struct co_chan *ch)
{
    return !waitq_empty(&ch->receivers) || ch->count < ch->capacity ||
           ch->closed;
}

static inline bool chan_may_recv(const struct co_chan *ch)
{
    return ch->count > 0 || !waitq_empty(&ch->senders) || ch->closed;
}

static inline enum chan_result chan_try_send(struct co_chan *ch,
                                             const void *elem,
                                             struct wait **partner)
{
    if (__builtin_expect(ch->closed, 0))
        return CHAN_CLOSED;
    if ((*partner = waitq_claim(&ch->receivers)) != NULL) {
        chan_copy(ch, (*partner)->fired->data, elem);
        return CHAN_WAKES;
    }
    if (ch->count == ch->capacity)
        return CHAN_WAIT;
    chan_copy(ch, chan_place(ch, ch->count), elem);
    ch->count++;
    return CHAN_DONE;
}

/* A sender waits only while the buffer is full: its element moves in when the
 * oldest goes out. */
static inline enum chan_result chan_try_recv(struct co_chan *ch, void *elem,
                                             struct wait **partner)
{
    bool buffered = ch->count > 0;

    if (buffered) {
        chan_copy(ch, elem, chan_place(ch, 0));
        if (++ch->first == ch->capacity)
            ch->first = 0;
        ch->count--;
    }
    if ((*partner = waitq_claim(&ch->senders)) != NULL) {
        const void *from = (*partner)->fired->data;

        chan_copy(ch, buffered ? chan_place(ch, ch->count++) : elem, from);
        return CHAN_WAKES;
    }
    if (buffered)
        return CHAN_DONE;
    return ch->closed ? CHAN_CLOSED : CHAN_WAIT;
}

static inline struct co_waitq *chan_queue(struct co_chan *ch, bool send)
{
    return send ? &ch->senders : &ch->receivers;
}

/* Waits for a partner; l->data is where the element lies. */
static inline void chan_push(struct co_chan *ch, bool send, struct wait_link *l)
{
    waitq_push_under(&ch->receivers, chan_queue(ch, send), l);
}

#endif
