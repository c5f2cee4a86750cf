/* step_connect.c - connect and accept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

enum { ROUNDS = 20000 }; /* of raw_pause() */

/* A connection that goes on by itself comes to an end. */
static void wait_connected(struct world *w, int slot, int listener)
{
    bool there = w->slots[listener].kind == SLOT_LISTENER &&
                 w->chans[w->slots[listener].chan].backlog >= 0;

    if (w->slots[slot].kind != SLOT_TCP)
        return;
    for (int i = 0; i < ROUNDS; i++) {
        if (raw_poll(w->slots[slot].fd, POLLOUT) != 0 &&
            (!there || raw_poll(w->slots[listener].fd, POLLIN) != 0))
            return;
        raw_pause();
    }
}

/* Whether there is a queue with room for one more, for now. */
static bool fits(struct world *w, int target)
{
    const struct chan *chan = &w->chans[w->slots[target].chan];

    if (w->slots[target].kind == SLOT_DEAF || chan->backlog < 0 ||
        chan->no_receive[0])
        return true; /* refused at once */
    return chan->pending <=
           (w->slots[target].peer == SLOT_TCP ? 3 : chan->backlog);
}

/* It blocks until there is room in the queue, which an accept() makes. */
static void connect_blocked(struct world *w, const struct step *s,
                            struct call *c, int target)
{
    struct plan plan = { .count = 1 };

    if (w->slots[target].peer == SLOT_TCP ||
        w->chans[w->slots[target].chan].pending >= QUEUE_MOST ||
        w->chans[w->slots[target].chan].pending == 0)
        return;
    plan.calls[0] = call_of(CALL_ACCEPT, target, w->slots[target].fd);
    do_blocked(w, s, c, &plan);
}

/* Whether it was called at all. */
static bool connect_once(struct world *w, const struct step *s, struct call *c,
                         int target, bool nonblock)
{
    if (fits(w, target) || (nonblock && w->slots[target].peer != SLOT_TCP)) {
        world_do(w, s->actor, c);
    } else {
        if (nonblock)
            return false; /* nobody knows when TCP would get through */
        c->ret = -1;
        connect_blocked(w, s, c, target);
    }
    if (c->ret == 0 || c->err == EINPROGRESS)
        wait_connected(w, c->slot, target);
    return c->ret == 0 || c->err != 0;
}

void step_connect(struct world *w, const struct step *s)
{
    int target = world_slot(w, s->other, SLOT_LISTENER | SLOT_DEAF);
    bool nonblock = (s->a & 3) == 0;
    struct call c, again;
    int slot;

    if (target < 0)
        return;
    slot = world_socket(w, w->slots[target].peer, nonblock);
    if (slot < 0)
        return;
    c = call_of(CALL_CONNECT, slot, w->slots[slot].fd);
    c.addr = w->chans[w->slots[target].chan].addr;
    c.addr_len = w->chans[w->slots[target].chan].addr_len;
    again = c;
    c.fd2 = target;
    if (connect_once(w, s, &c, target, nonblock) && (s->a & 12) == 0 &&
        (nonblock || fits(w, target)))
        world_do(w, s->actor, &again); /* EISCONN, ECONNREFUSED ... */
    if (!w->chans[w->slots[slot].chan].waiting &&
        world_count_side(w, w->slots[slot].chan, 1) == 0) {
        struct call end = call_of(CALL_CLOSE, slot, c.fd);

        world_do(w, 0, &end);
    }
}

void step_accept(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, s->a & 15 ? SLOT_LISTENER : SLOT_SOCKET);
    struct plan plan;
    struct call c;

    if (slot < 0)
        return;
    c = call_of(s->a & 16 ? CALL_ACCEPT4 : CALL_ACCEPT, slot,
                w->slots[slot].fd);
    c.flags = c.kind == CALL_ACCEPT4 && (s->a & 0x60) == 0 ? SOCK_NONBLOCK : 0;
    c.value = s->a >> 8 & 1;
    switch (fate_of_accept(w, &c)) {
    case RUNS:
        world_do(w, s->actor, &c);
        break;
    case BLOCKS:
        if (plan_readable(w, &c, s->b, &plan))
            do_blocked(w, s, &c, &plan);
        break;
    case UNSURE:
        break;
    }
}
