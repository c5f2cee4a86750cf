/* connect.c - probes: connect(2), and what can go wrong with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <poll.h>
#include <stdatomic.h>

static char buf[64];

static int tcp_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    NEED(fd >= 0);
    return fd;
}

/* The name of a port where nobody listens. */
static struct sockaddr_storage nobody(socklen_t *len)
{
    int fd = kit_listen(1);
    struct sockaddr_storage a = kit_name(fd, len);

    NEED(close(fd) == 0);
    return a;
}

/* A TCP listener that answers nobody for now: its queue is full. */
static int full_listener(void)
{
    int fd = kit_listen(0);

    (void)kit_connect(fd);
    return fd;
}

PROBE(connect_tcp, 0, "connect() to a listener, and the two can talk")
{
    int listener = kit_listen(1), fd = tcp_socket(), peer;

    TRY(kit_try_connect(listener, fd));
    peer = accept(listener, NULL, NULL);
    TRY(write(fd, "hello", 5));
    say_bytes(buf, TRY(read(peer, buf, sizeof buf)));
    SHOW(kit_nonblock(fd));
    SHOW(kit_nonblock(peer));
}

PROBE(connect_refused, 0, "connect() where nobody listens, and again")
{
    socklen_t len;
    struct sockaddr_storage a = nobody(&len);
    int fd = tcp_socket(), error = 0;
    socklen_t size = sizeof error;

    TRY(connect(fd, (struct sockaddr *)&a, len));
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    SHOW(error);
    TRY(connect(fd, (struct sockaddr *)&a, len));
    TRY(kit_try_connect(kit_listen(1), fd));
    SHOW(kit_nonblock(fd));
}

PROBE(connect_refused_nonblock, 0, "connect() without waiting, refused")
{
    socklen_t len, size = sizeof(int);
    struct sockaddr_storage a = nobody(&len);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    TRY(connect(fd, (struct sockaddr *)&a, len));
    TRY(poll(&p, 1, 5000));
    SHOW(p.revents);
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    SHOW(error == ECONNREFUSED);
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    SHOW(error);
}

PROBE(connect_twice, 0, "connect() of what is connected: EISCONN")
{
    int listener = kit_listen(2), fd = tcp_socket();

    TRY(kit_try_connect(listener, fd));
    TRY(kit_try_connect(listener, fd));
    TRY(kit_try_connect(listener, fd));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    listener = kit_unix_listen(2);
    TRY(kit_try_connect(listener, fd));
    TRY(kit_try_connect(listener, fd));
}

PROBE(connect_nonblock, 0, "connect() without waiting, then poll()")
{
    int listener = kit_listen(1), error = -1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    socklen_t len = sizeof error;

    TRY(kit_try_connect(listener, fd));
    TRY(poll(&p, 1, 5000));
    SHOW(p.revents);
    TRY(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len));
    SHOW(error);
    TRY(kit_try_connect(listener, fd));
    TRY(kit_try_connect(listener, fd));
}

PROBE(connect_nonblock_full, 0, "connect() without waiting, again: EALREADY")
{
    int listener = full_listener();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    TRY(kit_try_connect(listener, fd));
    TRY(kit_try_connect(listener, fd));
    TRY(read(fd, buf, sizeof buf));
    TRY(write(fd, buf, sizeof buf));
}

PROBE(connect_timeout, PAUSE_MS, "connect() and SO_SNDTIMEO: EINPROGRESS")
{
    int listener = full_listener(), fd = tcp_socket();

    kit_timeout(fd, SO_SNDTIMEO, PAUSE_MS);
    TRY(kit_try_connect(listener, fd));
    SHOW(kit_nonblock(fd));
    TRY(kit_try_connect(listener, fd));
}

static void accept_two(void *arg)
{
    NEED(accept(*(int *)arg, NULL, NULL) >= 0);
    NEED(accept(*(int *)arg, NULL, NULL) >= 0);
}

PROBE(connect_waits, PAUSE_MS, "connect() waits for a listener that is full")
{
    int listener = full_listener(), fd = tcp_socket();

    later(accept_two, &listener);
    TRY(kit_try_connect(listener, fd));
    SHOW(kit_nonblock(fd));
}

