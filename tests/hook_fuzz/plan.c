/* plan.c - how a call that blocks is made to return: by exactly one other
 * call, or a few of one kind, so that the outcome does not depend on which of
 * the two is there first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ONE_SEND = 1000 }; /* bytes that go, and come, in one piece */

static struct call *plan_add(struct plan *plan, enum call_kind kind, int slot,
                             int fd)
{
    plan->calls[plan->count] = call_of(kind, slot, fd);
    return &plan->calls[plan->count++];
}

/* ---- To make it readable ----------------------------------------------------
 */

static void add_send(struct world *w, struct plan *plan, int slot, size_t len,
                     uint32_t how)
{
    static const enum call_kind kinds[8] = { CALL_WRITE,   CALL_SEND,
                                             CALL_WRITEV,  CALL_SENDTO,
                                             CALL_SENDMSG, CALL_SENDMMSG,
                                             CALL_WRITE,   CALL_PWRITEV2 };
    const struct slot *s = &w->slots[slot];
    enum call_kind kind = kinds[how & 7];
    struct call *c;

    if (s->kind == SLOT_PIPE_WRITE && kind != CALL_PWRITEV2)
        kind = how & 1 ? CALL_WRITE : CALL_WRITEV;
    if (len == 0 && (kind == CALL_WRITEV || kind == CALL_PWRITEV2))
        kind = CALL_WRITE; /* those two send no empty message */
    c = plan_add(plan, kind, slot, s->fd);
    c->len = len;
    if (kind == CALL_WRITEV || kind == CALL_SENDMSG || kind == CALL_PWRITEV2)
        c->parts = 1 + (how >> 3 & 1);
}

/* Whether `len` bytes, sent by that slot, go at once. */
static bool has_room(struct world *w, int slot, size_t len)
{
    const struct slot *s = &w->slots[slot];
    const struct chan *chan = &w->chans[s->chan];
    int events = raw_poll(s->fd, POLLOUT);

    if (chan->no_send[s->side] || chan->no_receive[!s->side] ||
        !(events & POLLOUT) || (events & (POLLERR | POLLHUP)))
        return false;
    if (s->kind == SLOT_STREAM)
        return (int)len <= raw_option(s->fd, SO_SNDBUF) / 4;
    if (s->kind == SLOT_MESSAGES || (s->kind & SLOT_MESSAGES))
        return (int)len + 64 <= raw_option(s->fd, SO_SNDBUF) &&
               chan->messages[s->side] <= 4;
    return s->kind == SLOT_TCP || len <= 4096;
}

/* As many messages, or parts of a stream, as recvmmsg() still lacks. */
static bool plan_many(struct world *w, const struct call *c, int peer,
                      uint32_t how, struct plan *plan)
{
    const struct slot *s = &w->slots[c->slot];
    int have = 0;

    if (s->kind & SLOT_MESSAGES)
        have = w->chans[s->chan].messages[!s->side];
    else if (raw_queued(s->fd) > 0)
        return false;
    if (!has_room(w, peer, c->len))
        return false;
    for (unsigned i = (unsigned)have; i < c->parts; i++) {
        size_t len = c->len * (i + 1) / c->parts - c->len * i / c->parts;

        if (len > 0 || (s->kind & SLOT_MESSAGES))
            add_send(w, plan, peer, len, how & ~5U); /* not sendmmsg() */
    }
    if (plan->count == 0)
        add_send(w, plan, peer, 1, how);
    return true;
}

static bool plan_send(struct world *w, const struct call *c, int peer,
                      uint32_t how, struct plan *plan)
{
    const struct slot *s = &w->slots[c->slot];
    bool all = wants_all(w, c);
    size_t len = how >> 8 & 1 ? 1 + (how >> 9) % ONE_SEND : c->len, more;

    if (s->kind == SLOT_EVENTFD) {
        struct call *number =
            plan_add(plan, CALL_WRITE, peer, w->slots[peer].fd);

        number->len = 8;
        number->number = 1 + (how >> 8 & 3);
        return true;
    }
    if (c->kind == CALL_RECVMMSG && c->parts > 1 &&
        !(c->flags & MSG_WAITFORONE))
        return plan_many(w, c, peer, how, plan);
    if (!all || c->len == 0) {
        if (len > ONE_SEND)
            len = ONE_SEND;
        if (len == 0 && !(s->kind & SLOT_MESSAGES))
            len = 1;
        if (!has_room(w, peer, len))
            return false;
        add_send(w, plan, peer, len, how);
        return true;
    }
    more = c->len - (size_t)raw_queued(s->fd);
    if (!has_room(w, peer, more))
        return false;
    if (more > 1 && (how >> 10 & 1))
        add_send(w, plan, peer, more / 2, how);
    add_send(w, plan, peer, plan->count > 0 ? more - more / 2 : more, how >> 4);
    return true;
}

