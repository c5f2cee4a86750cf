/* account.c - what a call that was made means for the slots and channels.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/world.h"
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

static void received(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    struct chan *chan = &w->chans[s->chan];
    bool flags_count = c->kind >= CALL_RECV && c->kind <= CALL_RECVMMSG;

    if (c->ret < 0 || (flags_count && (c->flags & MSG_PEEK)))
        return;
    chan->received[s->side] += c->bytes;
    chan->full[!s->side] = false;
    chan->messages[!s->side] -= (int)c->messages;
    if (chan->messages[!s->side] < 0)
        chan->messages[!s->side] = 0;
}

static void sent(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    struct chan *chan = &w->chans[s->chan];

    if (c->ret < 0)
        return;
    chan->sent[s->side] += c->bytes;
    chan->messages[s->side] += (int)c->messages;
    if (c->bytes > 0 && s->kind == SLOT_TCP)
        chan->late[s->side] = world_count_side(w, s->chan, !s->side) == 0 &&
                              !(s->side == 0 && chan->waiting);
    if (c->number > UINT32_MAX)
        chan->huge = true;
    if (c->pass >= 0 && c->pass_slot >= 0) {
        const struct slot *p = &w->slots[c->pass_slot];

        w->chans[p->chan].shared[p->side] = true;
    }
}

/* Descriptors that came with a message: what they are, their inodes tell. */
static void adopt_passed(struct world *w, int fd)
{
    uint64_t inode = raw_inode(fd);

    for (int i = 0; i < SLOTS; i++) {
        const struct slot *s = &w->slots[i];

        if (s->kind != 0 && s->kind != SLOT_EVENTFD &&
            w->chans[s->chan].inode[s->side] == inode) {
            (void)world_add(w, s->kind, fd, s->chan, s->side);
            return;
        }
    }
    (void)close(fd);
}

static void duplicated(struct world *w, const struct call *c)
{
    struct slot s = w->slots[c->slot];
    int slot;

    if (c->ret < 0)
        return;
    for (int i = 0; i < SLOTS && c->fd2 >= 0; i++)
        if (i != c->slot && w->slots[i].kind != 0 && w->slots[i].fd == c->fd2) {
            w->touched |= 1U << w->slots[i].chan;
            world_drop(w, i);
        }
    if (c->made[0] == c->fd)
        return; /* dup2() of one to itself */
    slot = world_add(w, s.kind, c->made[0], s.chan, s.side);
    if (slot >= 0)
        w->slots[slot].peer = s.peer;
}

static void shut(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    struct chan *chan = &w->chans[s->chan];

    if (c->ret < 0)
        return;
    if (c->flags == SHUT_RD || c->flags == SHUT_RDWR)
        chan->no_receive[s->side] = true;
    if (c->flags == SHUT_WR || c->flags == SHUT_RDWR)
        chan->no_send[s->side] = true;
    if (s->kind == SLOT_LISTENER && s->peer == SLOT_TCP && chan->no_receive[0])
        chan->backlog = -1; /* it listens no more */
}

static void accepted(struct world *w, const struct call *c)
{
    const struct slot *s = &w->slots[c->slot];
    struct chan *listener = &w->chans[s->chan];
    int chan;

    if (c->ret < 0)
        return;
    if (listener->pending == 0) {
        (void)close(c->made[0]);
        return;
    }
    chan = listener->queue[0];
    listener->pending--;
    for (int i = 0; i < listener->pending; i++)
        listener->queue[i] = listener->queue[i + 1];
    w->chans[chan].waiting = false;
    w->touched |= 1U << chan;
    (void)world_add(w, s->peer, c->made[0], chan, 1);
}

/* It waits in the queue of the listener in slot fd2. */
static void connected(struct world *w, const struct call *c)
{
    struct chan *listener;
    int chan = w->slots[c->slot].chan;

    if ((c->ret < 0 && c->err != EINPROGRESS) || c->fd2 < 0 ||
        w->slots[c->fd2].kind != SLOT_LISTENER)
        return;
    listener = &w->chans[w->slots[c->fd2].chan];
    if (listener->backlog < 0 || listener->pending == QUEUE_MOST)
        return;
    listener->queue[listener->pending++] = chan;
    w->chans[chan].waiting = true;
}

void world_account(struct world *w, const struct call *c)
{
    if (c->slot < 0)
        return;
    if (c->kind < CALL_WRITE || c->kind == CALL_TAKE) {
        received(w, c);
        for (int i = 0; i < 2; i++)
            if (c->made[i] >= 0)
                adopt_passed(w, c->made[i]);
    } else if (c->kind < CALL_TAKE || c->kind == CALL_SENDFILE ||
               c->kind == CALL_SPLICE) {
        sent(w, c);
    } else if (c->kind >= CALL_DUP && c->kind <= CALL_DUPFD) {
        duplicated(w, c);
    } else if (c->kind == CALL_SHUTDOWN) {
        shut(w, c);
    } else if (c->kind == CALL_ACCEPT || c->kind == CALL_ACCEPT4) {
        accepted(w, c);
    } else if (c->kind == CALL_CONNECT) {
        connected(w, c);
    } else if (c->kind == CALL_CLOSE && c->ret == 0) {
        world_drop(w, c->slot);
    }
}
