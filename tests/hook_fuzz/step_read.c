/* step_read.c - steps that receive.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

enum {
    READABLE = SLOT_PIPE_READ | SLOT_CONNECTED | SLOT_EVENTFD | SLOT_FILE,
    DRAIN_ROUNDS = 400
};

static const size_t lengths[16] = { 1,    1,    2,    7,    8,    8,  100, 100,
                                    1000, 1000, 4096, 4096, 9000, 64, 0,   3 };

static const int flag_sets[16] = {
    0,
    0,
    0,
    0,
    MSG_DONTWAIT,
    MSG_DONTWAIT | MSG_PEEK,
    MSG_PEEK,
    MSG_PEEK | MSG_TRUNC,
    MSG_WAITALL,
    MSG_WAITALL,
    MSG_WAITALL,
    MSG_WAITALL | MSG_DONTWAIT,
    MSG_WAITALL | MSG_PEEK,
    MSG_TRUNC,
    MSG_NOSIGNAL | MSG_CMSG_CLOEXEC,
    MSG_WAITALL | MSG_NOSIGNAL,
};

static struct call make_read(struct world *w, const struct step *s, int slot)
{
    static const unsigned rooms[8] = { 0, 24, 24, 20, 40, 12, 0, 24 };
    const struct slot *from = &w->slots[slot];
    bool socket = from->kind & SLOT_SOCKET || (s->a >> 16 & 31) == 0;
    unsigned pick = s->a & 15;
    enum call_kind kind = pick < 4    ? CALL_READ
                          : pick < 6  ? CALL_READV
                          : pick == 6 ? CALL_PREADV2
                          : pick < 10 ? CALL_RECV
                          : pick < 12 ? CALL_RECVFROM
                          : pick < 14 ? CALL_RECVMSG
                                      : CALL_RECVMMSG;
    struct call c;

    if (!socket)
        kind = pick < 10 ? CALL_READ : pick < 14 ? CALL_READV : CALL_PREADV2;
    c = call_of(kind, slot, from->fd);
    c.len = lengths[s->a >> 4 & 15];
    if (from->kind == SLOT_EVENTFD && (s->a >> 8 & 7))
        c.len = 8;
    if (kind >= CALL_RECV)
        c.flags = flag_sets[s->a >> 11 & 15];
    if (kind == CALL_READV || kind == CALL_PREADV2 || kind >= CALL_RECVMSG)
        c.parts = 1 + (s->a >> 20) % 3;
    if (kind == CALL_RECVMMSG && (s->a >> 24 & 3))
        c.flags |= MSG_WAITFORONE;
    if (kind == CALL_RECVMMSG && (c.flags & (MSG_PEEK | MSG_WAITALL)))
        c.parts = 1; /* how much the later ones find is a matter of luck */
    if (kind >= CALL_RECVMSG)
        c.room = rooms[s->a >> 26 & 7];
    return c;
}

void step_read(struct world *w, const struct step *s)
{
    unsigned kinds = (s->b & 31) == 0 ? SLOT_ANY : READABLE;
    int slot = world_slot(w, s->slot, kinds);
    struct plan plan;
    struct call c;

    if (slot < 0)
        return;
    c = make_read(w, s, slot);
    switch (fate_of_read(w, &c)) {
    case RUNS:
        world_do(w, s->actor, &c);
        break;
    case BLOCKS:
        if (plan_readable(w, &c, s->b >> 5, &plan))
            do_blocked(w, s, &c, &plan);
        break;
    case UNSURE:
        break;
    }
}

/* Two readers; which of them gets which byte is open, so what they have is
 * looked at in an order of its own. */
void step_crowd(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_PIPE_READ | SLOT_CONNECTED);
    struct call readers[2];
    struct plan plan;
    int first;

    if (slot < 0 || w->chans[w->slots[slot].chan].packets)
        return;
    readers[0] = make_read(w, s, slot);
    readers[0].len = 1;
    readers[0].parts = 1;
    readers[0].room = 0;
    readers[0].flags &= ~(MSG_PEEK | MSG_DONTWAIT);
    readers[0].kind = s->a & 1                            ? CALL_READ
                      : w->slots[slot].kind & SLOT_SOCKET ? CALL_RECV
                                                          : CALL_READV;
    readers[1] = readers[0];
    if (fate_of_read(w, &readers[0]) != BLOCKS ||
        !plan_readable(w, &readers[0], s->b | 0x18, &plan))
        return;
    if (w->slots[plan.calls[0].slot].kind == SLOT_EVENTFD)
        return;
    plan.calls[0].len = w->slots[slot].kind & SLOT_MESSAGES ? 1 : 2;
    plan.calls[0].parts = 1;
    plan.calls[1] = plan.calls[0];
    plan.count = w->slots[slot].kind & SLOT_MESSAGES ? 2 : 1;
    world_begin(w, 1, &readers[0], s->c & 1);
    world_begin(w, 2, &readers[1], s->c >> 1 & 3);
    for (int i = 0; i < plan.count; i++)
        world_do(w, 0, &plan.calls[i]);
    crew_finish(w->crew, 1);
    crew_finish(w->crew, 2);
    first = readers[0].hash <= readers[1].hash ? 0 : 1;
    world_fold(w, &readers[first]);
    world_fold(w, &readers[!first]);
}

static void set_flags(struct world *w, int slot, int flags)
{
    struct call c = call_of(CALL_SETFL, slot, w->slots[slot].fd);

    c.flags = flags;
    world_do(w, 0, &c);
}

/* All calls count, only the last is printed: there are many. */
void step_drain(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_PIPE_READ | SLOT_CONNECTED);
    int verbose = w->verbose;
    bool flag, nonblock;

    if (slot < 0)
        return;
    flag = w->slots[slot].kind == SLOT_PIPE_READ || (s->a & 1);
    nonblock = raw_nonblock(w->slots[slot].fd);
    if (flag)
        set_flags(w, slot, O_NONBLOCK);
    w->verbose = -1;
    for (int i = 0; i < DRAIN_ROUNDS; i++) {
        struct call c =
            call_of(flag ? CALL_READ : CALL_RECV, slot, w->slots[slot].fd);

        c.flags = MSG_DONTWAIT;
        c.len = s->a & 2 ? 30000 : 4096;
        if (i == DRAIN_ROUNDS - 1)
            w->verbose = verbose;
        world_do(w, s->actor, &c);
        if (c.ret <= 0)
            break;
    }
    w->verbose = verbose;
    if (flag && !nonblock)
        set_flags(w, slot, 0);
}
