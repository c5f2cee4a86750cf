/* raw.c - the kernel asked by numbers of system calls, which no hook sees.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/world.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int raw_poll(int fd, int events)
{
    struct pollfd p = { .fd = fd, .events = (short)events };
    struct timespec none = { 0, 0 };

    return syscall(SYS_ppoll, &p, 1, &none, NULL, 0) > 0 ? p.revents : 0;
}

int raw_queued(int fd)
{
    int n = 0;

    return syscall(SYS_ioctl, fd, FIONREAD, &n) == 0 ? n : 0;
}

bool raw_nonblock(int fd)
{
    long flags = syscall(SYS_fcntl, fd, F_GETFL, 0);

    return flags >= 0 && (flags & O_NONBLOCK);
}

int raw_option(int fd, int option)
{
    int value = 0;
    socklen_t len = sizeof value;

    (void)syscall(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &len);
    return value;
}

int64_t raw_timeout_ms(int fd, int option)
{
    struct timeval time = { 0, 0 };
    socklen_t len = sizeof time;

    (void)syscall(SYS_getsockopt, fd, SOL_SOCKET, option, &time, &len);
    return time.tv_sec * 1000 + (time.tv_usec + 999) / 1000;
}

int raw_tcp_state(int fd)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof info;

    (void)syscall(SYS_getsockopt, fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    return info.tcpi_state;
}

void raw_no_delay(int fd)
{
    int on = 1;

    (void)syscall(SYS_setsockopt, fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/* Both ends of a pipe have the same: they are told apart by their mode. */
uint64_t raw_inode(int fd)
{
    struct stat st;
    long flags = syscall(SYS_fcntl, fd, F_GETFL, 0);

    if (fstat(fd, &st) < 0 || flags < 0)
        return 0;
    return (uint64_t)st.st_dev << 40 ^ (uint64_t)st.st_ino << 2 ^
           (uint64_t)(flags & O_ACCMODE);
}

void raw_pause(void)
{
    struct timespec time = { 0, 20000 };

    (void)syscall(SYS_nanosleep, &time, NULL);
}
