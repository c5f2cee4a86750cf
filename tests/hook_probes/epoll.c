/* epoll.c - probes: epoll sets that the program makes itself.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/epoll.h>

static struct epoll_event events[8];

static void add(int set, int fd, unsigned what)
{
    struct epoll_event e = { .events = what, .data.u64 = 7 };

    NEED(epoll_ctl(set, EPOLL_CTL_ADD, fd, &e) == 0);
}

static int set_with(int fd, unsigned what)
{
    int set = epoll_create1(0);

    NEED(set >= 0);
    add(set, fd, what);
    return set;
}

static void say_events(long n)
{
    for (long i = 0; i < n; i++)
        say("events %#x, data %lu", events[i].events,
            (unsigned long)events[i].data.u64);
}

PROBE(epoll_waits, PAUSE_MS, "epoll_wait() waits")
{
    int fds[2], set;

    kit_pipe(fds);
    set = set_with(fds[0], EPOLLIN);
    later_write(fds[1], "x");
    say_events(TRY(epoll_wait(set, events, 8, -1)));
}

PROBE(epoll_timeout, PAUSE_MS, "epoll_wait() with time-outs: some, and 0")
{
    int fds[2], set;

    kit_pipe(fds);
    set = set_with(fds[0], EPOLLIN);
    TRY(epoll_wait(set, events, 8, PAUSE_MS));
    TRY(epoll_wait(set, events, 8, 0));
    TRY(write(fds[1], "x", 1));
    TRY(epoll_wait(set, events, 8, 0));
}

PROBE(epoll_edge, 2 * PAUSE_MS, "an edge is told once")
{
    int fds[2], set;

    kit_pair(SOCK_STREAM, fds);
    set = set_with(fds[0], EPOLLIN | EPOLLET);
    later_writes(fds[1], "x", 2);
    say_events(TRY(epoll_wait(set, events, 8, -1)));
    TRY(epoll_wait(set, events, 8, 50));
    say_events(TRY(epoll_wait(set, events, 8, -1)));
    TRY(epoll_wait(set, events, 8, 0));
}

PROBE(epoll_level, PAUSE_MS, "a level is told until it is gone")
{
    char c;
    int fds[2], set;

    kit_pair(SOCK_STREAM, fds);
    set = set_with(fds[0], EPOLLIN);
    later_write(fds[1], "x");
    TRY(epoll_wait(set, events, 8, -1));
    TRY(epoll_wait(set, events, 8, -1));
    TRY(read(fds[0], &c, 1));
    TRY(epoll_wait(set, events, 8, 50));
}

PROBE(epoll_oneshot, PAUSE_MS, "EPOLLONESHOT tells once, until set again")
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLONESHOT };
    int fds[2], set;

    kit_pair(SOCK_STREAM, fds);
    set = set_with(fds[0], EPOLLIN | EPOLLONESHOT);
    later_write(fds[1], "x");
    TRY(epoll_wait(set, events, 8, -1));
    TRY(epoll_wait(set, events, 8, 50));
    TRY(epoll_ctl(set, EPOLL_CTL_MOD, fds[0], &e));
    TRY(epoll_wait(set, events, 8, -1));
}

PROBE(epoll_many, PAUSE_MS, "epoll_wait() of several, no more than asked for")
{
    int fds[2], others[2], set;

    kit_pair(SOCK_STREAM, fds);
    kit_pair(SOCK_STREAM, others);
    set = set_with(fds[0], EPOLLIN);
    add(set, others[0], EPOLLIN);
    add(set, others[1], EPOLLIN);
    TRY(epoll_wait(set, events, 8, PAUSE_MS));
    TRY(write(fds[1], "x", 1));
    TRY(write(others[1], "x", 1));
    TRY(epoll_wait(set, events, 1, -1));
    TRY(epoll_wait(set, events, 8, -1));
}

PROBE(epoll_hup, PAUSE_MS, "epoll_wait() tells that the peer went")
{
    int fds[2], set;

    kit_tcp(fds);
    set = set_with(fds[0], EPOLLRDHUP);
    later_close(fds[1]);
    say_events(TRY(epoll_wait(set, events, 8, -1)));
}

static void add_later(void *arg)
{
    add(((int *)arg)[0], ((int *)arg)[1], EPOLLOUT);
}

PROBE(epoll_added, PAUSE_MS, "what is added while one waits is told")
{
    int fds[2], both[2];

    kit_pair(SOCK_STREAM, fds);
    both[0] = set_with(fds[0], EPOLLIN);
    both[1] = fds[1];
    later(add_later, both);
    say_events(TRY(epoll_wait(both[0], events, 8, -1)));
}

static int shared_set;
static int woken[3];

static void wait_in_set(void *arg)
{
    struct epoll_event e;

    woken[(intptr_t)arg] = epoll_wait(shared_set, &e, 1, 5000) == 1;
}

PROBE(epoll_shared, PAUSE_MS, "three who wait in one set")
{
    int fds[2];

    kit_pipe(fds);
    shared_set = set_with(fds[0], EPOLLIN);
    for (int i = 0; i < 3; i++)
        actor_start(wait_in_set, (void *)(intptr_t)i);
    later_write(fds[1], "x");
    actors_join();
    for (int i = 0; i < 3; i++)
        SHOW(woken[i]);
}

PROBE(epoll_nested, PAUSE_MS, "a set within a set")
{
    int fds[2], inner;

    kit_pipe(fds);
    inner = set_with(fds[0], EPOLLIN);
    later_write(fds[1], "x");
    TRY(epoll_wait(set_with(inner, EPOLLIN), events, 8, -1));
    TRY(epoll_wait(inner, events, 8, -1));
}

PROBE(epoll_bad, 0, "epoll_wait() with bad arguments")
{
    int fds[2], set;

    kit_pipe(fds);
    set = set_with(fds[0], EPOLLIN);
    TRY(epoll_wait(set, events, 0, 0));
    TRY(epoll_wait(set, events, -1, -1));
    TRY(epoll_wait(fds[0], events, 8, -1));
    TRY(epoll_wait(-1, events, 8, -1));
    TRY(epoll_pwait(900, events, 8, -1, NULL));
    TRY(write(fds[1], "x", 1));
    TRY(epoll_wait(set, (struct epoll_event *)8, 8, -1));
}

PROBE(epoll_regular, 0, "a regular file in a set: EPERM")
{
    struct epoll_event e = { .events = EPOLLIN };

    TRY(epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, kit_file("x"), &e));
}

PROBE(epoll_pwait_waits, PAUSE_MS, "epoll_pwait() waits, and times out")
{
    int fds[2], set;

    kit_pipe(fds);
    set = set_with(fds[0], EPOLLIN);
    TRY(epoll_pwait(set, events, 8, 50, NULL));
    later_write(fds[1], "x");
    say_events(TRY(epoll_pwait(set, events, 8, -1, NULL)));
}

PROBE(epoll_pwait2_waits, PAUSE_MS,
      "epoll_pwait2(): time-outs below 1 ms, and bad")
{
    struct timespec time = { 0, 500000 };
    int fds[2], set;

    kit_pipe(fds);
    set = set_with(fds[0], EPOLLIN);
    if (epoll_pwait2(set, events, 8, &time, NULL) < 0 && errno == ENOSYS)
        probe_skip("no epoll_pwait2()");
    TRY(epoll_pwait2(set, events, 8, &time, NULL));
    later_write(fds[1], "x");
    say_events(TRY(epoll_pwait2(set, events, 8, NULL, NULL)));
    time.tv_nsec = 1000000000;
    TRY(epoll_pwait2(set, events, 8, &time, NULL));
}