static int connecting;

static void connect_too(void *arg)
{
    (void)arg;
    TRY(kit_try_connect(connecting, *(int *)arg));
}

PROBE(connect_unix, 0, "connect() to a unix socket")
{
    int listener = kit_unix_listen(1), fd = kit_connect(listener), peer;

    peer = accept(listener, NULL, NULL);
    TRY(write(fd, "hello", 5));
    say_bytes(buf, TRY(read(peer, buf, sizeof buf)));
}

PROBE(connect_unix_waits, PAUSE_MS, "connect() to a full unix socket waits")
{
    int listener = kit_unix_listen(0), fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)kit_connect(listener);
    later_accept(listener);
    TRY(kit_try_connect(listener, fd));
    SHOW(kit_nonblock(fd));
}

PROBE(connect_unix_nonblock, 0, "connect() to a full unix socket: EAGAIN")
{
    int listener = kit_unix_listen(0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)kit_connect(listener);
    TRY(kit_try_connect(listener, fd));
    NEED(accept(listener, NULL, NULL) >= 0);
    TRY(kit_try_connect(listener, fd));
}

PROBE(connect_unix_timeout, PAUSE_MS, "connect() to a full unix socket, timed")
{
    int listener = kit_unix_listen(0), fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)kit_connect(listener);
    kit_timeout(fd, SO_SNDTIMEO, PAUSE_MS);
    TRY(kit_try_connect(listener, fd));
}

PROBE(connect_unix_errors, 0, "connect() to unix sockets that are not there")
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "gone" };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), other;

    TRY(connect(fd, (struct sockaddr *)&a, sizeof a));
    other = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY(bind(other, (struct sockaddr *)&a, sizeof a));
    TRY(connect(fd, (struct sockaddr *)&a, sizeof a));
    TRY(unlink("gone"));
    TRY(connect(fd, (struct sockaddr *)&a, 1));
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    TRY(kit_try_connect(kit_unix_listen(1), fd));
}

PROBE(connect_udp, 0, "connect() of UDP: at once, again, and undone")
{
    struct sockaddr none = { .sa_family = AF_UNSPEC };
    int fds[2];

    kit_udp(fds);
    TRY(kit_try_connect(fds[0], fds[1]));
    TRY(connect(fds[1], &none, sizeof none));
    TRY(write(fds[1], "abc", 3));
}

PROBE(connect_errors, 0, "connect() with bad arguments")
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    int fds[2], fd = tcp_socket(), listener = kit_listen(1);

    kit_pipe(fds);
    TRY(connect(fd, (struct sockaddr *)&a, 3));
    TRY(connect(fd, NULL, sizeof a));
    TRY(connect(fd, (struct sockaddr *)8, sizeof a));
    a.sin_family = AF_UNIX;
    TRY(connect(fd, (struct sockaddr *)&a, sizeof a));
    TRY(kit_try_connect(listener, fds[0]));
    TRY(kit_try_connect(listener, -1));
    TRY(kit_try_connect(listener, listener));
}

PROBE(connect_two, PAUSE_MS, "two who connect() one socket: both are told")
{
    int listener = full_listener(), fd = tcp_socket();

    connecting = listener;
    kit_set_nonblock(fd, true);
    TRY(kit_try_connect(listener, fd));
    kit_set_nonblock(fd, false);
    later(accept_two, &listener);
    actor_start(connect_too, &fd);
    actors_join();
    TRY(kit_try_connect(listener, fd));
}

static atomic_int peeked;

static void peek_mode(void *arg)
{
    pause_ms(PAUSE_MS);
    peeked = kit_nonblock(*(int *)arg);
    pause_ms(PAUSE_MS);
    accept_two(&connecting);
}

PROBE(connect_mode, 2 * PAUSE_MS, "O_NONBLOCK is not seen while one connects")
{
    int fd = tcp_socket();

    connecting = full_listener();
    actor_start(peek_mode, &fd);
    TRY(kit_try_connect(connecting, fd));
    SHOW(peeked);
}
