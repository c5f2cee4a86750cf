/* poller_test.c - what the poller reports, and when it says so again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/poller.h"
#include "tests/test.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static struct poller p;
static struct poller_event events[POLLER_BATCH];

/* The next event of the only fd that has one; 0 when there is none. */
static uint32_t next(uint64_t token)
{
    int n = poller_wait(&p, events, false);

    CHECK(n >= 0);
    if (n == 0)
        return 0;
    CHECK_EQ(n, 1);
    CHECK_EQ(events[0].token, token);
    return events[0].events;
}

static void make_pair(int fds[2])
{
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                     fds) == 0);
}

static void close_pair(int fds[2])
{
    CHECK(close(fds[0]) == 0);
    CHECK(close(fds[1]) == 0);
}

/* Two ends of a TCP connection over the loopback interface. */
static void make_tcp(int fds[2])
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(listener >= 0);
    CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0);
    CHECK(listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&a, &size) == 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fds[0] >= 0);
    CHECK(test_connect(fds[0], (struct sockaddr *)&a, sizeof a) == 0);
    fds[1] = TEMP_FAILURE_RETRY(accept(listener, NULL, NULL));
    CHECK(fds[1] >= 0);
    CHECK(close(listener) == 0);
}

static void test_edges(void)
{
    int fds[2];
    uint64_t token = UINT64_C(0xfedcba9876543210);
    char buffer[8];

    make_pair(fds);
    CHECK_EQ(poller_wait(&p, events, false), 0);
    CHECK(poller_set(&p, fds[0], POLLER_READ, token, false) == 0);
    CHECK_EQ(next(token), 0);
    CHECK_EQ(write(fds[1], "a", 1), 1);
    CHECK_EQ(next(token), POLLER_READ);
    CHECK_EQ(next(token), 0); /* once an edge, although unread */
    CHECK_EQ(write(fds[1], "b", 1), 1);
    CHECK_EQ(next(token), POLLER_READ);
    /* Setting it again looks at it again. */
    CHECK(poller_set(&p, fds[0], POLLER_READ | POLLER_WRITE, 7, true) == 0);
    CHECK_EQ(next(7), POLLER_READ | POLLER_WRITE);
    CHECK_EQ(next(7), 0);
    CHECK_EQ(read(fds[0], buffer, 8), 2);
    CHECK_EQ(next(7), 0);
    /* No event can be asked for, too. */
    CHECK(poller_set(&p, fds[0], 0, 8, true) == 0);
    CHECK_EQ(write(fds[1], "c", 1), 1);
    CHECK_EQ(next(8), 0);
    poller_clear(&p, fds[0]);
    close_pair(fds);
}

static void test_write_edge(void)
{
    int fds[2];
    static char buffer[65536];

    make_pair(fds);
    CHECK(poller_set(&p, fds[0], POLLER_WRITE, 1, false) == 0);
    CHECK_EQ(next(1), POLLER_WRITE);
    while (write(fds[0], buffer, sizeof buffer) > 0)
        ;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(next(1), 0);
    while (read(fds[1], buffer, sizeof buffer) > 0)
        ;
    CHECK_EQ(next(1), POLLER_WRITE);
    close_pair(fds);
}

static void test_hang_up(void)
{
    int fds[2];

    /* Half-close is told apart from data only when it was asked for. */
    make_tcp(fds);
    CHECK(poller_set(&p, fds[0], POLLER_READ, 1, false) == 0);
    CHECK(shutdown(fds[1], SHUT_WR) == 0);
    CHECK_EQ(next(1), POLLER_READ);
    CHECK(poller_set(&p, fds[0], POLLER_READ | POLLER_HUP, 2, true) == 0);
    CHECK_EQ(next(2), POLLER_READ | POLLER_HUP);
    close_pair(fds);

    /* A full close of a unix socket and of a pipe is always told. */
    make_pair(fds);
    CHECK(poller_set(&p, fds[0], POLLER_READ, 3, false) == 0);
    CHECK(close(fds[1]) == 0);
    CHECK_EQ(next(3), POLLER_READ | POLLER_HUP | POLLER_ERROR);
    CHECK(close(fds[0]) == 0);

    CHECK(pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0);
    CHECK(poller_set(&p, fds[1], 0, 4, false) == 0);
    CHECK(close(fds[0]) == 0);
    CHECK_EQ(next(4), POLLER_ERROR);
    CHECK(close(fds[1]) == 0);
}

