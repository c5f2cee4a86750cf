/* call_wait.c - poll, select, epoll: one set of descriptors, asked about in
 * different ways.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/call.h"
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

static struct timespec *time_of(const struct call *c, struct timespec *place)
{
    if (c->value < 0)
        return NULL;
    place->tv_sec = c->value / 1000;
    place->tv_nsec = c->value % 1000 * 1000000;
    return place;
}

static void do_poll(struct call *c)
{
    struct timespec time;

    if (c->kind == CALL_POLL)
        c->ret = poll(c->polls, c->poll_count, c->value);
    else
        c->ret = ppoll(c->polls, c->poll_count, time_of(c, &time), NULL);
    for (unsigned i = 0; i < c->poll_count; i++)
        c->hash = hash_more(c->hash, (unsigned short)c->polls[i].revents);
}

static void do_select(struct call *c)
{
    static const short kinds[3] = { POLLIN, POLLOUT, POLLPRI };
    fd_set sets[3];
    struct timespec spec;
    struct timeval time = { c->value / 1000, c->value % 1000 * 1000 };
    int n = 0;

    for (int k = 0; k < 3; k++) {
        FD_ZERO(&sets[k]);
        for (unsigned i = 0; i < c->poll_count; i++) {
            if (c->polls[i].fd < 0 || !(c->polls[i].events & kinds[k]))
                continue;
            FD_SET(c->polls[i].fd, &sets[k]);
            if (c->polls[i].fd >= n)
                n = c->polls[i].fd + 1;
        }
    }
    if (c->kind == CALL_SELECT)
        c->ret = select(n, &sets[0], &sets[1], c->flags ? &sets[2] : NULL,
                        c->value < 0 ? NULL : &time);
    else
        c->ret = pselect(n, &sets[0], &sets[1], c->flags ? &sets[2] : NULL,
                         time_of(c, &spec), NULL);
    for (unsigned i = 0; i < c->poll_count; i++)
        for (int k = 0; k < 3 && c->polls[i].fd >= 0; k++)
            c->hash = hash_more(
                c->hash, (uint64_t)(FD_ISSET(c->polls[i].fd, &sets[k]) != 0));
}

/* In a set made for this call. */
static void do_epoll(struct call *c)
{
    struct epoll_event events[POLLS_MOST];
    unsigned seen[POLLS_MOST] = { 0 };
    int set = epoll_create1(EPOLL_CLOEXEC), err;

    for (unsigned i = 0; i < c->poll_count; i++) {
        struct epoll_event e = { .events = (unsigned)c->polls[i].events,
                                 .data.u32 = i };

        if (epoll_ctl(set, EPOLL_CTL_ADD, c->polls[i].fd, &e) < 0)
            c->hash = hash_more(c->hash, (uint64_t)errno);
    }
    errno = 0;
    if (c->kind == CALL_EPOLL_WAIT)
        c->ret = epoll_wait(set, events, POLLS_MOST, c->value);
    else
        c->ret = epoll_pwait(set, events, POLLS_MOST, c->value, NULL);
    err = errno;
    /* Their order is the kernel's affair. */
    for (int i = 0; i < c->ret; i++)
        seen[events[i].data.u32] |= events[i].events | 1U << 31;
    for (unsigned i = 0; i < c->poll_count; i++)
        c->hash = hash_more(c->hash, seen[i]);
    (void)close(set);
    errno = err;
}

int call_make_wait(struct call *c)
{
    switch (c->kind) {
    case CALL_POLL:
    case CALL_PPOLL:
        do_poll(c);
        return 1;
    case CALL_SELECT:
    case CALL_PSELECT:
        do_select(c);
        return 1;
    case CALL_EPOLL_WAIT:
    case CALL_EPOLL_PWAIT:
        do_epoll(c);
        return 1;
    default:
        return 0;
    }
}
