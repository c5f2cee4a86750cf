/* step_write.c - steps that send.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    WRITABLE = SLOT_PIPE_WRITE | SLOT_CONNECTED | SLOT_EVENTFD | SLOT_FILE,
    FILL_ROUNDS = 600
};

static const size_t lengths[16] = { 1,   1,    2,    7,    8,    33, 100, 100,
                                    500, 1000, 1000, 4096, 5000, 64, 0,   3 };

static const int flag_sets[8] = {
    0,       0, 0, 0, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_NOSIGNAL | MSG_DONTWAIT,
    MSG_EOR,
};

/* A descriptor to send along: not TCP, whose end could not be waited for, nor
 * of the channel that it goes through, where it would wait for itself. */
static void choose_passed(struct world *w, const struct step *s, struct call *c)
{
    int slot = world_slot(
        w, s->other, SLOT_UNIX | SLOT_PIPE_READ | SLOT_PIPE_WRITE | SLOT_FILE);

    if (slot < 0 || w->slots[slot].chan == w->slots[c->slot].chan)
        return;
    c->pass = w->slots[slot].fd;
    c->pass_slot = slot;
}

static struct call make_write(struct world *w, const struct step *s, int slot)
{
    const struct slot *to = &w->slots[slot];
    const struct chan *chan = &w->chans[to->chan];
    bool socket = to->kind & SLOT_SOCKET || (s->a >> 16 & 31) == 0;
    unsigned pick = s->a & 15;
    enum call_kind kind = pick < 4    ? CALL_WRITE
                          : pick < 6  ? CALL_WRITEV
                          : pick == 6 ? CALL_PWRITEV2
                          : pick < 10 ? CALL_SEND
                          : pick < 11 ? CALL_SENDTO
                          : pick < 14 ? CALL_SENDMSG
                                      : CALL_SENDMMSG;
    struct call c;

    if (!socket)
        kind = pick < 10 ? CALL_WRITE : pick < 14 ? CALL_WRITEV : CALL_PWRITEV2;
    c = call_of(kind, slot, to->fd);
    c.len = lengths[s->a >> 4 & 15];
    if (to->kind == SLOT_EVENTFD) {
        static const uint64_t numbers[8] = { 1, 1,         2,
                                             3, 1,         UINT64_MAX - 1,
                                             5, UINT64_MAX };

        c.number = numbers[s->a >> 12 & 7];
        c.len = s->a >> 8 & 7 ? 8 : c.len < 9 ? c.len : 8;
    }
    if (kind >= CALL_SEND)
        c.flags = flag_sets[s->a >> 11 & 7];
    if (kind == CALL_WRITEV || kind == CALL_PWRITEV2 || kind >= CALL_SENDMSG)
        c.parts = 1 + (s->a >> 20) % 3;
    if (kind >= CALL_SENDTO && chan->addr_len > 0 && to->side == 0 &&
        (s->a >> 24 & 1)) {
        c.addr = chan->addr;
        c.addr_len = chan->addr_len;
    }
    if (kind >= CALL_SENDMSG && (to->kind & SLOT_UNIX) && (s->a >> 26 & 3) == 0)
        choose_passed(w, s, &c);
    return c;
}

static void do_write(struct world *w, const struct step *s, struct call *c)
{
    struct plan plan;

    switch (fate_of_write(w, c)) {
    case RUNS:
        world_do(w, s->actor, c);
        break;
    case BLOCKS:
        if (plan_writable(w, c, s->b >> 5, &plan))
            do_blocked(w, s, c, &plan);
        break;
    case UNSURE:
        break;
    }
}

void step_write(struct world *w, const struct step *s)
{
    unsigned kinds = (s->b & 31) == 0 ? SLOT_ANY : WRITABLE;
    int slot = world_slot(w, s->slot, kinds);
    struct call c;

    if (slot < 0)
        return;
    c = make_write(w, s, slot);
    do_write(w, s, &c);
}