static void test_reset(void)
{
    int fds[2];
    struct linger linger = { .l_onoff = 1 }; /* close sends RST */

    make_tcp(fds);
    CHECK(poller_set(&p, fds[0], POLLER_READ | POLLER_HUP, 5, false) == 0);
    CHECK(setsockopt(fds[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger) ==
          0);
    CHECK(close(fds[1]) == 0);
    CHECK_EQ(next(5), POLLER_READ | POLLER_HUP | POLLER_ERROR);
    CHECK(close(fds[0]) == 0);
}

static void test_urgent(void)
{
    int fds[2];

    make_tcp(fds);
    CHECK(poller_set(&p, fds[0], POLLER_PRI, 6, false) == 0);
    CHECK_EQ(send(fds[1], "!", 1, MSG_OOB), 1);
    CHECK_EQ(next(6), POLLER_PRI);
    close_pair(fds);
}

static void test_errors(void)
{
    char name[] = "/tmp/corten-poller-XXXXXX";
    int fds[2];
    int file = mkstemp(name);

    CHECK(file >= 0);
    CHECK(unlink(name) == 0);
    CHECK(poller_set(&p, file, POLLER_READ, 1, false) == -1);
    CHECK_EQ(errno, EPERM);
    CHECK(close(file) == 0);
    CHECK(poller_set(&p, file, POLLER_READ, 1, false) == -1);
    CHECK_EQ(errno, EBADF);
    CHECK(poller_set(&p, file, POLLER_READ, 1, true) == -1);
    CHECK_EQ(errno, EBADF);
    poller_clear(&p, file);

    make_pair(fds);
    poller_clear(&p, fds[0]); /* unknown is fine */
    CHECK(poller_set(&p, fds[0], POLLER_WRITE, 2, true) == -1);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(next(2), 0); /* and nothing is changed */
    CHECK(poller_set(&p, fds[0], POLLER_READ, 3, false) == 0);
    /* Not known to the caller, but to the kernel: changed all the same. */
    CHECK(poller_set(&p, fds[0], POLLER_WRITE, 4, false) == 0);
    CHECK_EQ(next(4), POLLER_WRITE);
    poller_clear(&p, fds[0]);
    CHECK(poller_set(&p, fds[0], POLLER_WRITE, 5, true) == -1);
    CHECK_EQ(errno, ENOENT);
    close_pair(fds);
}

/* A number that was closed behind the caller's back and given out again. */
static void test_reused_number(void)
{
    int old[2], new[2];

    make_pair(old);
    make_pair(new);
    CHECK(poller_set(&p, old[0], POLLER_WRITE, 1, false) == 0);
    CHECK_EQ(next(1), POLLER_WRITE);
    CHECK(dup2(new[0], old[0]) == old[0]);
    CHECK(poller_set(&p, old[0], POLLER_WRITE, 2, true) == -1);
    CHECK_EQ(errno, ENOENT);
    CHECK(poller_set(&p, old[0], POLLER_WRITE, 2, false) == 0);
    CHECK_EQ(next(2), POLLER_WRITE);
    close_pair(old);
    close_pair(new);
}

/* More are ready than one call returns: none is lost. */
static void test_many(void)
{
    enum { MANY = POLLER_BATCH * 2 + 10 };
    static int fds[MANY][2];
    static int seen[MANY];
    int total = 0;

    for (int i = 0; i < MANY; i++) {
        make_pair(fds[i]);
        CHECK(poller_set(&p, fds[i][0], POLLER_WRITE, (uint64_t)i, false) == 0);
    }
    while (total < MANY) {
        int n = poller_wait(&p, events, true);

        CHECK(n > 0);
        CHECK(n <= POLLER_BATCH);
        for (int i = 0; i < n; i++)
            CHECK_EQ(seen[events[i].token]++, 0);
        total += n;
    }
    CHECK_EQ(poller_wait(&p, events, false), 0);
    for (int i = 0; i < MANY; i++)
        close_pair(fds[i]);
}

/* The poller's own fd tells an outer loop that there is something. */
static void test_nested(void)
{
    int fds[2];
    struct pollfd outer = { .fd = poller_fd(&p), .events = POLLIN };

    make_pair(fds);
    CHECK(poller_set(&p, fds[0], POLLER_READ, 9, false) == 0);
    CHECK_EQ(poll(&outer, 1, 0), 0);
    CHECK_EQ(write(fds[1], "a", 1), 1);
    CHECK_EQ(poll(&outer, 1, 0), 1);
    CHECK_EQ(next(9), POLLER_READ);
    CHECK_EQ(poll(&outer, 1, 0), 0);
    close_pair(fds);
}

static volatile sig_atomic_t alarms;

static void on_alarm(int signal)
{
    (void)signal;
    alarms++;
}

/* A signal ends the wait with nothing.  The alarm repeats, since the first may
 * come before the wait begins. */
static void test_signal(void)
{
    struct sigaction action = { .sa_handler = on_alarm,
                                .sa_flags = SA_RESTART };
    struct itimerval every = { .it_value.tv_usec = 2000,
                               .it_interval.tv_usec = 2000 };
    struct itimerval never = { 0 };

    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
    do
        CHECK_EQ(poller_wait(&p, events, true), 0);
    while (alarms == 0);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

int main(void)
{
    CHECK(poller_open(&p) == 0);
    CHECK(fcntl(poller_fd(&p), F_GETFD) & FD_CLOEXEC);
    RUN(test_edges);
    RUN(test_write_edge);
    RUN(test_hang_up);
    RUN(test_reset);
    RUN(test_urgent);
    RUN(test_errors);
    RUN(test_reused_number);
    RUN(test_many);
    RUN(test_nested);
    RUN(test_signal);
    poller_close(&p);
    poller_close(&p);
    return 0;
}
