/* write.c - probes: write(2) and its kin, whole and broken off.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <limits.h>

enum { WHOLE = 8 << 20 };

static char *pattern(void)
{
    char *big = malloc(WHOLE);

    NEED(big != NULL);
    kit_pattern(big, WHOLE);
    return big;
}

/* Reads it all, slowly at first. */
static void reader(void *arg)
{
    char *buf = malloc(WHOLE);
    size_t n = 0;
    ssize_t r = 1;

    NEED(buf != NULL);
    pause_ms(PAUSE_MS);
    while (n < WHOLE && r > 0) {
        r = read(*(int *)arg, buf + n, WHOLE - n);
        n += r > 0 ? (size_t)r : 0;
    }
    say("all arrived: %s",
        n == WHOLE && kit_is_pattern(buf, WHOLE) ? "yes" : "no");
    free(buf);
}

static void write_whole(int from, int to)
{
    actor_start(reader, &to);
    TRY(write(from, pattern(), WHOLE));
    actors_join();
}

PROBE(write_8m_stream, PAUSE_MS, "write() of 8 MiB to a unix socket is whole")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    write_whole(fds[1], fds[0]);
}

PROBE(write_8m_tcp, PAUSE_MS, "write() of 8 MiB to a TCP socket is whole")
{
    int fds[2];

    kit_tcp(fds);
    write_whole(fds[1], fds[0]);
}

PROBE(write_8m_pipe, PAUSE_MS, "write() of 8 MiB to a pipe is whole")
{
    int fds[2];

    kit_pipe(fds);
    write_whole(fds[1], fds[0]);
}

PROBE(write_8m_fifo, PAUSE_MS, "write() of 8 MiB to a FIFO is whole")
{
    char path[64];
    int fds[2];

    kit_fifo(path);
    fds[0] = open(path, O_RDONLY | O_NONBLOCK);
    fds[1] = open(path, O_WRONLY);
    kit_set_nonblock(fds[0], false);
    write_whole(fds[1], fds[0]);
}

/* 16 parts of unequal length. */
static void parts(struct iovec iov[16])
{
    char *at = pattern();

    for (int i = 0; i < 16; i++) {
        iov[i].iov_base = at;
        iov[i].iov_len = WHOLE / 16 + (i % 2 ? 77 : -77);
        at += iov[i].iov_len;
    }
}

PROBE(writev_8m_stream, PAUSE_MS, "writev() of 8 MiB to a socket is whole")
{
    struct iovec iov[16];
    int fds[2];

    kit_tcp(fds);
    parts(iov);
    actor_start(reader, &fds[0]);
    TRY(writev(fds[1], iov, 16));
    actors_join();
}

PROBE(writev_8m_pipe, PAUSE_MS, "writev() of 8 MiB to a pipe is whole")
{
    struct iovec iov[16];
    int fds[2];

    kit_pipe(fds);
    parts(iov);
    actor_start(reader, &fds[0]);
    TRY(writev(fds[1], iov, 16));
    actors_join();
}

PROBE(pwritev2_8m_pipe, PAUSE_MS, "pwritev2() at -1 of 8 MiB is whole")
{
    struct iovec iov[16];
    int fds[2];

    kit_pipe(fds);
    parts(iov);
    actor_start(reader, &fds[0]);
    TRY(pwritev2(fds[1], iov, 16, -1, 0));
    actors_join();
}

PROBE(send_8m, PAUSE_MS, "send() of 8 MiB is whole")
{
    int fds[2];

    kit_tcp(fds);
    actor_start(reader, &fds[0]);
    TRY(send(fds[1], pattern(), WHOLE, 0));
    actors_join();
}

PROBE(sendto_8m, PAUSE_MS, "sendto() of 8 MiB is whole")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    actor_start(reader, &fds[0]);
    TRY(sendto(fds[1], pattern(), WHOLE, 0, NULL, 0));
    actors_join();
}

PROBE(sendmsg_8m, PAUSE_MS, "sendmsg() of 8 MiB is whole")
{
    struct iovec iov[16];
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 16 };
    int fds[2];

    kit_tcp(fds);
    parts(iov);
    actor_start(reader, &fds[0]);
    TRY(sendmsg(fds[1], &msg, 0));
    actors_join();
}

/* ---- Room -------------------------------------------------------------------
 */

PROBE(write_full_stream, PAUSE_MS, "write() to a full socket waits for room")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(write(fds[1], "abc", 3));
}