/* More than fits between the two ends, so it blocks, again and again. */
void step_big(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_PIPE_WRITE | SLOT_STREAM | SLOT_TCP);
    const struct chan *chan;
    struct plan plan;
    struct call c;

    if (slot < 0 || !waits_forever(w, slot, SO_SNDTIMEO))
        return;
    chan = &w->chans[w->slots[slot].chan];
    c = make_write(w, s, slot);
    c.len = 70000 + (s->b >> 8) % 400000;
    c.flags &= ~MSG_DONTWAIT;
    c.addr_len = 0;
    if (chan->no_send[w->slots[slot].side] ||
        chan->no_receive[!w->slots[slot].side] ||
        (raw_poll(c.fd, POLLOUT) & (POLLERR | POLLHUP)) ||
        (w->slots[slot].kind & SLOT_SOCKET && c.kind == CALL_SENDMMSG))
        return;
    if (c.kind >= CALL_SEND && !(w->slots[slot].kind & SLOT_SOCKET))
        c.kind = CALL_WRITE;
    if (plan_writable(w, &c, s->b & ~4U, &plan) &&
        plan.calls[0].kind == CALL_TAKE)
        do_blocked(w, s, &c, &plan);
}

static void set_flags(struct world *w, int slot, int flags)
{
    struct call c = call_of(CALL_SETFL, slot, w->slots[slot].fd);

    c.flags = flags;
    world_do(w, 0, &c);
}

/* Until there is no room for a byte.  All calls count, few are printed. */
static void fill(struct world *w, const struct step *s, int slot, bool flag)
{
    const struct slot *to = &w->slots[slot];
    size_t len = to->kind == SLOT_PIPE_WRITE ? 4096 : 8000;

    for (int i = 0; i < FILL_ROUNDS; i++) {
        struct call c = call_of(flag ? CALL_WRITE : CALL_SEND, slot, to->fd);

        c.flags = MSG_DONTWAIT;
        c.len = len;
        world_do(w, s->actor, &c);
        if (c.ret == (int64_t)len)
            continue;
        if (len == 1 || c.ret == 0 || (c.ret < 0 && c.err != EAGAIN)) {
            w->chans[to->chan].full[to->side] = c.err == EAGAIN;
            break;
        }
        len = 1;
    }
}

void step_fill(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_PIPE_WRITE | SLOT_UNIX);
    int verbose = w->verbose;
    bool flag, nonblock;

    if (slot < 0 || w->chans[w->slots[slot].chan].copied)
        return;
    flag = w->slots[slot].kind == SLOT_PIPE_WRITE || (s->a & 1);
    nonblock = raw_nonblock(w->slots[slot].fd);
    if (flag)
        set_flags(w, slot, O_NONBLOCK);
    w->verbose = -1;
    fill(w, s, slot, flag);
    w->verbose = verbose;
    if (flag && !nonblock)
        set_flags(w, slot, 0);
}

/* From a file, or from a pipe that has something; not to a pipe, whose room is
 * counted in pages. */
void step_copy(struct world *w, const struct step *s)
{
    bool file = s->a & 1;
    int from = world_slot(w, s->other, file ? SLOT_FILE : SLOT_PIPE_READ);
    int to = world_slot(w, s->slot, SLOT_STREAM | SLOT_TCP);
    struct call c;

    if (from < 0 || to < 0 || w->chans[w->slots[from].chan].packets ||
        w->chans[w->slots[to].chan].packets ||
        (!file && raw_poll(w->slots[from].fd, POLLIN) == 0))
        return;
    c = call_of(CALL_WRITE, to, w->slots[to].fd);
    c.len = lengths[s->a >> 4 & 15];
    if (c.len == 0 || fate_of_write(w, &c) != RUNS)
        return;
    c.kind = file ? CALL_SENDFILE : CALL_SPLICE;
    c.fd2 = w->slots[from].fd;
    world_do(w, s->actor, &c);
    w->touched |= 1U << w->slots[from].chan;
    w->chans[w->slots[from].chan].full[1] = false;
    w->chans[w->slots[to].chan].copied = true;
}
