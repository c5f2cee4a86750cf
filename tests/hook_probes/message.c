/* message.c - probes: messages with control data, and many at a time.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <limits.h>

enum { MANY = 4 };

static char buf[256];

union control {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int))];
};

/* One part, and room for one descriptor. */
static struct msghdr message(struct iovec *iov, union control *control)
{
    return (struct msghdr){ .msg_iov = iov,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof control->room };
}

static long send_fd(int to, int fd)
{
    struct iovec iov = { "fd", 2 };
    union control control = { 0 };
    struct msghdr msg = message(&iov, &control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    return sendmsg(to, &msg, 0);
}

static int receive_fd(int from, int flags)
{
    struct iovec iov = { buf, sizeof buf };
    union control control = { 0 };
    struct msghdr msg = message(&iov, &control);
    int fd = -1;

    say_bytes(buf, TRY(recvmsg(from, &msg, flags)));
    SHOW(msg.msg_flags);
    SHOW(msg.msg_controllen);
    if (CMSG_FIRSTHDR(&msg) != NULL)
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof fd);
    SHOW(fd >= 0);
    return fd;
}

static int handed[2];

static void hand_over(void *arg)
{
    (void)arg;
    NEED(send_fd(handed[0], handed[1]) == 2);
}

PROBE(recvmsg_fd, 2 * PAUSE_MS, "a descriptor comes by recvmsg(), and waits")
{
    int fds[2], ends[2], fd;

    kit_pair(SOCK_STREAM, fds);
    kit_pipe(ends);
    handed[0] = fds[1];
    handed[1] = ends[0];
    later(hand_over, NULL);
    fd = receive_fd(fds[0], MSG_CMSG_CLOEXEC);
    SHOW(fcntl(fd, F_GETFD));
    later_write(ends[1], "hello");
    say_bytes(buf, TRY(read(fd, buf, sizeof buf)));
}

PROBE(recvmsg_fd_mode, PAUSE_MS, "O_NONBLOCK set by a descriptor handed over")
{
    int fds[2], ends[2], fd;

    kit_pair(SOCK_STREAM, fds);
    kit_pipe(ends);
    SHOW(send_fd(fds[1], ends[0]));
    fd = receive_fd(fds[0], 0);
    kit_set_nonblock(fd, true);
    TRY(read(ends[0], buf, sizeof buf));
    kit_set_nonblock(ends[0], false);
    later_write(ends[1], "hello");
    TRY(read(fd, buf, sizeof buf));
}

PROBE(recvmsg_fd_waitall, PAUSE_MS, "MSG_WAITALL ends where one comes along")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    handed[0] = fds[1];
    handed[1] = fds[0];
    TRY(write(fds[1], "ab", 2));
    later(hand_over, NULL);
    SHOW(receive_fd(fds[0], MSG_WAITALL) >= 0);
    TRY(write(fds[1], "ab", 2));
    SHOW(send_fd(fds[1], fds[0]));
    TRY(write(fds[1], "cd", 2));
    say_bytes(buf, TRY(recv(fds[0], buf, 6, MSG_WAITALL)));
}

PROBE(recvmsg_no_room, 0, "recvmsg() without room for the control data")
{
    struct iovec iov = { buf, sizeof buf };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    SHOW(send_fd(fds[1], fds[0]));
    TRY(recvmsg(fds[0], &msg, 0));
    SHOW(msg.msg_flags == MSG_CTRUNC);
}

PROBE(recvmsg_truncated, PAUSE_MS, "recvmsg() of less than a datagram says so")
{
    char a[2], b[2];
    struct iovec iov[] = { { a, 2 }, { b, 2 } };
    struct sockaddr_in from;
    struct msghdr msg = { .msg_iov = iov,
                          .msg_iovlen = 2,
                          .msg_name = &from,
                          .msg_namelen = sizeof from };
    int fds[2];

    kit_udp(fds);
    later_write(fds[1], "abcdef");
    TRY(recvmsg(fds[0], &msg, 0));
    say_bytes(a, 2);
    say_bytes(b, 2);
    SHOW(msg.msg_flags == MSG_TRUNC);
    SHOW(msg.msg_namelen);
}

