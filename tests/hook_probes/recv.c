/* recv.c - probes: recv(2) and its kin, and their flags.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"

static char buf[256];

PROBE(recv_stream, PAUSE_MS, "recv() waits")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, 0)));
}

PROBE(recv_dontwait, 0, "MSG_DONTWAIT on a blocking socket: EAGAIN")
{
    struct iovec iov = { buf, sizeof buf };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_tcp(fds);
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT));
    TRY(recvfrom(fds[0], buf, sizeof buf, MSG_DONTWAIT, NULL, NULL));
    TRY(recvmsg(fds[0], &msg, MSG_DONTWAIT));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT | MSG_PEEK));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT | MSG_WAITALL));
}

PROBE(recv_dontwait_ready, 0, "MSG_DONTWAIT takes what is there")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    TRY(send(fds[1], "hello", 5, 0));
    say_bytes(buf, TRY(recv(fds[0], buf, 3, MSG_DONTWAIT)));
    say_bytes(buf, TRY(recv(fds[0], buf, 8, MSG_DONTWAIT | MSG_WAITALL)));
    TRY(recv(fds[0], buf, 8, MSG_DONTWAIT));
}

PROBE(recv_peek, PAUSE_MS, "MSG_PEEK waits, and leaves what it finds")
{
    int fds[2];

    kit_tcp(fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(recv(fds[0], buf, 3, MSG_PEEK)));
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, MSG_PEEK)));
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, 0)));
}

PROBE(recv_peek_then_wait, 2 * PAUSE_MS, "recv() after a peek and a read waits")
{
    int fds[2];

    kit_tcp(fds);
    later_writes(fds[1], "abc", 2);
    TRY(recv(fds[0], buf, sizeof buf, MSG_PEEK));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recv(fds[0], buf, sizeof buf, MSG_PEEK));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT));
}

PROBE(recv_waitall, 3 * PAUSE_MS, "MSG_WAITALL waits for all, three writes")
{
    int fds[2];

    kit_tcp(fds);
    later_writes(fds[1], "abc", 3);
    say_bytes(buf, TRY(recv(fds[0], buf, 9, MSG_WAITALL)));
}

PROBE(recv_waitall_unix, 3 * PAUSE_MS, "MSG_WAITALL on a unix socket")
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_writes(fds[1], "abc", 3);
    say_bytes(buf, TRY(recvfrom(fds[0], buf, 7, MSG_WAITALL,
                                (struct sockaddr *)&a, &len)));
    SHOW(len);
    say_bytes(buf, TRY(recv(fds[0], buf, 2, MSG_WAITALL)));
}

PROBE(recv_waitall_end, 0, "MSG_WAITALL ended by the peer: what came")
{
    int fds[2];

    kit_tcp(fds);
    TRY(write(fds[1], "abc", 3));
    TRY(shutdown(fds[1], SHUT_WR));
    say_bytes(buf, TRY(recv(fds[0], buf, 9, MSG_WAITALL)));
    TRY(recv(fds[0], buf, 9, MSG_WAITALL));
}

static void write_and_end(void *arg)
{
    int fd = *(int *)arg;

    NEED(write(fd, "abc", 3) == 3);
    pause_ms(PAUSE_MS);
    NEED(shutdown(fd, SHUT_WR) == 0);
}

PROBE(recv_waitall_end_later, 2 * PAUSE_MS, "MSG_WAITALL wakes at the end")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later(write_and_end, &fds[1]);
    say_bytes(buf, TRY(recv(fds[0], buf, 9, MSG_WAITALL)));
}

PROBE(recv_waitall_timeout, PAUSE_MS, "MSG_WAITALL and a time-out: what came")
{
    int fds[2];

    kit_tcp(fds);
    kit_timeout(fds[0], SO_RCVTIMEO, PAUSE_MS);
    TRY(write(fds[1], "abc", 3));
    say_bytes(buf, TRY(recv(fds[0], buf, 9, MSG_WAITALL)));
}

PROBE(recv_waitall_peek, 2 * PAUSE_MS, "MSG_WAITALL with MSG_PEEK")
{
    int fds[2];

    kit_tcp(fds);
    later_writes(fds[1], "abc", 2);
    say_bytes(buf, TRY(recv(fds[0], buf, 6, MSG_WAITALL | MSG_PEEK)));
    say_bytes(buf, TRY(recv(fds[0], buf, 6, MSG_WAITALL)));
}

PROBE(recv_waitall_dgram, PAUSE_MS, "MSG_WAITALL means nothing to datagrams")
{
    int fds[2];

    kit_udp(fds);
    later_write(fds[1], "abc");
    say_bytes(buf, TRY(recv(fds[0], buf, 9, MSG_WAITALL)));
}

PROBE(recvmsg_waitall, 3 * PAUSE_MS, "recvmsg() with MSG_WAITALL, in two parts")
{
    char a[4], b[5];
    struct iovec iov[] = { { a, sizeof a }, { b, sizeof b } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    int fds[2];

    kit_tcp(fds);
    later_writes(fds[1], "abc", 3);
    TRY(recvmsg(fds[0], &msg, MSG_WAITALL));
    say_bytes(a, sizeof a);
    say_bytes(b, sizeof b);
    SHOW(msg.msg_iovlen);
    SHOW(iov[0].iov_base == a && iov[1].iov_len == sizeof b);
}

PROBE(recv_trunc_udp, PAUSE_MS, "MSG_TRUNC tells a datagram's true length")
{
    int fds[2];

    kit_udp(fds);
    later_writes(fds[1], "abcdef", 2);
    TRY(recv(fds[0], buf, 3, MSG_TRUNC));
    TRY(recv(fds[0], buf, 3, 0));
}

PROBE(recv_trunc_tcp, PAUSE_MS, "MSG_TRUNC on TCP throws bytes away")
{
    int fds[2];

    kit_tcp(fds);
    later_write(fds[1], "abcdef");
    TRY(recv(fds[0], NULL, 4, MSG_TRUNC));
    say_bytes(buf, TRY(recv(fds[0], buf, 9, 0)));
}

PROBE(recv_oob, PAUSE_MS, "MSG_OOB takes the urgent byte, and never waits")
{
    int fds[2];

    kit_tcp(fds);
    TRY(recv(fds[0], buf, 1, MSG_OOB));
    later_write(fds[1], "a");
    TRY(recv(fds[0], buf, 1, 0));
    TRY(send(fds[1], "!", 1, MSG_OOB));
    while (recv(fds[0], buf, 1, MSG_OOB | MSG_PEEK) != 1)
        pause_ms(10);
    say_bytes(buf, TRY(recv(fds[0], buf, 1, MSG_OOB)));
    TRY(recv(fds[0], buf, 1, MSG_OOB));
}

PROBE(recv_errqueue, 0, "MSG_ERRQUEUE never waits")
{
    int fds[2];

    kit_udp(fds);
    TRY(recv(fds[0], buf, 1, MSG_ERRQUEUE));
}

PROBE(recv_kinds, 0, "recv() of what is no socket, or not open")
{
    struct msghdr msg = { 0 };
    int fds[2];

    kit_pipe(fds);
    TRY(recv(fds[0], buf, 1, 0));
    TRY(recvfrom(fds[0], buf, 1, 0, NULL, NULL));
    TRY(recvmsg(fds[0], &msg, 0));
    TRY(recv(-1, buf, 1, 0));
    TRY(recvfrom(-1, buf, 1, 0, NULL, NULL));
    TRY(recvmsg(-1, &msg, 0));
    TRY(recv(socket(AF_INET, SOCK_STREAM, 0), buf, 1, 0));
}

PROBE(recv_nothing, PAUSE_MS, "recv() of no bytes waits for some on TCP")
{
    int fds[2];

    kit_tcp(fds);
    later_write(fds[1], "abc");
    TRY(recv(fds[0], buf, 0, 0));
    TRY(recv(fds[0], buf, 9, 0));
}

PROBE(recv_lowat, 2 * PAUSE_MS, "recv() waits for SO_RCVLOWAT bytes")
{
    int fds[2], least = 6;

    kit_tcp(fds);
    TRY(setsockopt(fds[0], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least));
    later_writes(fds[1], "abc", 2);
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, 0)));
}

PROBE(recv_own_shutdown, 0, "recv() after one's own shutdown(SHUT_RD)")
{
    int fds[2];

    kit_tcp(fds);
    TRY(shutdown(fds[0], SHUT_RD));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recv(fds[0], buf, sizeof buf, MSG_WAITALL));
}

PROBE(recvfrom_address, PAUSE_MS, "recvfrom() waits, and tells who sent")
{
    struct sockaddr_in from;
    socklen_t len = sizeof from, name_len;
    struct sockaddr_storage name;
    int fds[2];

    kit_udp(fds);
    name = kit_name(fds[1], &name_len);
    later_write(fds[1], "hello");
    TRY(recvfrom(fds[0], buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
    SHOW(len);
    SHOW(memcmp(&from, &name, len));
}

PROBE(recvfrom_short, PAUSE_MS, "recvfrom() into an address too short")
{
    struct sockaddr_in from = { 0 };
    socklen_t len = 4;
    int fds[2];

    kit_udp(fds);
    later_write(fds[1], "hello");
    TRY(recvfrom(fds[0], buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
    SHOW(len);
    SHOW(from.sin_family == AF_INET);
    SHOW(from.sin_addr.s_addr);
}

PROBE(recvfrom_stream, PAUSE_MS, "recvfrom() on TCP leaves the address alone")
{
    struct sockaddr_in from = { 0 };
    socklen_t len = sizeof from;
    int fds[2];

    kit_tcp(fds);
    later_write(fds[1], "hello");
    TRY(recvfrom(fds[0], buf, sizeof buf, 0, (struct sockaddr *)&from, &len));
    SHOW(len);
    SHOW(from.sin_family);
}

PROBE(recv_refused, PAUSE_MS, "recv() on UDP wakes with the peer's refusal")
{
    int fds[2];

    kit_udp(fds);
    TRY(close(fds[0]));
    later_write(fds[1], "abc");
    TRY(recv(fds[1], buf, sizeof buf, 0));
}
