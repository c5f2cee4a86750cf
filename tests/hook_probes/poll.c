/* poll.c - probes: poll(2) and ppoll(2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <poll.h>

static void say_polled(const struct pollfd *p, int n)
{
    for (int i = 0; i < n; i++)
        say("[%d] asked %#x, got %#x", i, (unsigned)p[i].events,
            (unsigned)p[i].revents);
}

PROBE(poll_waits, PAUSE_MS, "poll() waits for one to be readable")
{
    struct pollfd p = { .events = POLLIN };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    later_write(fds[1], "x");
    TRY(poll(&p, 1, -1));
    say_polled(&p, 1);
}

PROBE(poll_timeout, PAUSE_MS, "poll() with a time-out")
{
    struct pollfd p = { .events = POLLIN, .revents = 99 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    p.fd = fds[0];
    TRY(poll(&p, 1, PAUSE_MS));
    say_polled(&p, 1);
}

PROBE(poll_zero, 0, "poll() with time-out 0 only looks")
{
    struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLOUT } };
    int fds[2];

    kit_pipe(fds);
    p[0].fd = fds[0];
    p[1].fd = fds[1];
    TRY(poll(p, 1, 0));
    TRY(poll(p, 2, 0));
    say_polled(p, 2);
}

PROBE(poll_none, PAUSE_MS, "poll() of nothing is a sleep")
{
    TRY(poll(NULL, 0, PAUSE_MS));
    TRY(poll(NULL, 0, 0));
}

PROBE(poll_negative, PAUSE_MS, "poll() passes over negative descriptors")
{
    struct pollfd p[3] = { { .fd = -1, .events = POLLIN, .revents = 99 },
                           { .events = POLLIN },
                           { .fd = -7, .events = POLLOUT, .revents = 99 } };
    int fds[2];

    kit_pipe(fds);
    p[1].fd = fds[0];
    later_write(fds[1], "x");
    TRY(poll(p, 3, 5000));
    say_polled(p, 3);
}

PROBE(poll_all_negative, PAUSE_MS, "poll() of negative ones alone is a sleep")
{
    struct pollfd p[2] = { { .fd = -1, .events = POLLIN },
                           { .fd = -1, .events = POLLIN } };

    TRY(poll(p, 2, PAUSE_MS));
    say_polled(p, 2);
}

PROBE(poll_duplicate, PAUSE_MS, "poll() of one descriptor several times")
{
    struct pollfd p[3] = { { .events = POLLIN },
                           { .events = POLLIN | POLLOUT },
                           { .events = POLLPRI } };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    (void)kit_fill(fds[0]);
    p[0].fd = p[1].fd = p[2].fd = fds[0];
    later_write(fds[1], "x");
    TRY(poll(p, 3, 5000));
    say_polled(p, 3);
}

PROBE(poll_closed, 0, "poll() of what is not open: POLLNVAL")
{
    struct pollfd p[2] = { { .fd = 900, .events = POLLIN },
                           { .events = POLLIN } };
    int fds[2];

    kit_pipe(fds);
    TRY(close(fds[1]));
    p[1].fd = fds[1];
    TRY(poll(p, 2, 5000));
    say_polled(p, 2);
}

PROBE(poll_closed_beside, 0, "POLLNVAL beside one that would wait")
{
    struct pollfd p[2] = { { .fd = 900, .events = 0 }, { .events = POLLIN } };
    int fds[2];

    kit_pipe(fds);
    p[1].fd = fds[0];
    TRY(poll(p, 2, 5000));
    say_polled(p, 2);
}

PROBE(poll_regular, 0, "poll() of a regular file: always ready")
{
    struct pollfd p[2] = { { .events = POLLIN | POLLOUT | POLLPRI },
                           { .events = POLLIN } };
    int fds[2];

    kit_pipe(fds);
    p[0].fd = kit_file("content");
    p[1].fd = fds[0];
    TRY(poll(p, 1, 5000));
    TRY(poll(p, 2, 5000));
    say_polled(p, 2);
}

PROBE(poll_directory, 0, "poll() of a directory and of devices")
{
    struct pollfd p[3] = { { .events = POLLIN },
                           { .events = POLLIN | POLLOUT },
                           { .events = POLLOUT } };

    p[0].fd = open(".", O_RDONLY | O_DIRECTORY);
    p[1].fd = open("/dev/null", O_RDWR);
    p[2].fd = open("/dev/zero", O_RDWR);
    TRY(poll(p, 3, 5000));
    say_polled(p, 3);
}

PROBE(poll_hup, PAUSE_MS, "poll() without events wakes when the peer hangs up")
{
    struct pollfd p = { .events = 0 };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    later_close(fds[1]);
    TRY(poll(&p, 1, -1));
    say_polled(&p, 1);
}

PROBE(poll_error, PAUSE_MS, "poll() of a pipe whose reader goes: POLLERR")
{
    struct pollfd p = { .events = 0 };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[1];
    later_close(fds[0]);
    TRY(poll(&p, 1, -1));
    say_polled(&p, 1);
}

PROBE(poll_unasked, PAUSE_MS, "poll() does not wake for what was not asked")
{
    struct pollfd p = { .events = POLLIN };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    p.fd = fds[0];
    TRY(poll(&p, 1, PAUSE_MS));
    p.events = POLLPRI;
    TRY(write(fds[1], "x", 1));
    TRY(poll(&p, 1, 50));
    say_polled(&p, 1);
}

PROBE(poll_rdhup, PAUSE_MS, "POLLRDHUP, asked for and not")
{
    struct pollfd p = { .events = POLLRDHUP };
    int fds[2];

    kit_tcp(fds);
    p.fd = fds[0];
    later_shutdown(fds[1], SHUT_WR);
    TRY(poll(&p, 1, 5000));
    say_polled(&p, 1);
    p.events = POLLIN;
    TRY(poll(&p, 1, 5000));
    say_polled(&p, 1);
}

PROBE(poll_room, PAUSE_MS, "poll() waits for room to write")
{
    struct pollfd p = { .events = POLLOUT };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    p.fd = fds[1];
    later_read(fds[0], kit_fill(fds[1]));
    TRY(poll(&p, 1, 5000));
    say_polled(&p, 1);
}

PROBE(poll_urgent, PAUSE_MS, "poll() for urgent data")
{
    struct pollfd p = { .events = POLLPRI | POLLRDBAND };
    int fds[2];

    kit_tcp(fds);
    p.fd = fds[0];
    TRY(poll(&p, 1, PAUSE_MS));
    TRY(send(fds[1], "!", 1, MSG_OOB));
    TRY(poll(&p, 1, 5000));
    say_polled(&p, 1);
}

PROBE(poll_listener, PAUSE_MS, "poll() of a listener")
{
    struct pollfd p = { .events = POLLIN };

    p.fd = kit_listen(1);
    later_connect(p.fd);
    TRY(poll(&p, 1, -1));
    say_polled(&p, 1);
}

PROBE(poll_many, PAUSE_MS, "poll() of a hundred, one of which is ready later")
{
    struct pollfd p[100];
    int fds[2], ready = 0;

    for (int i = 0; i < 100; i++) {
        kit_pipe(fds);
        p[i] = (struct pollfd){ .fd = fds[0], .events = POLLIN };
        if (i == 77)
            later_write(fds[1], "x");
    }
    TRY(poll(p, 100, 5000));
    for (int i = 0; i < 100; i++)
        ready += p[i].revents != 0;
    SHOW(ready);
    SHOW(p[77].revents);
}

static int poll_fd;
static int polled[3];

static void poller(void *arg)
{
    struct pollfd p = { .fd = poll_fd, .events = POLLIN };

    polled[(intptr_t)arg] = poll(&p, 1, 5000) == 1 && p.revents == POLLIN;
}

PROBE(pollers_many, PAUSE_MS, "all who poll() one descriptor are told")
{
    int fds[2];

    kit_pipe(fds);
    poll_fd = fds[0];
    for (int i = 0; i < 3; i++)
        actor_start(poller, (void *)(intptr_t)i);
    later_write(fds[1], "x");
    actors_join();
    for (int i = 0; i < 3; i++)
        SHOW(polled[i]);
}

PROBE(poll_bad, 0, "poll() with bad arguments")
{
    TRY(poll((struct pollfd *)8, 1, 5000));
}

PROBE(ppoll_waits, PAUSE_MS, "ppoll() waits, and leaves its time-out alone")
{
    struct timespec time = { 5, 0 };
    struct pollfd p = { .events = POLLIN };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    later_write(fds[1], "x");
    TRY(ppoll(&p, 1, &time, NULL));
    say_polled(&p, 1);
    SHOW(time.tv_sec == 5 && time.tv_nsec == 0);
}

PROBE(ppoll_timeout, PAUSE_MS, "ppoll() with time-outs: some, none, bad")
{
    struct timespec time = { 0, PAUSE_MS * 1000000L };
    struct pollfd p = { .events = POLLIN };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    TRY(ppoll(&p, 1, &time, NULL));
    time.tv_nsec = 0;
    TRY(ppoll(&p, 1, &time, NULL));
    time.tv_nsec = 1000000000;
    TRY(ppoll(&p, 1, &time, NULL));
    time = (struct timespec){ -1, 0 };
    TRY(ppoll(&p, 1, &time, NULL));
    TRY(write(fds[1], "x", 1));
    TRY(ppoll(&p, 1, NULL, NULL));
}
