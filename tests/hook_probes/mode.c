/* mode.c - probes: O_NONBLOCK, set in each way there is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static char buf[256];

/* What does not wait now, and waits when the flag is gone. */
static void on_and_off(int from, int to)
{
    kit_set_nonblock(from, true);
    TRY(read(from, buf, sizeof buf));
    kit_set_nonblock(from, false);
    SHOW(fcntl(from, F_GETFL) & O_NONBLOCK);
    later_write(to, "12345678");
    TRY(read(from, buf, sizeof buf));
}

PROBE(setfl_stream, PAUSE_MS, "O_NONBLOCK on and off: a unix socket")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    on_and_off(fds[0], fds[1]);
}

PROBE(setfl_tcp, PAUSE_MS, "O_NONBLOCK on and off: TCP")
{
    int fds[2];

    kit_tcp(fds);
    on_and_off(fds[0], fds[1]);
}

PROBE(setfl_pipe, PAUSE_MS, "O_NONBLOCK on and off: a pipe")
{
    int fds[2];

    kit_pipe(fds);
    on_and_off(fds[0], fds[1]);
}

PROBE(setfl_eventfd, PAUSE_MS, "O_NONBLOCK on and off: an eventfd")
{
    int fd = eventfd(0, 0);

    on_and_off(fd, fd);
}

PROBE(setfl_pty, PAUSE_MS, "O_NONBLOCK on and off: a terminal")
{
    int fds[2];

    kit_pty(fds);
    kit_set_nonblock(fds[1], true);
    TRY(read(fds[1], buf, sizeof buf));
    kit_set_nonblock(fds[1], false);
    later_write(fds[0], "x"); /* more may come in parts */
    TRY(read(fds[1], buf, sizeof buf));
}

PROBE(setfl_writes, PAUSE_MS, "O_NONBLOCK: writes say EAGAIN, and in part")
{
    static char junk[8 << 20];
    struct iovec iov = { junk, sizeof junk };
    int fds[2];
    long r;

    kit_pipe(fds);
    kit_set_nonblock(fds[1], true);
    r = write(fds[1], junk, sizeof junk);
    SHOW(r > 0 && r < (long)sizeof junk);
    TRY(write(fds[1], junk, sizeof junk));
    TRY(writev(fds[1], &iov, 1));
    kit_set_nonblock(fds[1], false);
    later_read(fds[0], (size_t)r);
    TRY(write(fds[1], "x", 1));
}

PROBE(setfl_all, 0, "O_NONBLOCK: all that receives and sends says EAGAIN")
{
    struct iovec iov = { buf, sizeof buf };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_set_nonblock(fds[0], true);
    TRY(readv(fds[0], &iov, 1));
    TRY(recv(fds[0], buf, 1, 0));
    TRY(recv(fds[0], buf, 1, MSG_PEEK));
    TRY(recv(fds[0], buf, 1, MSG_WAITALL));
    TRY(recvfrom(fds[0], buf, 1, 0, NULL, NULL));
    TRY(recvmsg(fds[0], &msg, 0));
    (void)kit_fill(fds[0]);
    TRY(write(fds[0], buf, 1));
    TRY(writev(fds[0], &iov, 1));
    TRY(send(fds[0], buf, 1, 0));
    TRY(sendto(fds[0], buf, 1, 0, NULL, 0));
    TRY(sendmsg(fds[0], &msg, 0));
}

PROBE(setfl_part, 0, "O_NONBLOCK: a send() of much is in part")
{
    static char junk[8 << 20];
    struct iovec iov = { junk, sizeof junk };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    char drain[1 << 16];
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    kit_set_nonblock(fds[1], true);
    kit_set_nonblock(fds[0], true);
    SHOW(send(fds[1], junk, sizeof junk, 0) < (long)sizeof junk);
    while (read(fds[0], drain, sizeof drain) > 0)
        continue;
    SHOW(sendmsg(fds[1], &msg, 0) < (long)sizeof junk);
    while (read(fds[0], drain, sizeof drain) > 0)
        continue;
    SHOW(writev(fds[1], &iov, 1) < (long)sizeof junk);
}

