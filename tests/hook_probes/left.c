/* left.c - probes: what a call leaves behind is no O_NONBLOCK.
 *
 * Whoever wants to wait in his own way is tempted to set it, and F_GETFL then
 * shows what the program has not asked for.  Each line here is a call, and
 * whether its descriptor still is as it was.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/alias.h"
#include "tests/hook_probes/kit.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static char buf[16];
static struct iovec iov = { buf, 1 };
static struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
static struct mmsghdr many = { .msg_hdr = { .msg_iov = &iov,
                                            .msg_iovlen = 1 } };
static const struct timespec no_time;

static void left(const char *call, long result, int fd)
{
    (void)probe_try(call, result);
    if (kit_nonblock(fd))
        say("and leaves O_NONBLOCK");
}

#define LEFT(fd, call) left(#call, (long)(call), fd)

PROBE(left_read, 0, "reading leaves the flags alone")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    NEED(write(fds[1], "12345678901234567890", 20) == 20);
    LEFT(fds[0], read(fds[0], buf, 1));
    LEFT(fds[0], __read(fds[0], buf, 1));
    LEFT(fds[0], __read_chk(fds[0], buf, 1, sizeof buf));
    kit_pair(SOCK_STREAM, fds);
    NEED(write(fds[1], "1234", 4) == 4);
    LEFT(fds[0], readv(fds[0], &iov, 1));
    kit_pair(SOCK_STREAM, fds);
    NEED(write(fds[1], "1234", 4) == 4);
    LEFT(fds[0], preadv2(fds[0], &iov, 1, -1, 0));
    LEFT(fds[0], preadv64v2(fds[0], &iov, 1, -1, 0));
}

PROBE(left_recv, 0, "receiving leaves them alone")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    NEED(write(fds[1], "12345678901234567890", 20) == 20);
    LEFT(fds[0], recv(fds[0], buf, 1, 0));
    LEFT(fds[0], recvfrom(fds[0], buf, 1, 0, NULL, NULL));
    LEFT(fds[0], recvmsg(fds[0], &msg, 0));
    LEFT(fds[0], recvmmsg(fds[0], &many, 1, 0, NULL));
    LEFT(fds[0], __recv_chk(fds[0], buf, 1, sizeof buf, 0));
    LEFT(fds[0], __recvfrom_chk(fds[0], buf, 1, sizeof buf, 0, NULL, NULL));
}

PROBE(left_write, 0, "writing leaves them alone")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    LEFT(fds[0], write(fds[0], buf, 1));
    LEFT(fds[0], __write(fds[0], buf, 1));
    LEFT(fds[0], writev(fds[0], &iov, 1));
    LEFT(fds[0], pwritev2(fds[0], &iov, 1, -1, 0));
    LEFT(fds[0], pwritev64v2(fds[0], &iov, 1, -1, 0));
}

PROBE(left_send, 0, "sending leaves them alone")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    LEFT(fds[0], send(fds[0], buf, 1, 0));
    LEFT(fds[0], __send(fds[0], buf, 1, 0));
    LEFT(fds[0], sendto(fds[0], buf, 1, 0, NULL, 0));
    LEFT(fds[0], sendmsg(fds[0], &msg, 0));
    LEFT(fds[0], sendmmsg(fds[0], &many, 1, 0));
}

PROBE(left_copy, 0, "sendfile() and splice() leave both alone")
{
    int fds[2], pipes[2], file = kit_file("content");

    kit_pair(SOCK_STREAM, fds);
    kit_pipe(pipes);
    LEFT(fds[0], sendfile(fds[0], file, NULL, 1));
    LEFT(file, sendfile64(fds[0], file, NULL, 1));
    SHOW(kit_nonblock(fds[0]));
    LEFT(fds[1], splice(fds[1], NULL, pipes[1], NULL, 1, 0));
    SHOW(kit_nonblock(pipes[1]));
}

PROBE(left_event, 0, "eventfd_read() and eventfd_write()")
{
    int fd = eventfd(3, 0);
    eventfd_t value = 0;

    LEFT(fd, eventfd_read(fd, &value));
    LEFT(fd, eventfd_write(fd, value));
}

PROBE(left_poll, 0, "looking with poll() and select()")
{
    struct pollfd p = { .events = POLLIN };
    struct timeval none = { 0, 0 };
    fd_set set;
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    NEED(write(fds[1], "x", 1) == 1);
    FD_ZERO(&set);
    FD_SET(p.fd, &set);
    LEFT(p.fd, poll(&p, 1, 0));
    LEFT(p.fd, __poll(&p, 1, 0));
    LEFT(p.fd, __poll_chk(&p, 1, 0, sizeof p));
    LEFT(p.fd, ppoll(&p, 1, &no_time, NULL));
    LEFT(p.fd, __ppoll_chk(&p, 1, &no_time, NULL, sizeof p));
    LEFT(p.fd, select(p.fd + 1, &set, NULL, NULL, &none));
    LEFT(p.fd, __select(p.fd + 1, &set, NULL, NULL, &none));
    LEFT(p.fd, pselect(p.fd + 1, &set, NULL, NULL, &no_time, NULL));
}

PROBE(left_epoll, 0, "looking with epoll_wait()")
{
    int fd = epoll_create1(0);
    struct epoll_event event;

    LEFT(fd, epoll_wait(fd, &event, 1, 0));
    LEFT(fd, epoll_pwait(fd, &event, 1, 0, NULL));
    LEFT(fd, epoll_pwait2(fd, &event, 1, &no_time, NULL));
}

PROBE(left_file, 0, "reading and writing a file at a place")
{
    int file = kit_file("content");

    LEFT(file, pread(file, buf, 1, 0));
    LEFT(file, pread64(file, buf, 1, 0));
    LEFT(file, __pread64(file, buf, 1, 0));
    LEFT(file, __pread_chk(file, buf, 1, 0, sizeof buf));
    LEFT(file, __pread64_chk(file, buf, 1, 0, sizeof buf));
}

PROBE(left_open, 0, "opening a file")
{
    const char *null = "/dev/null";

    SHOW(kit_nonblock(open(null, O_RDONLY)));
    SHOW(kit_nonblock(open64(null, O_RDONLY)));
    SHOW(kit_nonblock(__open(null, O_RDONLY)));
    SHOW(kit_nonblock(__open64(null, O_RDONLY)));
    SHOW(kit_nonblock(__open_2(null, O_RDONLY)));
    SHOW(kit_nonblock(__open64_2(null, O_RDONLY)));
    SHOW(kit_nonblock(openat(AT_FDCWD, null, O_RDONLY)));
    SHOW(kit_nonblock(openat64(AT_FDCWD, null, O_RDONLY)));
    SHOW(kit_nonblock(__openat_2(AT_FDCWD, null, O_RDONLY)));
    SHOW(kit_nonblock(__openat64_2(AT_FDCWD, null, O_RDONLY)));
}

PROBE(left_made, 0, "what is made without O_NONBLOCK has none")
{
    sigset_t none;
    int fds[2];

    (void)sigemptyset(&none);
    SHOW(kit_nonblock(socket(AF_INET, SOCK_STREAM, 0)));
    SHOW(kit_nonblock(eventfd(0, 0)));
    SHOW(kit_nonblock(timerfd_create(CLOCK_MONOTONIC, 0)));
    SHOW(kit_nonblock(signalfd(-1, &none, 0)));
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    SHOW(kit_nonblock(fds[0]) || kit_nonblock(fds[1]));
    NEED(pipe(fds) == 0);
    SHOW(kit_nonblock(fds[0]) || kit_nonblock(fds[1]));
    NEED(__pipe(fds) == 0);
    SHOW(kit_nonblock(fds[0]) || kit_nonblock(fds[1]));
    NEED(pipe2(fds, O_CLOEXEC) == 0);
    SHOW(kit_nonblock(fds[0]) || kit_nonblock(fds[1]));
}

PROBE(left_connect, 0, "connect() leaves the flags alone")
{
    int listener = kit_unix_listen(2);
    struct sockaddr_storage name;
    socklen_t len;

    name = kit_name(listener, &len);
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        const struct sockaddr *to = (struct sockaddr *)&name;

        if (i == 0)
            LEFT(fd, connect(fd, to, len));
        else
            LEFT(fd, __connect(fd, to, len));
        LEFT(listener, accept(listener, NULL, NULL) >= 0);
    }
}

PROBE(left_change, 0, "so do copies, options, shutdown(), close()")
{
    int fds[2], n = 0;
    socklen_t len = sizeof n;

    kit_pair(SOCK_STREAM, fds);
    LEFT(fds[0], ioctl(fds[0], FIONREAD, &n));
    LEFT(fds[0], __fcntl(fds[0], F_GETFD));
    LEFT(fds[0], fcntl64(fds[0], F_GETFD));
    LEFT(fds[0], getsockopt(fds[0], SOL_SOCKET, SO_ERROR, &n, &len));
    LEFT(fds[0], setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &len, len));
    LEFT(fds[0], dup(fds[0]) >= 0);
    LEFT(fds[0], dup2(fds[0], 600));
    LEFT(fds[0], __dup2(fds[0], 601));
    LEFT(fds[0], dup3(fds[0], 602, 0));
    LEFT(fds[0], close(600));
    LEFT(fds[0], __close(601));
    LEFT(fds[0], shutdown(fds[0], SHUT_WR));
}
