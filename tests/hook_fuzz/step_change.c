/* step_change.c - steps that change, ask, duplicate and close.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

void step_mode(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_ANY);
    bool on = (s->a & 3) == 0; /* mostly off, or little would block */
    struct call c;

    if (slot < 0)
        return;
    c = call_of(s->a & 4 ? CALL_SETFL : CALL_FIONBIO, slot, w->slots[slot].fd);
    c.flags = on ? O_NONBLOCK : 0;
    c.value = on;
    world_do(w, s->actor, &c);
}

void step_option(struct world *w, const struct step *s)
{
    static const int times[8] = {
        0, 0, 500, 1000, 3000, 20000000, 20000000, 0
    };
    static const int sizes[4] = { 2000, 20000, 60000, 100000 };
    int slot = world_slot(w, s->slot, s->a & 15 ? SLOT_SOCKET : SLOT_ANY);
    struct call c;

    if (slot < 0)
        return;
    c = call_of(CALL_SET_TIMEOUT, slot, w->slots[slot].fd);
    c.flags = s->a & 16 ? SO_RCVTIMEO : SO_SNDTIMEO;
    c.value = times[s->a >> 5 & 7];
    if (s->a >> 8 & 1) {
        c.kind = CALL_SET_SIZE;
        c.flags = s->a & 16 ? SO_RCVBUF : SO_SNDBUF;
        c.value = sizes[w->slots[slot].kind & SLOT_UNIX ? s->a >> 5 & 3
                                                        : 2 + (s->a >> 5 & 1)];
    }
    world_do(w, s->actor, &c);
}

void step_query(struct world *w, const struct step *s)
{
    static const int options[8] = { SO_TYPE,     SO_ERROR,   SO_RCVTIMEO,
                                    SO_SNDTIMEO, SO_ERROR,   SO_ACCEPTCONN,
                                    SO_DOMAIN,   SO_RCVLOWAT };
    static const enum call_kind kinds[4] = { CALL_GETFL, CALL_FIONREAD,
                                             CALL_GET_OPTION, CALL_GET_OPTION };
    int slot = world_slot(w, s->slot, SLOT_ANY);
    struct call c;

    if (slot < 0)
        return;
    c = call_of(kinds[s->a & 3], slot, w->slots[slot].fd);
    if (c.kind == CALL_GET_OPTION)
        c.flags = options[s->a >> 2 & 7];
    world_do(w, s->actor, &c);
}

void step_dup(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_ANY);
    int other = world_slot(w, s->other, SLOT_ANY);
    struct call c;

    if (slot < 0)
        return;
    c = call_of(CALL_DUP + s->a % 4, slot, w->slots[slot].fd);
    if (c.kind == CALL_DUP2 || c.kind == CALL_DUP3)
        c.fd2 = w->slots[other].fd;
    if (c.kind == CALL_DUP3)
        c.flags = s->a & 8 ? O_CLOEXEC : 0;
    if (c.kind == CALL_DUPFD)
        c.flags = s->a & 8 ? 1 : 0;
    world_do(w, s->actor, &c);
}

void step_shutdown(struct world *w, const struct step *s)
{
    static const int hows[8] = { SHUT_RD, SHUT_WR,   SHUT_RDWR, SHUT_WR,
                                 SHUT_WR, SHUT_RDWR, SHUT_RD,   7 };
    int slot = world_slot(w, s->slot, s->a & 7 ? SLOT_CONNECTED : SLOT_ANY);
    struct call c;

    if (slot < 0)
        return;
    c = call_of(CALL_SHUTDOWN, slot, w->slots[slot].fd);
    c.flags = hows[s->a >> 3 & 7];
    world_do(w, s->actor, &c);
}

/* What is said of a number that has just been closed. */
static void use_closed(struct world *w, const struct step *s, int fd)
{
    static const enum call_kind kinds[16] = {
        CALL_READ,    CALL_WRITE,  CALL_RECV,    CALL_SEND,
        CALL_RECVMSG, CALL_READV,  CALL_SENDMSG, CALL_ACCEPT,
        CALL_POLL,    CALL_SELECT, CALL_CLOSE,   CALL_SHUTDOWN,
        CALL_GETFL,   CALL_DUP,    CALL_FIONBIO, CALL_RECVMMSG
    };
    struct call c = call_of(kinds[s->b & 15], -1, fd);

    c.len = 4;
    c.value = 10000; /* of poll and select, which return at once */
    c.polls[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
    c.poll_count = 1;
    world_do(w, s->actor, &c);
}

void step_close(struct world *w, const struct step *s)
{
    int slot = world_slot(w, s->slot, SLOT_ANY);
    struct call c;

    if (slot < 0)
        return;
    c = call_of(CALL_CLOSE, slot, w->slots[slot].fd);
    world_do(w, s->actor, &c);
    if (s->a & 1)
        use_closed(w, s, c.fd);
}
