/* io_socket_test.c - what only sockets do: half-close, resets, urgent data,
 * flags of receive.
 *
 * Each case is run for foreign and for own sockets, in a coroutine and on a
 * plain thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "tests/io_kit.h"
#include <sys/ioctl.h>
#include <time.h>

#define SOON() co_after(KIT_LONG)
#define LATE() co_after(2 * CO_MSEC)

static bool own;

static void tcp(int fds[2])
{
    if (own)
        kit_tcp_own(fds);
    else
        kit_tcp(fds);
}

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0); }

/* ---- Ends ------------------------------------------------------------------
 */

static void half_close(void *arg)
{
    int fds[2], wait = CO_READ | CO_HUP;
    char buf[16];

    (void)arg;
    tcp(fds);
    CHECK_EQ(co_fd_wait(fds[0], wait, LATE()), -1);
    CHECK_EQ(co_fd_wait(fds[0], CO_HUP, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    /* FIN together with data: both are seen. */
    CHECK_EQ(co_write(fds[1], "last", 4, SOON()), 4);
    CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
    CHECK_EQ(co_fd_wait(fds[0], CO_HUP, SOON()), CO_HUP);
    CHECK_EQ(co_fd_wait(fds[0], wait, SOON()), wait);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 4);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 0);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 0);
    /* The other direction goes on. */
    CHECK_EQ(co_write(fds[0], "more", 4, SOON()), 4);
    CHECK_EQ(co_read(fds[1], buf, sizeof buf, SOON()), 4);
    CHECK_EQ(co_fd_wait(fds[1], wait, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK(co_fd_wait(fds[1], CO_HUP, SOON()) & CO_HUP);
    CHECK_EQ(co_close(fds[1]), 0);
}

struct later {
    int fd, what;
};

static void do_later(void *arg)
{
    struct later *l = arg;
    struct linger linger = { .l_onoff = 1 };

    nap();
    if (l->what == 'F') {
        CHECK_EQ(shutdown(l->fd, SHUT_WR), 0);
    } else if (l->what == 'R') {
        CHECK_EQ(
            setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
            0);
        CHECK_EQ(co_close(l->fd), 0);
    } else if (l->what == 'U') {
        CHECK_EQ(co_send(l->fd, "u", 1, MSG_OOB, SOON()), 1);
    } else {
        CHECK_EQ(co_send(l->fd, "12345678", 8, 0, SOON()), 8);
    }
}

static void later(struct later *l, int fd, int what)
{
    l->fd = fd;
    l->what = what;
    CHECK_EQ(co_go(do_later, l), 0);
}

static void ends_while_waiting(void *arg)
{
    struct later l;
    int fds[2];
    char c = 0;

    (void)arg;
    for (int i = 0; i < 2; i++) {
        tcp(fds);
        later(&l, fds[1], 'F');
        if (i)
            CHECK_EQ(co_fd_wait(fds[0], CO_HUP, SOON()), CO_HUP);
        CHECK_EQ(co_read(fds[0], &c, 1, SOON()), 0);
        kit_close(fds);

        tcp(fds);
        later(&l, fds[1], 'R');
        CHECK_EQ(co_read(fds[0], &c, 1, SOON()), -1);
        CHECK_EQ(errno, ECONNRESET);
        CHECK_EQ(co_write(fds[0], &c, 1, SOON()), -1); /* and no SIGPIPE */
        CHECK_EQ(errno, EPIPE);
        CHECK(co_fd_wait(fds[0], CO_WRITE, SOON()) & CO_HUP);
        CHECK_EQ(co_close(fds[0]), 0);
    }
}

/* No signal ends the process, whichever call writes. */
static void broken_pipe(void *arg)
{
    int fds[2];
    struct iovec iov = { "x", 1 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    (void)arg;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(close(fds[1]), 0);
    CHECK_EQ(co_write(fds[0], "x", 1, SOON()), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(co_writev(fds[0], &iov, 1, SOON()), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(co_send(fds[0], "x", 1, 0, SOON()), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(co_sendto(fds[0], "x", 1, MSG_DONTWAIT, NULL, 0, SOON()), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(co_sendmsg(fds[0], &msg, 0, SOON()), -1);
    CHECK_EQ(errno, EPIPE);
    CHECK_EQ(co_close(fds[0]), 0);
}

static int64_t cpu(void)
{
    struct timespec t;

    CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return t.tv_sec * CO_SECOND + t.tv_nsec;
}

/* A peer that closed its side and does not read: whoever waits to write to it
 * sleeps, rather than look again and again. */
static void writer_sleeps(void *arg)
{
    struct later l;
    int fds[2];
    char buf[65536] = { 0 };
    int64_t before;
    ssize_t n;

    (void)arg;
    tcp(fds);
    later(&l, fds[1], 'F');
    CHECK_EQ(co_fd_wait(fds[0], CO_HUP, SOON()), CO_HUP);
    do {
        before = cpu();
        n = co_write(fds[0], buf, sizeof buf, co_after(100 * CO_MSEC));
    } while (n > 0);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(cpu() - before < 50 * CO_MSEC);
    kit_close(fds);
}

/* ---- Urgent data ------------------------------------------------------------
 */

static void urgent(void *arg)
{
    struct later l;
    int fds[2], mark = 0;
    char buf[16];

    (void)arg;
    tcp(fds);
    CHECK_EQ(co_fd_wait(fds[0], CO_PRI, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    later(&l, fds[1], 'U');
    CHECK_EQ(co_fd_wait(fds[0], CO_PRI, SOON()), CO_PRI);
    CHECK_EQ(co_recv(fds[0], buf, 1, MSG_OOB, SOON()), 1);
    CHECK_EQ(buf[0], 'u');

    /* A read stops at the mark, though there is more. */
    CHECK_EQ(co_send(fds[1], "abc", 3, 0, SOON()), 3);
    CHECK_EQ(co_send(fds[1], "U", 1, MSG_OOB, SOON()), 1);
    CHECK_EQ(co_send(fds[1], "def", 3, 0, SOON()), 3);
    CHECK_EQ(co_fd_wait(fds[0], CO_PRI, SOON()), CO_PRI);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 3);
    CHECK_EQ(ioctl(fds[0], SIOCATMARK, &mark), 0);
    CHECK_EQ(mark, 1);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 3);
    CHECK_EQ(memcmp(buf, "def", 3), 0);
    CHECK_EQ(co_recv(fds[0], buf, 1, MSG_OOB, SOON()), -1);
    CHECK_EQ(errno, EINVAL); /* it is gone: the mark was passed */
    later(&l, fds[1], 'D');
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 8);
    kit_close(fds);
}

/* ---- Flags, and how much
 * ----------------------------------------------------- */

static void flags(void *arg)
{
    struct later l;
    int fds[2];
    char buf[16];

    (void)arg;
    tcp(fds);
    CHECK_EQ(co_recv(fds[0], buf, 4, MSG_DONTWAIT, SOON()), -1);
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(co_recv(fds[0], buf, 4, MSG_PEEK, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    later(&l, fds[1], 'D');
    for (int i = 0; i < 3; i++)
        CHECK_EQ(co_recv(fds[0], buf, sizeof buf, MSG_PEEK, SOON()), 8);
    CHECK_EQ(co_recv(fds[0], buf, 3, 0, SOON()), 3);
    CHECK_EQ(memcmp(buf, "123", 3), 0);
    CHECK_EQ(co_recv(fds[0], buf, 5, MSG_PEEK, SOON()), 5);
    CHECK_EQ(co_read(fds[0], buf, 16, SOON()), 5);
    CHECK_EQ(co_read(fds[0], buf, 0, CO_FOREVER), 0);

    later(&l, fds[1], 'D');
    CHECK_EQ(co_recv(fds[0], buf, 5, MSG_WAITALL, SOON()), 5);
    CHECK_EQ(co_recv(fds[0], buf, 5, MSG_WAITALL, LATE()), 3); /* so far */
    later(&l, fds[1], 'F');
    CHECK_EQ(co_recv(fds[0], buf, 5, MSG_WAITALL, SOON()), 0);
    kit_close(fds);
}

static void one_by_one(void *arg)
{
    int fd = kit_int(arg);

    for (int i = 0; i < 500; i++) {
        char c = (char)i;

        CHECK_EQ(co_write(fd, &c, 1, SOON()), 1);
        if (i % 10 == 0)
            nap();
    }
}

static void byte_at_a_time(void *arg)
{
    struct iovec iov[2];
    struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
    int fds[2];
    char buf[500];

    (void)arg;
    tcp(fds);
    CHECK_EQ(co_go(one_by_one, kit_pointer(fds[1])), 0);
    CHECK_EQ(co_recv(fds[0], buf, 500, MSG_WAITALL, SOON()), 500);
    for (int i = 0; i < 500; i++)
        CHECK_EQ(buf[i], (char)i);
    CHECK_EQ(co_go(one_by_one, kit_pointer(fds[1])), 0);
    for (int got = 0; got < 500;) {
        ssize_t n = co_read(fds[0], buf, sizeof buf, SOON());

        CHECK(n > 0);
        for (int i = 0; i < n; i++)
            CHECK_EQ(buf[i], (char)(got + i));
        got += (int)n;
    }
    CHECK_EQ(co_go(one_by_one, kit_pointer(fds[1])), 0);
    iov[0] = (struct iovec){ buf, 100 };
    iov[1] = (struct iovec){ buf + 100, 400 };
    CHECK_EQ(co_recvmsg(fds[0], &msg, MSG_WAITALL, SOON()), 500);
    for (int i = 0; i < 500; i++)
        CHECK_EQ(buf[i], (char)i);
    CHECK_EQ(msg.msg_iov[0].iov_len, 100);
    CHECK_EQ(msg.msg_iovlen, 2);
    kit_close(fds);
}

static void low_water(void *arg)
{
    int fds[2], four = 4;
    struct later l;
    char buf[16];

    (void)arg;
    tcp(fds);
    CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_RCVLOWAT, &four, sizeof four),
             0);
    CHECK_EQ(co_write(fds[1], "ab", 2, SOON()), 2);
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    later(&l, fds[1], 'D');
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, SOON()) & CO_READ, CO_READ);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 10);
    later(&l, fds[1], 'D');
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 8);
    CHECK_EQ(co_write(fds[1], "abc", 3, SOON()), 3);
    later(&l, fds[1], 'F');
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 3);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, SOON()), 0);
    kit_close(fds);
}

