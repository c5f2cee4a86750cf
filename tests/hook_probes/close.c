/* close.c - probes: close, dup, shutdown, and who is woken by them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <sys/ioctl.h>

static char buf[256];

PROBE(close_twice, 0, "close() of what is closed: EBADF")
{
    int fds[2];

    kit_pipe(fds);
    TRY(close(fds[0]));
    TRY(close(fds[0]));
    TRY(close(-1));
    TRY(close(900));
}

PROBE(close_kind_changes, PAUSE_MS, "a number used again for another kind")
{
    int fds[2], pipes[2];

    kit_tcp(fds);
    kit_set_nonblock(fds[0], true);
    TRY(read(fds[0], buf, 1));
    TRY(close(fds[0]));
    TRY(close(fds[1]));
    kit_pipe(pipes);
    SHOW(pipes[0] <= fds[1]);
    later_write(pipes[1], "x");
    TRY(read(pipes[0], buf, 1));
    TRY(recv(pipes[0], buf, 1, 0));
}

PROBE(close_kind_back, PAUSE_MS, "the same from a pipe to a socket")
{
    int fds[2], pipes[2];

    TRY(pipe2(pipes, O_NONBLOCK));
    TRY(close(pipes[0]));
    TRY(close(pipes[1]));
    kit_pair(SOCK_STREAM, fds);
    SHOW(fds[0] == pipes[0]);
    later_write(fds[1], "hello");
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(close_copy, PAUSE_MS, "close() of a copy leaves the other as it was")
{
    int fds[2], copy;

    kit_tcp(fds);
    copy = dup(fds[0]);
    TRY(close(copy));
    TRY(read(copy, buf, 1));
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
}

static int closed_fd;

static void read_closed(void *arg)
{
    (void)arg;
    TRY(read(closed_fd, buf, sizeof buf));
}

/* To the kernel who reads has the file, whatever becomes of the number. */
static void close_and_end(int from, int to)
{
    closed_fd = from;
    actor_start(read_closed, NULL);
    pause_ms(PAUSE_MS);
    NEED(close(from) == 0);
    pause_ms(PAUSE_MS);
    NEED(close(to) == 0);
    actors_join();
}

PROBE_DIFFERS(close_wakes_socket, 2 * PAUSE_MS,
              "close() of a socket wakes its reader: EBADF",
              "read(closed_fd, buf, sizeof buf) = -1 EBADF\n"
              "took at least 400 ms: yes\n")
{
    int fds[2];

    kit_tcp(fds);
    close_and_end(fds[0], fds[1]);
}

PROBE_DIFFERS(close_wakes_pipe, 2 * PAUSE_MS,
              "close() of a pipe wakes its reader: EBADF",
              "read(closed_fd, buf, sizeof buf) = -1 EBADF\n"
              "took at least 400 ms: yes\n")
{
    int fds[2];

    kit_pipe(fds);
    close_and_end(fds[0], fds[1]);
}

static void accept_closed(void *arg)
{
    int fd = accept(closed_fd, NULL, NULL);

    (void)arg;
    say("accept() = %s", fd >= 0 ? "a descriptor" : strerrorname_np(errno));
}

PROBE_DIFFERS(close_wakes_accept, PAUSE_MS,
              "close() of a listener wakes accept(): EBADF",
              "accept() = EBADF\n"
              "took at least 200 ms: yes\n")
{
    struct sockaddr_storage name;
    socklen_t len;

    closed_fd = kit_listen(1);
    name = kit_name(closed_fd, &len);
    actor_start(accept_closed, NULL);
    pause_ms(PAUSE_MS);
    NEED(close(closed_fd) == 0);
    /* The kernel's accept() still takes this one. */
    (void)connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&name,
                  len);
    actors_join();
}

PROBE(shutdown_wakes_reader, PAUSE_MS, "one's own shutdown() wakes a read()")
{
    int fds[2];

    kit_tcp(fds);
    later_shutdown(fds[0], SHUT_RD);
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(shutdown_wakes_unix, PAUSE_MS, "the same of a unix socket")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_shutdown(fds[0], SHUT_RDWR);
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(shutdown_wakes_udp, PAUSE_MS, "the same of UDP")
{
    int fds[2];

    kit_udp(fds);
    later_shutdown(fds[0], SHUT_RD);
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

static void receive_message(void *arg)
{
    struct iovec iov = { buf, sizeof buf };
    struct sockaddr_storage name;
    char control[64];
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_name = &name,
                          .msg_namelen = sizeof name,
                          .msg_control = control,
                          .msg_controllen = sizeof control };

    TRY(recvmsg(*(int *)arg, &msg, 0));
    SHOW(msg.msg_namelen);
    SHOW(msg.msg_controllen);
    SHOW(msg.msg_flags);
}

static void receive_from(void *arg)
{
    TRY(recvfrom(*(int *)arg, buf, sizeof buf, 0, NULL, NULL));
}

PROBE(shutdown_wakes_dgram, 2 * PAUSE_MS,
      "the same of datagrams, in other ways")
{
    int fds[2];

    kit_pair(SOCK_DGRAM, fds);
    actor_start(receive_message, &fds[0]);
    later_shutdown(fds[0], SHUT_RD);
    actors_join();
    kit_udp(fds);
    actor_start(receive_from, &fds[0]);
    later_shutdown(fds[0], SHUT_RD);
    actors_join();
}

PROBE(shutdown_wakes_peer, PAUSE_MS, "the peer's shutdown() is the end")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_shutdown(fds[1], SHUT_WR);
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(write(fds[0], "x", 1));
    TRY(read(fds[1], buf, 1));
}

