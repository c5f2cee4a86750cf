/* alias.c - probes: the other names that libc's calls go by, in fortified
 * programs, in such as want large files, and in libraries built long ago.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/alias.h"
#include "tests/hook_probes/kit.h"
#include <poll.h>
#include <setjmp.h>
#include <sys/sendfile.h>
#include <time.h>

static char buf[256];

PROBE(alias_read, PAUSE_MS, "__read(), __write(), __close()")
{
    int fds[2];

    TRY(__pipe(fds));
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(__read(fds[0], buf, sizeof buf)));
    TRY(__read(-1, buf, 1));
    TRY(__write(fds[1], "x", 1));
    TRY(__write(-1, "x", 1));
    TRY(__close(fds[0]));
    TRY(__close(fds[0]));
}

PROBE(alias_write, PAUSE_MS, "__write() and __send() wait for room")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(__write(fds[1], "abc", 3));
    actors_join();
    TRY(__send(fds[1], "abc", 3, 0));
    TRY(__send(fds[1], buf, sizeof buf, MSG_DONTWAIT));
    TRY(__send(-1, "abc", 3, 0));
}

PROBE(alias_send, PAUSE_MS, "__send() waits for room")
{
    int fds[2];

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(__send(fds[1], "abc", 3, 0));
}

PROBE(alias_connect, PAUSE_MS, "__connect() waits")
{
    int listener = kit_unix_listen(0), fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_storage name;
    socklen_t len;

    name = kit_name(listener, &len);
    (void)kit_connect(listener);
    later_accept(listener);
    TRY(__connect(fd, (struct sockaddr *)&name, len));
    TRY(__connect(-1, (struct sockaddr *)&name, len));
}

PROBE(alias_poll, 2 * PAUSE_MS, "__poll() and __select() wait")
{
    struct pollfd p = { .events = POLLIN };
    struct timeval time = { 0, PAUSE_MS * 1000 };
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    TRY(__poll(&p, 1, PAUSE_MS));
    TRY(__poll((struct pollfd *)8, 1, 0));
    TRY(__select(0, NULL, NULL, NULL, &time));
    TRY(__select(-1, NULL, NULL, NULL, &time));
}

PROBE(alias_nanosleep, PAUSE_MS, "__nanosleep() and __sched_yield()")
{
    struct timespec time = { 0, PAUSE_MS * 1000000L };

    TRY(__nanosleep(&time, NULL));
    time.tv_nsec = -1;
    TRY(__nanosleep(&time, NULL));
    TRY(__sched_yield());
}

PROBE(alias_fcntl, PAUSE_MS, "__fcntl() and __dup2() change the mode")
{
    int fds[2], others[2];

    kit_pair(SOCK_STREAM, fds);
    TRY(__fcntl(fds[0], F_SETFL, O_RDWR | O_NONBLOCK));
    TRY(read(fds[0], buf, 1));
    kit_pipe(others);
    SHOW(__dup2(others[0], fds[0]) == fds[0]);
    later_write(others[1], "x");
    TRY(read(fds[0], buf, 1));
    TRY(__fcntl(-1, F_GETFL));
    TRY(__dup2(-1, others[0]));
    TRY(__pipe((int *)8));
}

static void set(void *flag) { *(volatile bool *)flag = true; }

PROBE(alias_yield, PAUSE_MS, "__sched_yield() lets the others run")
{
    volatile bool flag = false;

    later(set, (void *)&flag);
    while (!flag)
        (void)__sched_yield();
}

/* ---- Fortified --------------------------------------------------------------
 */

PROBE(chk_read, PAUSE_MS, "__read_chk() waits")
{
    int fds[2];

    kit_pipe(fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(__read_chk(fds[0], buf, sizeof buf, sizeof buf)));
    TRY(__read_chk(-1, buf, 1, sizeof buf));
}

PROBE(chk_recv, PAUSE_MS, "__recv_chk() waits")
{
    int fds[2];

    kit_tcp(fds);
    later_write(fds[1], "hello");
    say_bytes(buf, TRY(__recv_chk(fds[0], buf, 9, sizeof buf, 0)));
    TRY(__recv_chk(fds[0], buf, 9, sizeof buf, MSG_DONTWAIT));
}

PROBE(chk_recvfrom, PAUSE_MS, "__recvfrom_chk() waits")
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fds[2];

    kit_udp(fds);
    later_write(fds[1], "hello");
    TRY(__recvfrom_chk(fds[0], buf, 9, sizeof buf, 0, (struct sockaddr *)&from,
                       &len));
    SHOW(len);
    TRY(__recvfrom_chk(fds[0], buf, 9, sizeof buf, MSG_DONTWAIT, NULL, NULL));
}

PROBE(chk_pread, 0, "__pread_chk() and __pread64_chk()")
{
    int file = kit_file("content");

    say_bytes(buf, TRY(__pread_chk(file, buf, 3, 1, sizeof buf)));
    say_bytes(buf, TRY(__pread64_chk(file, buf, 3, 2, sizeof buf)));
    TRY(__pread_chk(-1, buf, 3, 1, sizeof buf));
    TRY(__pread64_chk(-1, buf, 3, 1, sizeof buf));
}

PROBE(chk_poll, 2 * PAUSE_MS, "__poll_chk() and __ppoll_chk() wait")
{
    struct timespec time = { 0, PAUSE_MS * 1000000L };
    struct pollfd p = { .events = POLLIN }, *bad = (struct pollfd *)8;
    int fds[2];

    kit_pipe(fds);
    p.fd = fds[0];
    TRY(__poll_chk(&p, 1, PAUSE_MS, sizeof p));
    TRY(__ppoll_chk(&p, 1, &time, NULL, sizeof p));
    time.tv_nsec = -1;
    TRY(__ppoll_chk(&p, 1, &time, NULL, sizeof p));
    TRY(__poll_chk(bad, 1, 0, sizeof p));
}

