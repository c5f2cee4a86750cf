/* world.c - see world.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/world.h"
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SETTLE_ROUNDS = 20000 }; /* of raw_pause() */

/* ---- Slots and channels -----------------------------------------------------
 */

int world_slot(struct world *w, unsigned from, unsigned kinds)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        unsigned slot = (from + i) % SLOTS;

        if (w->slots[slot].kind & kinds)
            return (int)slot;
    }
    return -1;
}

int world_other_side(struct world *w, int slot)
{
    const struct slot *s = &w->slots[slot];

    for (int i = 0; i < SLOTS; i++)
        if (w->slots[i].kind != 0 && w->slots[i].chan == s->chan &&
            (w->slots[i].side != s->side || s->kind == SLOT_EVENTFD))
            return i;
    return -1;
}

int world_count_side(const struct world *w, int chan, int side)
{
    int count = 0;

    for (int i = 0; i < SLOTS; i++)
        count += w->slots[i].kind != 0 && w->slots[i].chan == chan &&
                 w->slots[i].side == side;
    return count;
}

int world_chan(struct world *w)
{
    for (int i = 0; i < CHANS; i++)
        if (!w->chans[i].used) {
            w->chans[i] = (struct chan){ .used = true };
            return i;
        }
    return -1;
}

/* A channel that nobody can reach any more is free again. */
static void tidy_chan(struct world *w, int chan)
{
    struct chan *c = &w->chans[chan];

    if (world_count_side(w, chan, 0) + world_count_side(w, chan, 1) == 0 &&
        !c->shared[0] && !c->shared[1] && !c->waiting)
        c->used = false;
}

int world_add(struct world *w, enum slot_kind kind, int fd, int chan, int side)
{
    for (int i = 0; i < SLOTS; i++) {
        struct slot *s = &w->slots[i];

        if (s->kind != 0)
            continue;
        *s =
            (struct slot){ .kind = kind, .fd = fd, .chan = chan, .side = side };
        w->chans[chan].inode[side] = raw_inode(fd);
        if (kind == SLOT_TCP)
            raw_no_delay(fd);
        return i;
    }
    (void)close(fd);
    tidy_chan(w, chan);
    return -1;
}

static void forget_pending(struct world *w, struct chan *listener)
{
    for (int i = 0; i < listener->pending; i++) {
        w->chans[listener->queue[i]].waiting = false;
        w->touched |= 1U << listener->queue[i];
        tidy_chan(w, listener->queue[i]);
    }
    listener->pending = 0;
}

void world_drop(struct world *w, int slot)
{
    struct slot *s = &w->slots[slot];
    bool listener = s->kind == SLOT_LISTENER;

    s->kind = 0;
    if (listener && world_count_side(w, s->chan, 0) == 0)
        forget_pending(w, &w->chans[s->chan]);
    tidy_chan(w, s->chan);
}

/* ---- Calls ------------------------------------------------------------------
 */

static void print_call(struct world *w, const char *what, const struct call *c)
{
    char line[512];

    if (w->verbose < 0)
        return;
    call_print(c, line, sizeof line);
    dprintf(w->verbose, "    %s%s\n", what, line);
}

void world_fold(struct world *w, const struct call *c)
{
    struct record *r = w->record;

    print_call(w, "", c);
    if (r->calls++ == 0) {
        r->ret = c->ret;
        r->err = c->err;
        r->slot = c->slot;
    }
    r->hash = hash_more(r->hash, (uint64_t)c->ret);
    r->hash = hash_more(r->hash, (uint64_t)c->err);
    r->hash = hash_more(r->hash, c->hash);
    if (c->slot >= 0)
        w->touched |= 1U << w->slots[c->slot].chan;
    world_account(w, c);
}

void world_do(struct world *w, int actor, struct call *c)
{
    c->buf = w->buffers[actor];
    c->pattern = w->pattern++;
    if (actor == 0) {
        call_make(c);
    } else {
        crew_start(w->crew, actor, c);
        crew_finish(w->crew, actor);
    }
    world_fold(w, c);
}

void world_begin(struct world *w, int actor, struct call *c, unsigned pause)
{
    c->buf = w->buffers[actor];
    c->pattern = w->pattern++;
    print_call(w, "to block: ", c);
    crew_start(w->crew, actor, c);
    crew_pause(w->crew, pause);
}

void world_end(struct world *w, int actor, struct call *c)
{
    crew_finish(w->crew, actor);
    world_fold(w, c);
}

/* ---- At rest ----------------------------------------------------------------
 */

static bool is_gone(const struct world *w, int chan, int side)
{
    const struct chan *c = &w->chans[chan];

    return world_count_side(w, chan, side) == 0 && !c->shared[side] &&
           !(side == 1 && c->waiting);
}

static bool is_tcp_settled(const struct world *w, int slot)
{
    const struct slot *s = &w->slots[slot];
    const struct chan *c = &w->chans[s->chan];
    bool gone = is_gone(w, s->chan, !s->side);
    int state = raw_tcp_state(s->fd);

    if (state == TCP_CLOSE)
        return true;
    if (c->late[s->side] && gone)
        return false; /* a reset is to come */
    if ((gone || c->no_send[!s->side]) &&
        (state == TCP_ESTABLISHED || state == TCP_FIN_WAIT1 ||
         state == TCP_FIN_WAIT2))
        return false;
    return raw_queued(s->fd) >= c->sent[!s->side] - c->received[s->side];
}

/* A close() is over for others once nobody else, not even a scheduler that asks
 * about it, holds the file. */
static bool is_settled(const struct world *w, int slot)
{
    const struct slot *s = &w->slots[slot];

    if (s->kind == SLOT_TCP)
        return is_tcp_settled(w, slot);
    if (!(s->kind &
          (SLOT_STREAM | SLOT_PACKET | SLOT_PIPE_READ | SLOT_PIPE_WRITE)) ||
        !is_gone(w, s->chan, !s->side))
        return true;
    return raw_poll(s->fd, POLLRDHUP) != 0;
}

static void settle_slot(struct world *w, int slot)
{
    for (int i = 0; i < SETTLE_ROUNDS; i++) {
        if (is_settled(w, slot))
            return;
        raw_pause();
    }
    if (w->verbose >= 0)
        dprintf(w->verbose, "    slot %d does not come to rest\n", slot);
}

void world_settle(struct world *w)
{
    for (int i = 0; i < SLOTS; i++)
        if (w->slots[i].kind != 0 && w->touched >> w->slots[i].chan & 1)
            settle_slot(w, i);
    w->touched = 0;
}