PROBE(shutdown_wakes_all, PAUSE_MS, "shutdown() wakes four readers")
{
    int fds[2];

    kit_tcp(fds);
    closed_fd = fds[0];
    for (int i = 0; i < 4; i++)
        actor_start(read_closed, NULL);
    later_shutdown(fds[0], SHUT_RDWR);
}

PROBE(shutdown_bad, 0, "shutdown() of what cannot be")
{
    int fds[2];

    kit_pipe(fds);
    TRY(shutdown(fds[0], SHUT_RD));
    TRY(shutdown(-1, SHUT_RD));
    TRY(shutdown(socket(AF_INET, SOCK_STREAM, 0), SHUT_RD));
    kit_pair(SOCK_STREAM, fds);
    TRY(shutdown(fds[0], 77));
}

/* ---- Copies -----------------------------------------------------------------
 */

PROBE(dup_reads, PAUSE_MS, "a copy reads what comes to the original")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(read(dup(fds[0]), buf, sizeof buf)));
}

PROBE(dup_mode, PAUSE_MS, "O_NONBLOCK set by a copy, seen by the original")
{
    int fds[2], copy;

    kit_pipe(fds);
    copy = dup(fds[0]);
    kit_set_nonblock(copy, true);
    TRY(read(fds[0], buf, 1));
    kit_set_nonblock(fds[0], false);
    later_write(fds[1], "x");
    TRY(read(copy, buf, 1));
}

PROBE(dup_mode_before, PAUSE_MS, "O_NONBLOCK set before the copy, by F_DUPFD")
{
    int fds[2], copy, on = 1;

    kit_tcp(fds);
    TRY(ioctl(fds[0], FIONBIO, &on));
    copy = fcntl(fds[0], F_DUPFD_CLOEXEC, 100);
    SHOW(copy >= 100);
    SHOW(fcntl(copy, F_GETFD));
    TRY(read(copy, buf, 1));
    kit_set_nonblock(copy, false);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
}

PROBE(dup2_over, PAUSE_MS, "dup2() over an open number: it is the other now")
{
    int fds[2], others[2];

    kit_pair(SOCK_STREAM, fds);
    kit_pipe(others);
    kit_set_nonblock(fds[0], true);
    TRY(read(fds[0], buf, 1));
    SHOW(dup2(others[0], fds[0]) == fds[0]);
    later_write(others[1], "hello");
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
    TRY(send(fds[1], "x", 1, MSG_NOSIGNAL));
}

PROBE(dup2_same, PAUSE_MS, "dup2() onto itself changes nothing")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    SHOW(dup2(fds[0], fds[0]) == fds[0]);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
    SHOW(dup2(900, 900));
}

PROBE(dup_bad, 0, "dup() and its kin with bad arguments")
{
    int fds[2];

    kit_pipe(fds);
    TRY(dup(-1));
    TRY(dup2(-1, 5));
    TRY(dup2(fds[0], -1));
    TRY(dup3(fds[0], fds[0], 0));
    TRY(dup3(fds[0], 100, 77));
    TRY(dup3(fds[0], 100, O_CLOEXEC));
    TRY(fcntl(100, F_GETFD));
    TRY(fcntl(fds[0], F_DUPFD, -1));
}

PROBE_DIFFERS(dup2_wakes, 2 * PAUSE_MS,
              "dup2() over a number wakes its reader: EBADF",
              "read(closed_fd, buf, sizeof buf) = -1 EBADF\n"
              "took at least 400 ms: yes\n")
{
    int fds[2], others[2];

    kit_tcp(fds);
    kit_pipe(others);
    closed_fd = fds[0];
    actor_start(read_closed, NULL);
    pause_ms(PAUSE_MS);
    NEED(dup2(others[0], fds[0]) == fds[0]);
    pause_ms(PAUSE_MS);
    NEED(close(fds[1]) == 0);
    actors_join();
}

/* ---- Many at a time ---------------------------------------------------------
 */

static void place(int from, int at) { NEED(dup2(from, at) == at); }

PROBE(close_range_some, PAUSE_MS, "close_range() closes those and no others")
{
    int fds[2];

    kit_pipe(fds);
    for (int i = 500; i < 505; i++)
        place(fds[0], i);
    if (close_range(501, 502, 0) < 0 && errno == ENOSYS)
        probe_skip("no close_range()");
    for (int i = 500; i < 505; i++)
        SHOW(fcntl(i, F_GETFD));
    later_write(fds[1], "x");
    TRY(read(503, buf, 1));
    TRY(close_range(5, 4, 0));
    TRY(close_range(500, 500, 1 << 30));
    TRY(close_range(503, 503, CLOSE_RANGE_CLOEXEC));
    SHOW(fcntl(503, F_GETFD));
}

PROBE(closefrom_high, PAUSE_MS, "closefrom(): a number after it is fresh")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    place(fds[0], 600);
    kit_set_nonblock(600, true);
    TRY(read(600, buf, 1));
    closefrom(590);
    SHOW(fcntl(600, F_GETFD));
    kit_set_nonblock(fds[0], false);
    place(fds[0], 600);
    later_write(fds[1], "x");
    TRY(read(600, buf, 1));
}