static sigjmp_buf aborted;

static void on_abort(int sig)
{
    (void)sig;
    siglongjmp(aborted, 1);
}

static int chk_fd;

static void too_much(int which)
{
    struct pollfd p[2] = { { .fd = -1 }, { .fd = -1 } };

    switch (which) {
    case 0:
        (void)__read_chk(chk_fd, buf, 5, 4);
        break;
    case 1:
        (void)__recv_chk(chk_fd, buf, 5, 4, 0);
        break;
    case 2:
        (void)__recvfrom_chk(chk_fd, buf, 5, 4, 0, NULL, NULL);
        break;
    case 3:
        (void)__pread_chk(chk_fd, buf, 5, 0, 4);
        break;
    case 4:
        (void)__pread64_chk(chk_fd, buf, 5, 0, 4);
        break;
    case 5:
        (void)__poll_chk(p, 2, 0, sizeof *p);
        break;
    default:
        (void)__ppoll_chk(p, 2, NULL, NULL, sizeof *p);
    }
}

PROBE(chk_overflow, 0, "a buffer that is too small ends the program")
{
    static volatile int which, caught;
    int fds[2], quiet = open("/dev/null", O_WRONLY), err = dup(2);

    kit_pair(SOCK_STREAM, fds);
    chk_fd = fds[0];
    (void)signal(SIGABRT, on_abort);
    NEED(dup2(quiet, 2) == 2);
    for (which = 0; which < 7; which++) {
        if (sigsetjmp(aborted, 1) == 0)
            too_much(which);
        else
            caught++;
    }
    NEED(dup2(err, 2) == 2);
    SHOW(caught);
}

/* ---- Large files ------------------------------------------------------------
 */

PROBE(large_open, PAUSE_MS, "open64(), openat64() and their kin")
{
    char path[64];
    int fd;

    TRY(open64("gone", O_RDONLY));
    TRY(openat64(AT_FDCWD, "gone", O_RDONLY));
    TRY(__open("gone", O_RDONLY));
    TRY(__open64("gone", O_RDONLY));
    TRY(__open_2("gone", O_RDONLY));
    TRY(__open64_2("gone", O_RDONLY));
    TRY(__openat_2(AT_FDCWD, "gone", O_RDONLY));
    TRY(__openat64_2(AT_FDCWD, "gone", O_RDONLY));
    kit_fifo(path);
    fd = open64(path, O_RDWR);
    later_write(fd, "hello");
    TRY(read(fd, buf, sizeof buf));
}

static int open_as(int which, const char *path)
{
    switch (which) {
    case 0:
        return open64(path, O_RDONLY);
    case 1:
        return openat64(AT_FDCWD, path, O_RDONLY);
    case 2:
        return __open(path, O_RDONLY);
    case 3:
        return __open64(path, O_RDONLY);
    case 4:
        return __open_2(path, O_RDONLY);
    case 5:
        return __open64_2(path, O_RDONLY);
    case 6:
        return __openat_2(AT_FDCWD, path, O_RDONLY);
    default:
        return __openat64_2(AT_FDCWD, path, O_RDONLY);
    }
}

static void open_write(void *path)
{
    int fd = open(path, O_WRONLY);

    NEED(fd >= 0);
    NEED(write(fd, "abc", 3) == 3);
    NEED(close(fd) == 0);
}

PROBE(large_fifo, 8 * PAUSE_MS, "each of them waits for a FIFO's writer")
{
    char path[64];

    for (int which = 0; which < 8; which++) {
        int fd;

        kit_fifo(path);
        later(open_write, path);
        fd = open_as(which, path);
        SHOW(kit_nonblock(fd));
        TRY(read(fd, buf, sizeof buf));
        actors_join();
    }
}

PROBE(large_places, 0, "pread64(), pwrite64(), preadv64v2(), pwritev64v2()")
{
    struct iovec iov = { buf, 3 };
    int file = kit_file("content");

    TRY(pread64(file, buf, 3, 1));
    TRY(pwrite64(file, "XY", 2, 0));
    say_bytes(buf, TRY(preadv64v2(file, &iov, 1, 0, 0)));
    TRY(pwritev64v2(file, &iov, 1, 4, 0));
    say_bytes(buf, TRY(__pread64(file, buf, 3, 2)));
    TRY(pread64(-1, buf, 3, 1));
    TRY(__pread64(-1, buf, 3, 1));
    TRY(preadv64v2(-1, &iov, 1, 0, 0));
    TRY(pwritev64v2(-1, &iov, 1, 0, 0));
}

PROBE(large_waits, 2 * PAUSE_MS, "preadv64v2() and pwritev64v2() at -1 wait")
{
    struct iovec iov = { buf, 3 };
    int fds[2];

    kit_pipe(fds);
    later_write(fds[1], "hello");
    TRY(preadv64v2(fds[0], &iov, 1, -1, 0));
    kit_pipe(fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(pwritev64v2(fds[1], &iov, 1, -1, 0));
}

PROBE(large_sendfile, PAUSE_MS, "sendfile64() waits")
{
    int fds[2], file = kit_file("content");

    kit_pair(SOCK_STREAM, fds);
    later_read(fds[0], kit_fill(fds[1]));
    TRY(sendfile64(fds[1], file, NULL, 7));
    TRY(sendfile64(fds[1], -1, NULL, 7));
}
