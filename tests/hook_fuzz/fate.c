/* fate.c - what the kernel would do with a call, as far as that is certain.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <poll.h>
#include <sys/socket.h>

enum {
    SHORT_MS = 100,     /* time-outs up to here are waited for */
    COPIED_ROOM = 8192, /* where what was copied does not matter yet */
    TCP_ROOM = 16384    /* bytes on their way that surely fit */
};

static bool is_socket_call(enum call_kind kind)
{
    return (kind >= CALL_RECV && kind <= CALL_RECVMMSG) ||
           (kind >= CALL_SEND && kind <= CALL_SENDMMSG);
}

bool waits_forever(const struct world *w, int slot, int option)
{
    const struct slot *s = &w->slots[slot];
    int64_t ms;

    if (raw_nonblock(s->fd))
        return false;
    if (!(s->kind & SLOT_SOCKET))
        return true;
    ms = raw_timeout_ms(s->fd, option);
    return ms == 0 || ms > SHORT_MS;
}

static bool call_waits(const struct world *w, const struct call *c, int option)
{
    if (is_socket_call(c->kind) && (c->flags & MSG_DONTWAIT))
        return false;
    return waits_forever(w, c->slot, option);
}

/* Linux peeks at what a unix socket has, and at no more. */
bool wants_all(const struct world *w, const struct call *c)
{
    enum slot_kind kind = w->slots[c->slot].kind;

    return c->kind >= CALL_RECV && c->kind <= CALL_RECVMMSG &&
           (c->flags & MSG_WAITALL) &&
           (kind == SLOT_TCP ||
            (kind == SLOT_STREAM && !(c->flags & MSG_PEEK)));
}

/* Where something is there, but the call may want more. */
static enum fate fate_of_more(struct world *w, const struct call *c, int events)
{
    const struct slot *s = &w->slots[c->slot];
    bool ended = events & (POLLRDHUP | POLLHUP | POLLERR);

    if (ended || !is_socket_call(c->kind))
        return RUNS;
    if (c->kind == CALL_RECVMMSG && c->parts > 1 &&
        !(c->flags & MSG_WAITFORONE)) {
        if (s->kind & SLOT_MESSAGES)
            return (c->flags & MSG_PEEK) ||
                           w->chans[s->chan].messages[!s->side] >= (int)c->parts
                       ? RUNS
                       : BLOCKS;
        return raw_queued(s->fd) >= (int)c->len ? RUNS : BLOCKS;
    }
    return wants_all(w, c) && raw_queued(s->fd) < (int)c->len ? BLOCKS : RUNS;
}

enum fate fate_of_read(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    int events;

    if (s->kind & (SLOT_FILE | SLOT_LISTENER | SLOT_DEAF | SLOT_PIPE_WRITE))
        return RUNS;
    if (is_socket_call(c->kind) && !(s->kind & SLOT_SOCKET))
        return RUNS;
    if (c->kind <= CALL_PREADV2 &&
        (c->len == 0 || (s->kind == SLOT_EVENTFD && c->len < 8)))
        return RUNS;
    events = raw_poll(s->fd, POLLIN | POLLRDHUP);
    /* What TCP says of nothing at the end of a time-out, nobody needs. */
    if (s->kind == SLOT_TCP && c->len < c->parts && events == 0 &&
        raw_timeout_ms(s->fd, SO_RCVTIMEO) != 0)
        return UNSURE;
    if (!call_waits(w, c, SO_RCVTIMEO))
        return RUNS;
    /* The hooks learn of it, but not at once. */
    if (s->kind == SLOT_DGRAM && w->chans[s->chan].no_receive[s->side])
        return UNSURE;
    return events == 0 ? BLOCKS : fate_of_more(w, c, events);
}

static enum fate fate_of_count(struct world *w, const struct call *c,
                               int events)
{
    if (c->len < 8)
        return RUNS;
    if (c->number <= 1)
        return events & POLLOUT ? RUNS : BLOCKS;
    if (!(raw_poll(c->fd, POLLIN) & POLLIN))
        return RUNS;
    /* Hooks take the thread where poll(2) says that there is room, but not for
     * that much (co/HOOKS.md). */
    return w->chans[w->slots[c->slot].chan].huge || c->number > UINT32_MAX
               ? UNSURE
               : RUNS;
}

static enum fate fate_of_room(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    const struct chan *chan = &w->chans[s->chan];

    switch (s->kind) {
    case SLOT_PIPE_WRITE:
        return c->len <= 4096 ? RUNS : UNSURE;
    case SLOT_STREAM:
        return (int)c->len <= raw_option(s->fd, SO_SNDBUF) / 2 - 64 ? RUNS
                                                                    : BLOCKS;
    case SLOT_TCP:
        return chan->sent[s->side] - chan->received[!s->side] +
                           (int64_t)c->len <=
                       TCP_ROOM
                   ? RUNS
                   : UNSURE;
    default: /* a datagram each: there is room for one */
        return c->kind == CALL_SENDMMSG && c->parts > 1 &&
                       (chan->messages[s->side] > 4 ||
                        raw_option(s->fd, SO_SNDBUF) < 100000)
                   ? UNSURE
                   : RUNS;
    }
}

enum fate fate_of_write(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    const struct chan *chan = &w->chans[s->chan];
    bool waits = call_waits(w, c, SO_SNDTIMEO);
    int events = raw_poll(s->fd, POLLOUT);

    if (s->kind & (SLOT_FILE | SLOT_LISTENER | SLOT_DEAF | SLOT_PIPE_READ))
        return RUNS;
    if (is_socket_call(c->kind) && !(s->kind & SLOT_SOCKET))
        return RUNS;
    if (s->kind == SLOT_TCP && !chan->no_send[s->side])
        return events & (POLLERR | POLLHUP) ? RUNS : fate_of_room(w, c);
    if (chan->copied &&
        chan->sent[s->side] - chan->received[!s->side] > COPIED_ROOM)
        return UNSURE;
    if (!waits)
        return RUNS;
    if (s->kind == SLOT_EVENTFD)
        return fate_of_count(w, c, events);
    if (c->len == 0 && (!(s->kind & SLOT_MESSAGES) || c->kind == CALL_WRITEV ||
                        c->kind == CALL_PWRITEV2))
        return RUNS;
    if (chan->no_send[s->side] || (events & (POLLERR | POLLHUP)) ||
        ((s->kind & (SLOT_STREAM | SLOT_PACKET)) && chan->no_receive[!s->side]))
        return RUNS;
    return events & POLLOUT ? fate_of_room(w, c) : BLOCKS;
}

enum fate fate_of_accept(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];

    if (s->kind != SLOT_LISTENER || w->chans[s->chan].backlog < 0 ||
        !waits_forever(w, c->slot, SO_RCVTIMEO))
        return RUNS;
    if (w->chans[s->chan].no_receive[0])
        return UNSURE; /* as with datagrams */
    return raw_poll(s->fd, POLLIN) != 0 ? RUNS : BLOCKS;
}
