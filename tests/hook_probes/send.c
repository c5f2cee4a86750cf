/* send.c - probes: send(2) and sendto(2), and their flags.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"

static char buf[256];
static char junk[8 << 20];

PROBE(send_waits, PAUSE_MS, "send() to a full socket waits for room")
{
    int fds[2];

    kit_tcp(fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(send(fds[1], "abc", 3, 0));
}

PROBE(sendto_waits, PAUSE_MS, "sendto() to a full socket waits for room")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(sendto(fds[1], "abc", 3, 0, NULL, 0));
}

PROBE(send_dontwait, 0, "MSG_DONTWAIT: what fits, then EAGAIN")
{
    struct iovec iov = { junk, sizeof junk };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];
    long r;

    kit_pair(SOCK_STREAM, fds);
    r = send(fds[1], junk, sizeof junk, MSG_DONTWAIT);
    SHOW(r > 0 && r < (long)sizeof junk);
    (void)kit_fill(fds[1]);
    TRY(send(fds[1], junk, sizeof junk, MSG_DONTWAIT));
    TRY(sendto(fds[1], junk, sizeof junk, MSG_DONTWAIT, NULL, 0));
    TRY(sendmsg(fds[1], &msg, MSG_DONTWAIT));
    SHOW(kit_nonblock(fds[1]));
}

PROBE(send_more, 0, "MSG_MORE holds back, the next send() lets go")
{
    int fds[2];

    kit_tcp(fds);
    TRY(send(fds[1], "abc", 3, MSG_MORE));
    TRY(send(fds[1], "def", 3, 0));
    say_bytes(buf, TRY(recv(fds[0], buf, 6, MSG_WAITALL)));
}

PROBE(send_more_udp, 0, "MSG_MORE makes one datagram of two")
{
    int fds[2];

    kit_udp(fds);
    TRY(send(fds[1], "abc", 3, MSG_MORE));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT));
    TRY(send(fds[1], "def", 3, 0));
    say_bytes(buf, TRY(recv(fds[0], buf, sizeof buf, 0)));
}

PROBE(send_record, 0, "MSG_EOR, and records of a seqpacket socket")
{
    int fds[2];

    kit_pair(SOCK_SEQPACKET, fds);
    TRY(send(fds[1], "abc", 3, MSG_EOR));
    TRY(send(fds[1], "de", 2, 0));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(send_kinds, 0, "send() to what is no socket, or not open")
{
    struct msghdr msg = { 0 };
    int fds[2];

    kit_pipe(fds);
    TRY(send(fds[1], "abc", 3, 0));
    TRY(sendto(fds[1], "abc", 3, 0, NULL, 0));
    TRY(sendmsg(fds[1], &msg, 0));
    TRY(send(-1, "abc", 3, 0));
    TRY(sendto(-1, "abc", 3, 0, NULL, 0));
    TRY(sendmsg(-1, &msg, 0));
}

PROBE(send_nothing, 0, "send() of no bytes: nothing, or an empty datagram")
{
    int fds[2];

    kit_tcp(fds);
    TRY(send(fds[1], buf, 0, 0));
    TRY(recv(fds[0], buf, sizeof buf, MSG_DONTWAIT));
    kit_udp(fds);
    TRY(send(fds[1], buf, 0, 0));
    TRY(recv(fds[0], buf, sizeof buf, 0));
}

PROBE(send_oob_unix, 0, "MSG_OOB where there is none")
{
    int fds[2];

    kit_udp(fds);
    TRY(send(fds[1], "!", 1, MSG_OOB));
}

PROBE(send_shut_wakes, PAUSE_MS, "shutdown(SHUT_WR) wakes a waiting send()")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_catch(SIGPIPE, 0);
    (void)kit_fill(fds[1]);
    later_shutdown(fds[1], SHUT_WR);
    TRY(send(fds[1], "abc", 3, 0));
    SHOW(kit_caught);
}

static int writer_fd;

static void writer(void *arg)
{
    char block[1000];

    memset(block, (int)(intptr_t)arg, sizeof block);
    for (int i = 0; i < 500; i++)
        NEED(send(writer_fd, block, sizeof block, 0) == sizeof block);
}

PROBE(senders_many, PAUSE_MS, "four senders on one socket lose nothing")
{
    size_t n = 0, counts[4] = { 0 };
    int fds[2];

    kit_tcp(fds);
    writer_fd = fds[1];
    for (int i = 0; i < 4; i++)
        actor_start(writer, (void *)(intptr_t)i);
    pause_ms(PAUSE_MS);
    while (n < 2000000) {
        ssize_t r = recv(fds[0], junk, sizeof junk, 0);

        NEED(r > 0);
        n += (size_t)r;
        for (ssize_t i = 0; i < r; i++)
            counts[junk[i] & 3]++;
    }
    for (int i = 0; i < 4; i++)
        SHOW(counts[i]);
}
