/* step_poll.c - steps that wait for several descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <poll.h>
#include <sys/socket.h>

static struct call make_poll(struct world *w, const struct step *s,
                             int slots[POLLS_MOST])
{
    static const short events[8] = { POLLIN,           POLLIN,
                                     POLLIN,           POLLIN | POLLOUT,
                                     POLLOUT,          POLLIN | POLLRDHUP,
                                     POLLPRI | POLLIN, 0 };
    static const int times[8] = { 0, 0, 0, 1, -1, -1, -1, 20000 };
    struct call c = call_of(CALL_POLL + s->a % 6, -1, -1);

    c.value = times[s->a >> 8 & 7];
    if (c.value == 1 && (s->a >> 11 & 3))
        c.value = 0;
    c.flags = s->a >> 13 & 1;
    c.poll_count = 1 + (s->a >> 16) % POLLS_MOST;
    for (unsigned i = 0; i < c.poll_count; i++) {
        int slot = world_slot(w, s->slot + i * s->other, SLOT_ANY);

        slots[i] = slot;
        c.polls[i].fd = slot >= 0 ? w->slots[slot].fd : -1;
        c.polls[i].events = events[s->b >> 3 * i & 7];
        if ((s->b >> (16 + 4 * i) & 15) == 0) {
            c.polls[i].fd = i & 1 ? -1 : FD_NEVER;
            slots[i] = -1;
        }
    }
    return c;
}

static bool is_select(const struct call *c)
{
    return c->kind == CALL_SELECT || c->kind == CALL_PSELECT;
}

static bool is_epoll(const struct call *c)
{
    return c->kind == CALL_EPOLL_WAIT || c->kind == CALL_EPOLL_PWAIT;
}

/* What the call does not wait for, though it is among its descriptors: what
 * epoll refuses, and what select() has no set for. */
static void leave_out(struct world *w, const struct call *c, int *slots)
{
    for (unsigned i = 0; i < c->poll_count; i++) {
        if (slots[i] < 0)
            continue;
        if (is_select(c) && !(c->polls[i].events & (POLLIN | POLLOUT)))
            slots[i] = -1;
        if (!is_epoll(c))
            continue;
        if (w->slots[slots[i]].kind == SLOT_FILE)
            slots[i] = -1;
        for (unsigned k = 0; k < i; k++)
            if (c->polls[k].fd == c->polls[i].fd)
                slots[i] = -1;
    }
}

/* The same without waiting, behind everybody's back. */
static bool is_ready(const struct call *c, const int *slots)
{
    for (unsigned i = 0; i < c->poll_count; i++) {
        int events = c->polls[i].events, ready;

        if (c->polls[i].fd == FD_NEVER && !is_epoll(c) &&
            (!is_select(c) || (events & (POLLIN | POLLOUT))))
            return true;
        if (slots[i] < 0)
            continue;
        ready = raw_poll(c->polls[i].fd, events);
        if (is_select(c))
            ready &= (events & POLLIN ? POLLIN | POLLHUP | POLLERR : 0) |
                     (events & POLLOUT ? POLLOUT | POLLERR : 0);
        if (ready != 0)
            return true;
    }
    return false;
}

/* One descriptor of a channel: of several, the kernel may look at some before
 * and at some after the change that it waits for. */
static void keep_one(struct world *w, struct call *c, int *slots)
{
    for (unsigned i = 0; i < c->poll_count; i++)
        for (unsigned k = 0; k < i; k++)
            if (slots[i] >= 0 && slots[k] >= 0 &&
                w->slots[slots[i]].chan == w->slots[slots[k]].chan) {
                c->polls[i].fd = -1;
                slots[i] = -1;
            }
}

/* Whether what it tells comes bit by bit: room after the end, or a reset after
 * what follows from it. */
static bool comes_apart(const struct call *c, int events)
{
    return (c->kind == CALL_CLOSE &&
            ((events & POLLOUT) || raw_queued(c->fd) > 0)) ||
           (c->kind == CALL_SHUTDOWN && (events & POLLOUT));
}

void step_poll(struct world *w, const struct step *s)
{
    int slots[POLLS_MOST];
    struct call c = make_poll(w, s, slots);
    struct plan plan;

    if (c.value != 0 && c.value != 1)
        keep_one(w, &c, slots);
    leave_out(w, &c, slots);
    for (unsigned i = 0; i < c.poll_count && c.value != 0 && c.value != 1;
         i++) {
        struct call reader;

        if (is_ready(&c, slots))
            break;
        if (slots[i] < 0 || !(c.polls[i].events & POLLIN))
            continue;
        reader = call_of(CALL_READ, slots[i], c.polls[i].fd);
        reader.len = 1;
        if (!plan_readable(w, &reader, s->c >> 3, &plan) ||
            comes_apart(&plan.calls[0], c.polls[i].events))
            continue;
        do_blocked(w, s, &c, &plan);
        return;
    }
    if (c.value != 1 && !is_ready(&c, slots))
        c.value = 0;
    world_do(w, s->actor, &c);
}