PROBE(write_full_pipe, PAUSE_MS, "write() to a full pipe waits for room")
{
    int fds[2];

    kit_pipe(fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(write(fds[1], "abc", 3));
}

PROBE(write_full_dgram, PAUSE_MS, "write() to a full unix datagram queue waits")
{
    int fds[2];

    kit_pair(SOCK_DGRAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(write(fds[1], "x", 1));
}

PROBE(write_full_pty, PAUSE_MS, "write() to a full terminal waits for room")
{
    int fds[2];

    kit_pty(fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(write(fds[1], "abc", 3));
}

static int atoms_to;

static void write_atoms(void *arg)
{
    char atom[PIPE_BUF];

    memset(atom, 'a' + (int)(intptr_t)arg, sizeof atom);
    for (int i = 0; i < 32; i++)
        NEED(write(atoms_to, atom, sizeof atom) == sizeof atom);
}

PROBE(write_atomic, PAUSE_MS, "writes of PIPE_BUF bytes do not mix")
{
    static char buf[PIPE_BUF];
    int fds[2], mixed = 0;

    kit_pipe(fds);
    atoms_to = fds[1];
    for (int i = 0; i < 3; i++)
        actor_start(write_atoms, (void *)(intptr_t)i);
    pause_ms(PAUSE_MS);
    for (int i = 0; i < 96; i++) {
        NEED(read(fds[0], buf, sizeof buf) == sizeof buf);
        for (size_t k = 1; k < sizeof buf; k++)
            mixed += buf[k] != buf[0];
    }
    SHOW(mixed);
}

/* ---- Nobody reads -----------------------------------------------------------
 */

PROBE(write_no_reader, 0, "write() to a pipe without reader: SIGPIPE, EPIPE")
{
    int fds[2];

    kit_pipe(fds);
    kit_catch(SIGPIPE, 0);
    TRY(close(fds[0]));
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
}

PROBE(write_no_peer, 0, "write() to a socket without peer: SIGPIPE, EPIPE")
{
    struct iovec iov = { "abc", 3 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_catch(SIGPIPE, 0);
    TRY(close(fds[0]));
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
    TRY(writev(fds[1], &iov, 1));
    SHOW(kit_caught);
    TRY(send(fds[1], "abc", 3, 0));
    SHOW(kit_caught);
}

PROBE(write_nosignal, 0, "MSG_NOSIGNAL: EPIPE without SIGPIPE")
{
    struct iovec iov = { "abc", 3 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_catch(SIGPIPE, 0);
    TRY(close(fds[0]));
    TRY(send(fds[1], "abc", 3, MSG_NOSIGNAL));
    TRY(sendmsg(fds[1], &msg, MSG_NOSIGNAL));
    SHOW(kit_caught);
    TRY(sendmsg(fds[1], &msg, 0));
    SHOW(kit_caught);
}

PROBE(write_reader_goes, PAUSE_MS, "a reader that goes wakes a waiting write()")
{
    int fds[2];

    kit_pipe(fds);
    kit_catch(SIGPIPE, 0);
    kit_fill(fds[1]);
    later_close(fds[0]);
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
}

PROBE(write_peer_goes, PAUSE_MS,
      "a unix peer that goes wakes a waiting write()")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_catch(SIGPIPE, 0);
    kit_fill(fds[1]);
    later_close(fds[0]);
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
}

static void read_some_and_close(void *arg)
{
    static char buf[1 << 20];
    size_t n = 0;

    while (n < sizeof buf)
        n += (size_t)read(*(int *)arg, buf, sizeof buf - n);
    NEED(close(*(int *)arg) == 0);
}

PROBE(write_broken_off, PAUSE_MS, "a write() broken off half way says how much")
{
    int fds[2];
    long r;

    kit_pipe(fds);
    kit_catch(SIGPIPE, 0);
    later(read_some_and_close, &fds[0]);
    r = write(fds[1], pattern(), WHOLE);
    SHOW(r >= 1 << 20 && r < WHOLE);
    SHOW(kit_caught);
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
}

PROBE(write_after_shutdown, 0, "write() after shutdown(SHUT_WR)")
{
    int fds[2];

    kit_tcp(fds);
    kit_catch(SIGPIPE, 0);
    TRY(shutdown(fds[1], SHUT_WR));
    TRY(write(fds[1], "abc", 3));
    SHOW(kit_caught);
}
