/* kit.c - descriptors for probes, of each kind.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/kit.h"
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>

void kit_pair(int type, int fds[2])
{
    NEED(socketpair(AF_UNIX, type, 0, fds) == 0);
}

/* Buffers of one size: the kernel would let them grow while it pleases. */
static void fix_buffers(int fd)
{
    int size = 1 << 16;

    NEED(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size) == 0);
    NEED(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size) == 0);
}

void kit_tcp(int fds[2])
{
    int listener = kit_listen(1);

    fix_buffers(listener);
    fds[1] = kit_connect(listener);
    fds[0] = accept(listener, NULL, NULL);
    NEED(fds[0] >= 0);
    fix_buffers(fds[1]);
    NEED(close(listener) == 0);
}

static int bound(int type)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, type, 0);

    NEED(fd >= 0);
    NEED(bind(fd, (struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

void kit_udp(int fds[2])
{
    fds[0] = bound(SOCK_DGRAM);
    fds[1] = bound(SOCK_DGRAM);
    NEED(kit_try_connect(fds[0], fds[1]) == 0);
    NEED(kit_try_connect(fds[1], fds[0]) == 0);
}

void kit_pipe(int fds[2]) { NEED(pipe(fds) == 0); }

void kit_fifo(char path[64])
{
    static int made;

    (void)snprintf(path, 64, "fifo-%d-%d", (int)getpid(), made++);
    NEED(mkfifo(path, 0600) == 0);
}

void kit_pty(int fds[2])
{
    struct termios mode;
    char name[64];

    fds[0] = posix_openpt(O_RDWR | O_NOCTTY);
    NEED(fds[0] >= 0);
    NEED(grantpt(fds[0]) == 0 && unlockpt(fds[0]) == 0);
    NEED(ptsname_r(fds[0], name, sizeof name) == 0);
    fds[1] = open(name, O_RDWR | O_NOCTTY);
    NEED(fds[1] >= 0);
    NEED(tcgetattr(fds[1], &mode) == 0);
    cfmakeraw(&mode);
    NEED(tcsetattr(fds[1], TCSANOW, &mode) == 0);
}

int kit_file(const char *text)
{
    int fd = memfd_create("probe", 0);

    NEED(fd >= 0);
    NEED(pwrite(fd, text, strlen(text), 0) == (ssize_t)strlen(text));
    return fd;
}

int kit_listen(int backlog)
{
    int fd = bound(SOCK_STREAM);

    NEED(listen(fd, backlog) == 0);
    return fd;
}

int kit_unix_listen(int backlog)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    NEED(fd >= 0);
    NEED(bind(fd, (struct sockaddr *)&a, sizeof a.sun_family) == 0);
    NEED(listen(fd, backlog) == 0);
    return fd;
}

struct sockaddr_storage kit_name(int fd, socklen_t *len)
{
    struct sockaddr_storage a = { 0 };

    *len = sizeof a;
    NEED(getsockname(fd, (struct sockaddr *)&a, len) == 0);
    return a;
}

int kit_try_connect(int listener, int fd)
{
    socklen_t len;
    struct sockaddr_storage a = kit_name(listener, &len);

    return connect(fd, (struct sockaddr *)&a, len);
}

int kit_connect(int listener)
{
    socklen_t len;
    struct sockaddr_storage a = kit_name(listener, &len);
    int fd = socket(a.ss_family, SOCK_STREAM, 0);

    NEED(fd >= 0);
    NEED(kit_try_connect(listener, fd) == 0);
    return fd;
}

bool kit_nonblock(int fd) { return fcntl(fd, F_GETFL) & O_NONBLOCK; }

void kit_set_nonblock(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);

    NEED(flags >= 0);
    flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    NEED(fcntl(fd, F_SETFL, flags) == 0);
}

void kit_timeout(int fd, int option, int ms)
{
    struct timeval t = { ms / 1000, ms % 1000 * 1000 };

    NEED(setsockopt(fd, SOL_SOCKET, option, &t, sizeof t) == 0);
}

/* TCP moves what arrives from one buffer to another for a while, so no room is
 * left only when none has come up for some time. */
size_t kit_fill(int fd)
{
    static char junk[65536];
    bool was = kit_nonblock(fd);
    size_t len = sizeof junk, n = 0;

    kit_set_nonblock(fd, true);
    while (len > 0) {
        ssize_t r = write(fd, junk, len);

        n += r > 0 ? (size_t)r : 0;
        if (r > 0)
            continue;
        NEED(errno == EAGAIN);
        if (len > 1)
            len /= 2;
        else if (poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1,
                      PAUSE_MS) == 0)
            len = 0;
    }
    kit_set_nonblock(fd, was);
    return n;
}

volatile sig_atomic_t kit_caught;

static void on_signal(int sig)
{
    (void)sig;
    kit_caught++;
}

void kit_catch(int sig, int flags)
{
    struct sigaction act = { .sa_handler = on_signal, .sa_flags = flags };

    kit_caught = 0;
    NEED(sigaction(sig, &act, NULL) == 0);
}

void kit_pattern(char *buf, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)(i ^ i >> 8 ^ i >> 16);
}

bool kit_is_pattern(const char *buf, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (buf[i] != (char)(i ^ i >> 8 ^ i >> 16))
            return false;
    }
    return true;
}
