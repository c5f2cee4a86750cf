/* accept.c - probes: accept(2) and accept4(2).
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"

PROBE(accept_tcp, PAUSE_MS, "accept() waits, and tells who came")
{
    struct sockaddr_in a = { 0 };
    socklen_t len = sizeof a;
    int listener = kit_listen(1), fd;

    later_connect(listener);
    fd = accept(listener, (struct sockaddr *)&a, &len);
    SHOW(fd >= 0);
    SHOW(len);
    SHOW(a.sin_family == AF_INET && a.sin_port != 0);
    SHOW(kit_nonblock(fd));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(kit_nonblock(listener));
}

PROBE(accept_unix, PAUSE_MS, "accept() waits on a unix socket")
{
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    int listener = kit_unix_listen(1), fd;

    later_connect(listener);
    fd = accept(listener, (struct sockaddr *)&a, &len);
    SHOW(fd >= 0);
    SHOW(len);
    SHOW(kit_nonblock(fd));
}

PROBE(accept4_flags, PAUSE_MS, "accept4() gives the flags that were asked for")
{
    int listener = kit_listen(4), fd;

    later_connect(listener);
    fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    SHOW(kit_nonblock(fd));
    SHOW(fcntl(fd, F_GETFD));
    TRY(read(fd, &fd, 1));
    (void)kit_connect(listener);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    SHOW(kit_nonblock(fd));
    SHOW(fcntl(fd, F_GETFD));
    TRY(accept4(listener, NULL, NULL, 1 << 30));
}

PROBE(accept_reads, PAUSE_MS, "read() on what accept() gave waits")
{
    int listener = kit_listen(1), fd = kit_connect(listener), peer;
    char buf[8];

    peer = accept(listener, NULL, NULL);
    later_write(fd, "hello");
    say_bytes(buf, TRY(read(peer, buf, sizeof buf)));
}

PROBE(accept_nonblock, 0,
      "accept() without waiting: EAGAIN; what it gives waits")
{
    int listener = kit_listen(1), fd;

    kit_set_nonblock(listener, true);
    TRY(accept(listener, NULL, NULL));
    TRY(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
    (void)kit_connect(listener);
    fd = accept(listener, NULL, NULL);
    SHOW(fd >= 0);
    SHOW(kit_nonblock(fd));
    SHOW(kit_nonblock(listener));
}

PROBE(accept_timeout, 2 * PAUSE_MS, "accept() and SO_RCVTIMEO: EAGAIN")
{
    int listener = kit_listen(1);

    kit_timeout(listener, SO_RCVTIMEO, PAUSE_MS);
    TRY(accept(listener, NULL, NULL));
    SHOW(kit_nonblock(listener));
    TRY(accept4(listener, NULL, NULL, 0));
}

PROBE(accept_inherits, PAUSE_MS,
      "what accept() gives has the listener's time-out")
{
    int listener = kit_listen(1), fd;
    char c;

    kit_timeout(listener, SO_RCVTIMEO, PAUSE_MS);
    (void)kit_connect(listener);
    fd = accept(listener, NULL, NULL);
    TRY(read(fd, &c, 1));
}

PROBE(accept_kinds, 0, "accept() of what does not listen")
{
    socklen_t negative = (socklen_t)-1;
    struct sockaddr_in a;
    int fds[2], listener = kit_listen(1);

    kit_pipe(fds);
    TRY(accept(fds[0], NULL, NULL));
    TRY(accept(-1, NULL, NULL));
    TRY(accept(socket(AF_INET, SOCK_STREAM, 0), NULL, NULL));
    TRY(accept(socket(AF_INET, SOCK_DGRAM, 0), NULL, NULL));
    TRY(accept(socket(AF_UNIX, SOCK_STREAM, 0), NULL, NULL));
    (void)kit_connect(listener);
    TRY(accept(listener, (struct sockaddr *)&a, &negative));
}

PROBE(accept_shutdown, PAUSE_MS, "shutdown() of a listener wakes accept()")
{
    int listener = kit_listen(1);

    later_shutdown(listener, SHUT_RD);
    TRY(accept(listener, NULL, NULL));
}

PROBE(accept_shutdown_unix, PAUSE_MS, "the same of a unix socket")
{
    int listener = kit_unix_listen(1);

    later_shutdown(listener, SHUT_RDWR);
    TRY(accept(listener, NULL, NULL));
}

static int listener_fd;
static int accepted[4];

static void accepter(void *arg)
{
    accepted[(intptr_t)arg] = accept(listener_fd, NULL, NULL) >= 0;
}

PROBE(accepters_many, PAUSE_MS, "four accepters of one listener get one each")
{
    listener_fd = kit_listen(4);
    for (int i = 0; i < 4; i++)
        actor_start(accepter, (void *)(intptr_t)i);
    for (int i = 0; i < 4; i++)
        later_connect(listener_fd);
    actors_join();
    for (int i = 0; i < 4; i++)
        SHOW(accepted[i]);
    SHOW(kit_nonblock(listener_fd));
}

static int seen;

static void look_and_connect(void *arg)
{
    seen = kit_nonblock(*(int *)arg);
    (void)kit_connect(*(int *)arg);
}

PROBE(accept_mode, PAUSE_MS, "O_NONBLOCK is not seen while one accepts")
{
    int listener = kit_listen(1);

    later(look_and_connect, &listener);
    SHOW(accept(listener, NULL, NULL) >= 0);
    SHOW(seen);
}

PROBE(accept_gone, PAUSE_MS, "a connection that went before accept()")
{
    int listener = kit_listen(2), fd = kit_connect(listener), peer;
    char c;

    TRY(close(fd));
    peer = accept(listener, NULL, NULL);
    SHOW(peer >= 0);
    TRY(read(peer, &c, 1));
    later_connect(listener);
    SHOW(accept(listener, NULL, NULL) >= 0);
}

static void serve(void *arg)
{
    int fd = accept(*(int *)arg, NULL, NULL);
    char buf[64];
    ssize_t n;

    NEED(fd >= 0);
    while ((n = read(fd, buf, sizeof buf)) > 0)
        NEED(write(fd, buf, (size_t)n) == n);
    NEED(n == 0);
    NEED(close(fd) == 0);
}

PROBE(accept_serve, 0, "a server and its client, both blocking")
{
    int listener = kit_listen(1), fd;
    char buf[64];

    actor_start(serve, &listener);
    fd = kit_connect(listener);
    for (int i = 0; i < 100; i++) {
        NEED(write(fd, "ping", 4) == 4);
        NEED(recv(fd, buf, 4, MSG_WAITALL) == 4);
    }
    TRY(shutdown(fd, SHUT_WR));
    TRY(read(fd, buf, sizeof buf));
}
