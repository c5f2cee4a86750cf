/* timeout.c - probes: SO_RCVTIMEO and SO_SNDTIMEO.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <netinet/ip.h>
#include <netinet/tcp.h>

static char buf[256];
static char junk[8 << 20];

PROBE(rcvtimeo_stream, PAUSE_MS, "SO_RCVTIMEO of part of a second: read()")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_timeout(fds[0], SO_RCVTIMEO, PAUSE_MS);
    TRY(read(fds[0], buf, sizeof buf));
    SHOW(kit_nonblock(fds[0]));
}

PROBE(rcvtimeo_all, 5 * 50, "SO_RCVTIMEO: all that receives")
{
    struct iovec iov = { buf, sizeof buf };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, 50);
    TRY(readv(fds[0], &iov, 1));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recvfrom(fds[0], buf, sizeof buf, 0, NULL, NULL));
    TRY(recvmsg(fds[0], &msg, 0));
    TRY(recv(fds[0], buf, sizeof buf, MSG_PEEK));
}

PROBE(rcvtimeo_in_time, PAUSE_MS, "SO_RCVTIMEO: what comes in time is received")
{
    int fds[2];

    kit_udp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, 20 * PAUSE_MS);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, 0)));
}

PROBE(rcvtimeo_each, 2 * PAUSE_MS, "SO_RCVTIMEO counts from each call anew")
{
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, PAUSE_MS);
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(write(fds[1], "x", 1));
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(rcvtimeo_off, PAUSE_MS, "SO_RCVTIMEO of 0 is none")
{
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, 20);
    TRY(recv(fds[0], buf, sizeof buf, 0));
    kit_timeout(fds[0], SO_RCVTIMEO, 0);
    later_write(fds[1], "hello");
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(rcvtimeo_copy, PAUSE_MS, "SO_RCVTIMEO set by a copy of the descriptor")
{
    int fds[2], copy;

    kit_tcp(fds);
    copy = dup(fds[0]);
    kit_timeout(copy, SO_RCVTIMEO, PAUSE_MS);
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(close(copy));
    kit_timeout(fds[0], SO_RCVTIMEO, 20);
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(rcvtimeo_before_copy, PAUSE_MS,
      "SO_RCVTIMEO, then a copy of the descriptor")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_timeout(fds[0], SO_RCVTIMEO, PAUSE_MS);
    TRY(recv(dup(fds[0]), buf, sizeof buf, 0));
}

PROBE(rcvtimeo_reused, PAUSE_MS, "a number used again has no time-out")
{
    int fds[2], again[2];

    kit_pair(SOCK_STREAM, fds);
    kit_timeout(fds[0], SO_RCVTIMEO, 20);
    TRY(close(fds[0]));
    kit_pair(SOCK_STREAM, again);
    SHOW(again[0] == fds[0]);
    later_write(again[1], "hello");
    TRY(recv(again[0], buf, sizeof buf, 0));
}

PROBE(rcvtimeo_value, 0, "SO_RCVTIMEO is read back as it was set")
{
    struct timeval t = { 3, 250000 };
    socklen_t len = sizeof t;
    int fds[2];

    kit_tcp(fds);
    TRY(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    t = (struct timeval){ 9, 9 };
    TRY(getsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, &len));
    say("%ld s, %ld us, of %u bytes", (long)t.tv_sec, (long)t.tv_usec, len);
    TRY(getsockopt(fds[0], SOL_SOCKET, SO_SNDTIMEO, &t, &len));
    say("%ld s, %ld us", (long)t.tv_sec, (long)t.tv_usec);
}

PROBE(rcvtimeo_bad, PAUSE_MS, "SO_RCVTIMEO that is refused changes nothing")
{
    struct timeval t = { 0, 1000000 };
    socklen_t len = sizeof t;
    int fds[2];

    kit_tcp(fds);
    TRY(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    TRY(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &t, 3));
    TRY(setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    TRY(getsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &t, &len));
    TRY(getsockopt(fds[0], SOL_SOCKET, 9999, &t, &len));
    later_write(fds[1], "hello");
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(timeo_other_level, PAUSE_MS, "options of its number on another level")
{
    int fds[2], value = 1;
    socklen_t len = sizeof value;

    _Static_assert(IP_RECVORIGDSTADDR == SO_RCVTIMEO, "the same number");
    _Static_assert(IP_MINTTL == SO_SNDTIMEO, "the same number");
    kit_udp(fds);
    TRY(setsockopt(fds[0], IPPROTO_IP, SO_RCVTIMEO, &value, sizeof value));
    TRY(setsockopt(fds[1], IPPROTO_IP, SO_SNDTIMEO, &value, sizeof value));
    value = 9;
    TRY(getsockopt(fds[0], IPPROTO_IP, SO_RCVTIMEO, &value, &len));
    SHOW(value);
    SHOW(len);
    later_write(fds[1], "hello");
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(sndtimeo_full, PAUSE_MS, "SO_SNDTIMEO: send() to a full socket")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    (void)kit_fill(fds[1]);
    kit_timeout(fds[1], SO_SNDTIMEO, PAUSE_MS);
    TRY(send(fds[1], "abc", 3, 0));
}

PROBE(sndtimeo_all, 4 * 50, "SO_SNDTIMEO: all that sends")
{
    struct iovec iov = { "abc", 3 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    (void)kit_fill(fds[1]);
    kit_timeout(fds[1], SO_SNDTIMEO, 50);
    TRY(write(fds[1], "abc", 3));
    TRY(writev(fds[1], &iov, 1));
    TRY(sendto(fds[1], "abc", 3, 0, NULL, 0));
    TRY(sendmsg(fds[1], &msg, 0));
}

PROBE(sndtimeo_part, PAUSE_MS, "SO_SNDTIMEO half way: how much was sent")
{
    int fds[2];
    long r;

    kit_pair(SOCK_STREAM, fds);
    kit_timeout(fds[1], SO_SNDTIMEO, PAUSE_MS);
    r = write(fds[1], junk, sizeof junk);
    SHOW(r > 0 && r < (long)sizeof junk);
}

PROBE(sndtimeo_not_reads, PAUSE_MS,
      "SO_SNDTIMEO is none of a read()'s business")
{
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_SNDTIMEO, 20);
    later_write(fds[1], "hello");
    TRY(read(fds[0], buf, sizeof buf));
}

PROBE(timeo_poll, PAUSE_MS,
      "a time-out does not make a descriptor non-blocking")
{
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, 10 * PAUSE_MS);
    later_writes(fds[1], "abc", 1);
    TRY(recv(fds[0], buf, 1, MSG_DONTWAIT));
    TRY(recv(fds[0], buf, 3, MSG_WAITALL));
}