PROBE(sock_nonblock, PAUSE_MS, "SOCK_NONBLOCK of socket() and socketpair()")
{
    int fds[2], fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    SHOW(kit_nonblock(fd));
    TRY(recv(fd, buf, 1, 0));
    TRY(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    SHOW(kit_nonblock(fds[0]) && kit_nonblock(fds[1]));
    TRY(read(fds[1], buf, 1));
    kit_set_nonblock(fds[1], false);
    TRY(read(fds[0], buf, 1));
    later_write(fds[0], "x");
    TRY(read(fds[1], buf, 1));
}

PROBE(made_nonblock, 0, "O_NONBLOCK of pipe2(), EFD_, TFD_, SFD_NONBLOCK")
{
    sigset_t none;
    int fds[2], fd;

    TRY(pipe2(fds, O_NONBLOCK | O_CLOEXEC));
    SHOW(kit_nonblock(fds[0]) && kit_nonblock(fds[1]));
    SHOW(fcntl(fds[0], F_GETFD));
    TRY(read(fds[0], buf, 1));
    fd = eventfd(0, EFD_NONBLOCK);
    SHOW(kit_nonblock(fd));
    TRY(read(fd, buf, 8));
    fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    SHOW(kit_nonblock(fd));
    TRY(read(fd, buf, 8));
    (void)sigemptyset(&none);
    fd = signalfd(-1, &none, SFD_NONBLOCK);
    SHOW(kit_nonblock(fd));
    TRY(read(fd, buf, sizeof buf));
}

PROBE(made_bad, 0, "making descriptors with bad arguments")
{
    sigset_t none = { 0 };
    int fds[2];

    TRY(pipe2(fds, 1 << 30));
    TRY(pipe((int *)8) < 0 && errno == EFAULT);
    TRY(socket(AF_INET, 77, 0));
    TRY(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    TRY(socketpair(AF_INET, SOCK_STREAM, 0, fds));
    TRY(eventfd(0, 1 << 30));
    TRY(timerfd_create(77, 0));
    TRY(signalfd(-1, &none, 1 << 30));
}

PROBE(fionbio, PAUSE_MS, "FIONBIO on and off")
{
    int fds[2], on = 1, off = 0;

    kit_tcp(fds);
    TRY(ioctl(fds[0], FIONBIO, &on));
    SHOW(kit_nonblock(fds[0]));
    TRY(read(fds[0], buf, 1));
    TRY(ioctl(fds[0], FIONBIO, &off));
    SHOW(kit_nonblock(fds[0]));
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
}

PROBE(ioctl_others, 0, "ioctl() of other kinds")
{
    int fds[2], n = 77;

    kit_tcp(fds);
    TRY(write(fds[1], "abc", 3));
    TRY(recv(fds[0], buf, 1, MSG_PEEK));
    TRY(ioctl(fds[0], FIONREAD, &n));
    SHOW(n);
    TRY(ioctl(-1, FIONREAD, &n));
    TRY(ioctl(fds[0], TIOCGWINSZ, buf));
    TRY(ioctl(fds[0], FIONBIO, (void *)8));
}

PROBE(fcntl64_nonblock, PAUSE_MS, "the same by fcntl64()")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    TRY(fcntl64(fds[0], F_SETFL, O_RDWR | O_NONBLOCK));
    SHOW(fcntl64(fds[0], F_GETFL) == (O_RDWR | O_NONBLOCK));
    TRY(read(fds[0], buf, 1));
    TRY(fcntl64(fds[0], F_SETFL, O_RDWR));
    TRY(fcntl64(-1, F_GETFL));
    SHOW(fcntl64(fds[0], F_GETFL) == O_RDWR);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
}

PROBE(fcntl_others, 0, "fcntl() of other kinds, and of bad ones")
{
    int fds[2];

    kit_pipe(fds);
    TRY(fcntl(fds[0], F_GETFD));
    TRY(fcntl(fds[0], F_SETFD, FD_CLOEXEC));
    TRY(fcntl(fds[0], F_GETFD));
    SHOW(fcntl(fds[1], F_GETPIPE_SZ) >= 4096);
    TRY(fcntl(fds[0], F_GETOWN));
    TRY(fcntl(-1, F_GETFL));
    TRY(fcntl(fds[0], 9999, 0));
    TRY(fcntl(900, F_DUPFD, 0));
}

PROBE(getfl_kinds, 3 * PAUSE_MS, "F_GETFL after waiting shows what was set")
{
    int fds[2];

    kit_pipe(fds);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
    SHOW(fcntl(fds[0], F_GETFL));
    kit_tcp(fds);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
    SHOW(fcntl(fds[0], F_GETFL));
    kit_udp(fds);
    later_write(fds[1], "x");
    TRY(read(fds[0], buf, 1));
    SHOW(fcntl(fds[0], F_GETFL));
}

static int seen[4];

static void look(void *arg)
{
    int *fds = arg;

    for (int i = 0; i < 3; i++)
        seen[i] = fcntl(fds[i], F_GETFL);
    for (int i = 0; i < 3; i++)
        NEED(write(fds[3 + i], "x", 1) == 1);
}

static void read_it(void *arg)
{
    char c;

    NEED(read(*(int *)arg, &c, 1) == 1);
}

PROBE(getfl_meanwhile, PAUSE_MS, "F_GETFL while others wait shows no flag")
{
    int fds[2], all[6];

    kit_pipe(fds);
    all[0] = fds[0], all[3] = fds[1];
    kit_tcp(fds);
    all[1] = fds[0], all[4] = fds[1];
    kit_pair(SOCK_DGRAM, fds);
    all[2] = fds[0], all[5] = fds[1];
    for (int i = 0; i < 3; i++)
        actor_start(read_it, &all[i]);
    later(look, all);
    actors_join();
    for (int i = 0; i < 3; i++)
        SHOW(seen[i]);
}

static void set_and_write(void *arg)
{
    kit_set_nonblock(((int *)arg)[0], true);
    pause_ms(PAUSE_MS);
    NEED(write(((int *)arg)[1], "x", 1) == 1);
}

PROBE(setfl_meanwhile, 2 * PAUSE_MS,
      "O_NONBLOCK set while one waits: it waits on")
{
    int fds[2];

    kit_tcp(fds);
    later(set_and_write, fds);
    TRY(read(fds[0], buf, 1));
    TRY(read(fds[0], buf, 1));
}