PROBE(recvmsg_bad, 0, "recvmsg() and sendmsg() with bad headers")
{
    struct msghdr msg = { .msg_iovlen = IOV_MAX + 1 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    TRY(recvmsg(fds[0], &msg, 0));
    TRY(sendmsg(fds[0], &msg, 0));
    TRY(recvmsg(fds[0], (struct msghdr *)8, 0));
    TRY(sendmsg(fds[0], (struct msghdr *)8, 0));
    msg = (struct msghdr){ .msg_control = buf, .msg_controllen = 3 };
    TRY(sendmsg(fds[0], &msg, 0));
}

PROBE(sendmsg_waits, PAUSE_MS, "sendmsg() to a full socket waits for room")
{
    struct iovec iov[] = { { "ab", 2 }, { "cd", 2 } };
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(sendmsg(fds[1], &msg, 0));
    actors_join();
    say_bytes(buf, TRY(read(fds[0], buf, sizeof buf)));
}

PROBE(sendmsg_address, 0, "sendmsg() and sendto() with an address")
{
    struct iovec iov = { "hello", 5 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct sockaddr_storage name;
    socklen_t len;
    int fds[2], other = socket(AF_INET, SOCK_DGRAM, 0);

    kit_udp(fds);
    name = kit_name(other, &len);
    TRY(sendto(other, "a", 1, 0, (struct sockaddr *)&name, 2));
    TRY(sendto(other, "a", 1, 0, NULL, 0));
    TRY(sendto(other, "a", 1, 0, (struct sockaddr *)8, len));
    name = kit_name(fds[0], &len);
    msg.msg_name = &name;
    msg.msg_namelen = len;
    TRY(sendmsg(fds[1], &msg, 0));
    TRY(sendto(fds[1], "hello", 5, 0, (struct sockaddr *)&name, len));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    TRY(recv(fds[0], buf, sizeof buf, 0));
    kit_pair(SOCK_STREAM, fds);
    TRY(sendto(fds[0], "a", 1, 0, (struct sockaddr *)&name, len));
}

/* ---- Many -------------------------------------------------------------------
 */

static char rooms[MANY][8];
static struct iovec iovs[MANY];
static struct mmsghdr messages[MANY];

static void many_open(void)
{
    for (int i = 0; i < MANY; i++) {
        iovs[i] = (struct iovec){ rooms[i], sizeof rooms[i] };
        messages[i] = (struct mmsghdr){ .msg_hdr.msg_iov = &iovs[i],
                                        .msg_hdr.msg_iovlen = 1,
                                        .msg_len = 99 };
    }
}

static void many_say(long n)
{
    for (long i = 0; i < n; i++) {
        say("%u bytes", messages[i].msg_len);
        say_bytes(rooms[i], messages[i].msg_len);
    }
}

PROBE(recvmmsg_all, 4 * PAUSE_MS, "recvmmsg() waits for all messages")
{
    int fds[2];

    kit_udp(fds);
    many_open();
    later_writes(fds[1], "abc", MANY);
    many_say(TRY(recvmmsg(fds[0], messages, MANY, 0, NULL)));
}

PROBE(recvmmsg_one, PAUSE_MS, "recvmmsg(), MSG_WAITFORONE: waits for the first")
{
    int fds[2];

    kit_udp(fds);
    many_open();
    later_write(fds[1], "abc");
    many_say(TRY(recvmmsg(fds[0], messages, MANY, MSG_WAITFORONE, NULL)));
}

PROBE(recvmmsg_dontwait, 0, "recvmmsg() that may not wait")
{
    int fds[2];

    kit_udp(fds);
    many_open();
    TRY(recvmmsg(fds[0], messages, MANY, MSG_DONTWAIT, NULL));
    TRY(write(fds[1], "abc", 3));
    TRY(write(fds[1], "defg", 4));
    many_say(TRY(recvmmsg(fds[0], messages, MANY, MSG_DONTWAIT, NULL)));
    kit_set_nonblock(fds[0], true);
    TRY(recvmmsg(fds[0], messages, MANY, 0, NULL));
    TRY(recvmmsg(fds[0], messages, 0, 0, NULL));
    TRY(recvmmsg(-1, messages, MANY, 0, NULL));
}

PROBE(recvmmsg_timeout, 2 * PAUSE_MS,
      "recvmmsg(): its time-out, after a message")
{
    struct timespec time = { 0, PAUSE_MS * 1000000L };
    int fds[2];

    kit_udp(fds);
    many_open();
    later_writes(fds[1], "abc", 3);
    SHOW(recvmmsg(fds[0], messages, MANY, 0, &time) < MANY);
    time.tv_nsec = 1000000000;
    TRY(recvmmsg(fds[0], messages, MANY, 0, &time));
}

PROBE(recvmmsg_rcvtimeo, 2 * PAUSE_MS, "recvmmsg() and SO_RCVTIMEO")
{
    int fds[2];

    kit_udp(fds);
    many_open();
    kit_timeout(fds[0], SO_RCVTIMEO, PAUSE_MS);
    TRY(recvmmsg(fds[0], messages, MANY, 0, NULL));
    TRY(write(fds[1], "abc", 3));
    many_say(TRY(recvmmsg(fds[0], messages, MANY, 0, NULL)));
}

PROBE(sendmmsg_all, 0, "sendmmsg() sends all, and tells how long each was")
{
    int fds[2];

    kit_udp(fds);
    many_open();
    for (int i = 0; i < MANY; i++)
        iovs[i].iov_len = (size_t)i + 1;
    TRY(sendmmsg(fds[1], messages, MANY, 0));
    for (int i = 0; i < MANY; i++) {
        SHOW(messages[i].msg_len);
        TRY(recv(fds[0], buf, sizeof buf, 0));
    }
    TRY(sendmmsg(fds[1], messages, 0, 0));
    TRY(sendmmsg(-1, messages, MANY, 0));
}

PROBE(sendmmsg_waits, PAUSE_MS, "sendmmsg() to a full socket waits for room")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    many_open();
    later_read(fds[0], kit_fill(fds[1]));
    TRY(sendmmsg(fds[1], messages, MANY, 0));
}

PROBE(sendmmsg_partial, 0, "sendmmsg() ends at the message that fails")
{
    static char junk[100000];
    int fds[2];

    kit_udp(fds);
    many_open();
    iovs[2] = (struct iovec){ junk, sizeof junk };
    TRY(sendmmsg(fds[1], messages, MANY, 0));
    TRY(sendmmsg(fds[1], messages + 2, 2, 0));
}

PROBE(sendmmsg_dontwait, 0, "sendmmsg() that may not wait: EAGAIN")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    many_open();
    (void)kit_fill(fds[1]);
    TRY(sendmmsg(fds[1], messages, MANY, MSG_DONTWAIT));
    kit_set_nonblock(fds[1], true);
    TRY(sendmmsg(fds[1], messages, MANY, 0));
}
