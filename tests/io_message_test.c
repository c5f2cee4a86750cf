/* io_message_test.c - large writes, datagrams and their names, descriptors that
 * travel along.
 *
 * Each case is run for foreign and for own sockets, in a coroutine and on a
 * plain thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"

#define SOON() co_after(KIT_LONG)
#define LATE() co_after(2 * CO_MSEC)

static bool own;

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0); }

/* A reader that starts late: a write takes what fits. */
enum { HUGE = 8 << 20 };

static void read_huge(void *arg)
{
    int fd = kit_int(arg);
    size_t got = 0;
    char *buf = malloc(1 << 16);

    CHECK(buf != NULL);
    nap();
    while (got < HUGE) {
        ssize_t n = co_read(fd, buf, 1 << 16, SOON());

        CHECK(n > 0);
        for (ssize_t i = 0; i < n; i += 997)
            CHECK_EQ(buf[i], (char)((got + (size_t)i) / 4096));
        got += (size_t)n;
    }
    free(buf);
}

static void huge_writes(void *arg)
{
    char *buf = malloc(HUGE);
    struct co *c;
    size_t done = 0;
    int fds[2], parts = 0;

    (void)arg;
    CHECK(buf != NULL);
    for (size_t i = 0; i < HUGE; i++)
        buf[i] = (char)(i / 4096);
    if (own)
        kit_tcp_own(fds);
    else
        kit_tcp(fds);
    CHECK((c = co_spawn(read_huge, kit_pointer(fds[0]), NULL)) != NULL);
    while (done < HUGE) {
        struct iovec iov[2] = { { buf + done, (HUGE - done) / 2 },
                                { buf + done + (HUGE - done) / 2,
                                  HUGE - done - (HUGE - done) / 2 } };
        ssize_t n = parts++ % 2
                        ? co_writev(fds[1], iov, 2, SOON())
                        : co_write(fds[1], buf + done, HUGE - done, SOON());

        CHECK(n > 0);
        done += (size_t)n;
    }
    CHECK(parts > 1);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    kit_close(fds);
    free(buf);
}

/* ---- What travels along
 * -------------------------------------------------------- */

static void send_fd(int over, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    struct iovec iov = { "f", 1 };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.space,
                          .msg_controllen = sizeof control.space };

    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    CHECK_EQ(co_sendmsg(over, &msg, 0, SOON()), 1);
}

struct send_later {
    int over, fd;
};

static void send_fd_later(void *arg)
{
    struct send_later *s = arg;

    nap();
    send_fd(s->over, s->fd);
}

/* The size of the control buffer survives the tries that found nothing. */
static int recv_fd(int over)
{
    char space[CMSG_SPACE(sizeof(int))], c;
    struct iovec iov = { &c, 1 };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = space,
                          .msg_controllen = sizeof space };
    struct cmsghdr *header;
    int fd;

    CHECK_EQ(co_recvmsg(over, &msg, MSG_CMSG_CLOEXEC, SOON()), 1);
    header = CMSG_FIRSTHDR(&msg);
    CHECK(header != NULL && header->cmsg_type == SCM_RIGHTS);
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
}

static void rights(void *arg)
{
    int over[2], fds[2], got;
    struct send_later s;
    char c;

    (void)arg;
    for (int type = SOCK_STREAM; type <= SOCK_SEQPACKET; type += 2) {
        for (int i = 0; i < 100; i++) { /* some before, some after */
            CHECK_EQ(socketpair(AF_UNIX, i % 2 ? type : SOCK_DGRAM, 0, over),
                     0);
            CHECK_EQ(pipe(fds), 0);
            s = (struct send_later){ over[1], fds[0] };
            if (i % 3)
                CHECK_EQ(co_go(send_fd_later, &s), 0);
            else
                send_fd(over[1], fds[0]);
            got = recv_fd(over[0]);
            CHECK_EQ(write(fds[1], "x", 1), 1);
            CHECK_EQ(co_read(got, &c, 1, SOON()), 1);
            CHECK_EQ(co_read(got, &c, 1, CO_NOWAIT), -1);
            CHECK_EQ(errno, ETIMEDOUT);
            CHECK_EQ(close(got), 0);
            kit_close(fds);
            kit_close(over);
        }
    }
}

struct reply {
    int fd;
    struct sockaddr_in to;
};

static void reply_later(void *arg)
{
    struct reply *r = arg;

    nap();
    CHECK_EQ(co_sendto(r->fd, "reply", 5, 0, (struct sockaddr *)&r->to,
                       sizeof r->to, SOON()),
             5);
}

static void names(void *arg)
{
    int fds[2];
    struct sockaddr_in from = { 0 };
    struct reply r;
    socklen_t len = sizeof from;
    char buf[16];

    (void)arg;
    for (int i = 0; i < 2; i++) {
        fds[i] = own ? co_socket(AF_INET, SOCK_DGRAM, 0)
                     : socket(AF_INET, SOCK_DGRAM, 0);
        kit_bind(fds[i]);
    }
    r = (struct reply){ fds[1], kit_name(fds[0]) };
    CHECK_EQ(co_go(reply_later, &r), 0);
    CHECK_EQ(co_recvfrom(fds[0], buf, sizeof buf, 0, (struct sockaddr *)&from,
                         &len, SOON()),
             5);
    CHECK_EQ(len, sizeof from);
    CHECK_EQ(from.sin_port, kit_name(fds[1]).sin_port);
    /* An empty datagram is one, and a long one is cut. */
    CHECK_EQ(co_sendto(fds[1], "", 0, 0, (struct sockaddr *)&r.to, sizeof r.to,
                       SOON()),
             0);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 0);
    CHECK_EQ(co_go(reply_later, &r), 0);
    CHECK_EQ(co_recv(fds[0], buf, 2, MSG_TRUNC, SOON()), 5);
    CHECK_EQ(co_recv(fds[0], buf, 2, 0, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    kit_close(fds);
}

int main(void)
{
    static co_fn *const cases[] = { huge_writes, rights, names };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        own = i % 2;
        fprintf(stderr, "  %zu %s\n", i / 2, own ? "own" : "foreign");
        kit_both(cases[i / 2], NULL);
    }
    return 0;
}