/* The end of what comes: the peer shuts down or closes, or we do. */
static bool plan_end(struct world *w, const struct call *c, int peer,
                     uint32_t how, struct plan *plan)
{
    const struct slot *s = &w->slots[c->slot];
    const struct slot *p = &w->slots[peer];
    bool alone = world_count_side(w, p->chan, p->side) == 1 &&
                 !w->chans[p->chan].shared[p->side];

    if (s->kind == SLOT_DGRAM || (how & 3) == 0) {
        if (!(s->kind & SLOT_CONNECTED))
            return false;
        plan_add(plan, CALL_SHUTDOWN, c->slot, s->fd)->flags = SHUT_RD;
    } else if ((how & 3) == 1 && (s->kind & SLOT_CONNECTED)) {
        plan_add(plan, CALL_SHUTDOWN, peer, p->fd)->flags =
            how >> 2 & 1 ? SHUT_WR : SHUT_RDWR;
    } else {
        if (!alone || s->kind == SLOT_EVENTFD)
            return false;
        /* A reset is told before what has come, or that there is room for
         * nothing; but only to those who are late. */
        if (raw_queued(p->fd) > 0 && (c->len == 0 || c->kind == CALL_RECVMMSG))
            return false;
        (void)plan_add(plan, CALL_CLOSE, peer, p->fd);
    }
    return true;
}

static bool plan_connect(struct world *w, int listener, struct plan *plan)
{
    const struct chan *chan = &w->chans[w->slots[listener].chan];
    int slot = world_socket(w, w->slots[listener].peer, false);
    struct call *c;

    if (slot < 0)
        return false;
    c = plan_add(plan, CALL_CONNECT, slot, w->slots[slot].fd);
    c->addr = chan->addr;
    c->addr_len = chan->addr_len;
    c->fd2 = listener;
    return true;
}

bool plan_readable(struct world *w, const struct call *c, uint32_t how,
                   struct plan *plan)
{
    int peer;

    plan->count = 0;
    if (w->slots[c->slot].kind == SLOT_LISTENER) {
        if (w->chans[w->slots[c->slot].chan].backlog < 0)
            return false;
        if ((how & 7) > 0)
            return plan_connect(w, c->slot, plan);
        plan_add(plan, CALL_SHUTDOWN, c->slot, c->fd)->flags = SHUT_RDWR;
        return true;
    }
    peer = world_other_side(w, c->slot);
    if (peer < 0)
        return false;
    how >>= 3;
    return how & 3 ? plan_send(w, c, peer, how >> 2, plan)
                   : plan_end(w, c, peer, how >> 2, plan);
}

/* ---- To make it writable ----------------------------------------------------
 */

static bool plan_take(struct world *w, const struct call *c, int peer,
                      uint32_t how, struct plan *plan)
{
    static const int chunks[4] = { 700, 4096, 60000, DATA_MOST };
    const struct slot *s = &w->slots[c->slot];
    size_t all = (size_t)raw_queued(w->slots[peer].fd) + c->len;
    struct call *take;

    if (s->kind == SLOT_TCP)
        all = (size_t)(w->chans[s->chan].sent[s->side] -
                       w->chans[s->chan].received[!s->side]) +
              c->len;
    if (w->chans[s->chan].packets || all > DATA_MOST)
        return false;
    take = plan_add(plan, CALL_TAKE, peer, w->slots[peer].fd);
    take->len = all;
    take->value = chunks[how & 3];
    take->flags = s->kind == SLOT_PIPE_WRITE || (how & 4) ? -1
                  : how & 8                               ? MSG_WAITALL
                                                          : 0;
    return true;
}

bool plan_writable(struct world *w, const struct call *c, uint32_t how,
                   struct plan *plan)
{
    const struct slot *s = &w->slots[c->slot];
    const struct chan *chan = &w->chans[s->chan];
    int peer = world_other_side(w, c->slot);

    plan->count = 0;
    if (peer < 0 || chan->no_send[s->side] || chan->no_receive[!s->side])
        return false;
    if (s->kind == SLOT_EVENTFD) {
        plan_add(plan, CALL_READ, peer, w->slots[peer].fd)->len = 8;
        return true;
    }
    if (s->kind & SLOT_MESSAGES) {
        if (chan->messages[s->side] > CALLS_MOST * PARTS_MOST ||
            chan->messages[s->side] == 0 || c->kind == CALL_SENDMMSG)
            return false;
        for (int left = chan->messages[s->side]; left > 0; left -= PARTS_MOST) {
            struct call *take =
                plan_add(plan, CALL_RECVMMSG, peer, w->slots[peer].fd);

            take->parts = left < PARTS_MOST ? (unsigned)left : PARTS_MOST;
            take->len = 1000;
        }
        return true;
    }
    if (s->kind == SLOT_STREAM && chan->full[s->side] && (how & 1) &&
        c->kind != CALL_SENDMMSG) { /* whose first message may be empty */
        plan_add(plan, CALL_SHUTDOWN, how & 2 ? c->slot : peer,
                 how & 2 ? s->fd : w->slots[peer].fd)
            ->flags = how & 2 ? SHUT_WR : SHUT_RD;
        return true;
    }
    return plan_take(w, c, peer, how >> 2, plan);
}

/* ---- Both -------------------------------------------------------------------
 */

void do_blocked(struct world *w, const struct step *s, struct call *c,
                struct plan *plan)
{
    int actor = s->actor > 0 ? s->actor : 1;

    world_begin(w, actor, c, s->c & 3);
    for (int i = 0; i < plan->count; i++)
        world_do(w, s->c & 4 ? 3 - actor : 0, &plan->calls[i]);
    world_end(w, actor, c);
}