/* ---- A stream without descriptors in it -------------------------------------
 */

static void answer(void *arg)
{
    int fd = *(int *)arg;
    char c;

    while (co_read(fd, &c, 1, SOON()) == 1)
        if (c == '.')
            CHECK_EQ(co_write(fd, "answer", 6, SOON()), 6);
}

/* Whatever comes after a read that came back short is found, whether it comes
 * before the next one asks, or while that waits; so is the end. */
static void plain_stream(void *arg)
{
    char buf[16];
    int64_t begin = co_now();
    struct co *peer;
    int fds[2];

    (void)arg;
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    if (own)
        CHECK_EQ(co_sys_fresh(fds[0]), 0);
    peer = co_spawn(answer, &fds[1], &(struct co_attr){ .on = CO_ANY });
    CHECK(peer != NULL || co_self() == NULL);
    for (int i = 0; i < 20 && peer != NULL; i++) {
        CHECK_EQ(co_sys_recv(fds[0], buf, sizeof buf, LATE()), -1);
        CHECK_EQ(errno, ETIMEDOUT);
        CHECK_EQ(co_write(fds[0], ".", 1, SOON()), 1);
        if (i % 3 == 1)
            nap();
        CHECK_EQ(co_sys_recv(fds[0], buf, 2, SOON()), 2);
        CHECK_EQ(co_sys_recv(fds[0], buf, sizeof buf, SOON()), 4);
        if (i % 3 == 2) { /* what is there is read, however late it is */
            CHECK_EQ(co_write(fds[0], ".", 1, SOON()), 1);
            CHECK(co_fd_wait(fds[0], CO_READ, SOON()) > 0);
            CHECK_EQ(co_sys_recv(fds[0], buf, sizeof buf, CO_NOWAIT), 6);
        }
    }
    CHECK(co_now() - begin < KIT_LONG); /* nothing waited in vain */
    CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
    if (peer != NULL)
        CHECK_EQ(co_join(peer, SOON()), 0);
    CHECK_EQ(co_close(fds[1]), 0);
    CHECK_EQ(co_sys_recv(fds[0], buf, sizeof buf, SOON()), 0);
    CHECK_EQ(co_sys_recv(fds[0], buf, sizeof buf, SOON()), 0);
    CHECK_EQ(co_close(fds[0]), 0);
}

int main(void)
{
    static co_fn *const cases[] = {
        half_close, ends_while_waiting, broken_pipe, writer_sleeps, urgent,
        flags,      byte_at_a_time,     low_water,   plain_stream
    };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        own = i % 2;
        fprintf(stderr, "  %zu %s\n", i / 2, own ? "own" : "foreign");
        kit_both(cases[i / 2], NULL);
    }
    return 0;
}
