/* reuse.c - probes: a number that was something else before.
 *
 * What is known of a number is of what it was; it is wrong as soon as it is
 * made into something new.  Here it always was in non-blocking mode, and what
 * it becomes is to wait.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/alias.h"
#include "tests/hook_probes/kit.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

static char buf[256];

/* A number that was closed past all that calls close(). */
static int freed(int fd)
{
    NEED(kit_nonblock(fd));
    NEED(syscall(SYS_close, fd) == 0);
    return fd;
}

static int freed_eventfd(void) { return freed(eventfd(0, EFD_NONBLOCK)); }

static void waits(int fd, int to)
{
    later_write(to, "12345678");
    TRY(read(fd, buf, sizeof buf));
}

PROBE(reuse_socket, PAUSE_MS, "SYS_close, then socket()")
{
    int was = freed_eventfd(), fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in any = { .sin_family = AF_INET };
    struct sockaddr_storage name;
    socklen_t len;
    int to;

    SHOW(fd == was);
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    NEED(bind(fd, (struct sockaddr *)&any, sizeof any) == 0);
    name = kit_name(fd, &len);
    to = socket(AF_INET, SOCK_DGRAM, 0);
    NEED(connect(to, (struct sockaddr *)&name, len) == 0);
    waits(fd, to);
}

PROBE(reuse_socketpair, PAUSE_MS, "SYS_close, then socketpair()")
{
    int was = freed_eventfd(), fds[2];

    TRY(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    SHOW(fds[0] == was);
    waits(fds[0], fds[1]);
}

PROBE(reuse_pipe, 3 * PAUSE_MS, "SYS_close, then pipe(), pipe2(), __pipe()")
{
    for (int i = 0; i < 3; i++) {
        int was = freed_eventfd(), fds[2];

        TRY(i == 0 ? pipe(fds) : i == 1 ? pipe2(fds, 0) : __pipe(fds));
        SHOW(fds[0] == was);
        waits(fds[0], fds[1]);
        actors_join();
    }
}

PROBE(reuse_eventfd, PAUSE_MS, "SYS_close, then eventfd()")
{
    int was = freed(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    int fd = eventfd(0, 0);

    SHOW(fd == was);
    waits(fd, fd);
}

PROBE(reuse_timerfd, PAUSE_MS, "SYS_close, then timerfd_create()")
{
    const struct itimerspec once = { .it_value = { 0, PAUSE_MS * 1000000L } };
    int was = freed_eventfd(), fd = timerfd_create(CLOCK_MONOTONIC, 0);

    SHOW(fd == was);
    NEED(timerfd_settime(fd, 0, &once, NULL) == 0);
    TRY(read(fd, buf, sizeof buf));
}

PROBE(reuse_signalfd, PAUSE_MS, "SYS_close, then signalfd()")
{
    int was, fd;
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    NEED(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    was = freed_eventfd();
    fd = signalfd(-1, &set, 0);
    SHOW(fd == was);
    later_signal(SIGUSR1);
    TRY(read(fd, buf, sizeof buf));
}

PROBE(reuse_dup3, PAUSE_MS, "dup3() onto another")
{
    int was = eventfd(0, EFD_NONBLOCK), fds[2];

    TRY(read(was, buf, sizeof buf));
    kit_pipe(fds);
    SHOW(dup3(fds[0], was, 0) == was);
    waits(was, fds[1]);
}

static void touch(void *path) { NEED(chmod(path, 0600) == 0); }

/* It becomes something that no hook sees made. */
static void waits_unseen(int was)
{
    static char path[64];
    int fd = inotify_init();

    SHOW(fd == was);
    kit_fifo(path);
    NEED(inotify_add_watch(fd, path, IN_ATTRIB) >= 0);
    later(touch, path);
    SHOW(read(fd, buf, sizeof buf) > 0);
}

PROBE(reuse_unseen_write, 0, "fclose() of a socket, then what is not hooked")
{
    int was = socket(AF_UNIX, SOCK_STREAM, 0), fd;
    FILE *f = fdopen(was, "r");

    NEED(f != NULL && fclose(f) == 0);
    f = tmpfile();
    NEED(f != NULL);
    fd = fileno(f);
    SHOW(fd == was);
    TRY(write(fd, "12345678", 8));
    TRY(write(fd, "12345678", 8));
}

/* It is libc that closes it. */
PROBE(reuse_fclose, 2 * PAUSE_MS, "fdopen(), fclose(), then what is not hooked")
{
    static FILE *(*const opens[])(int, const char *) = { fdopen, _IO_fdopen };

    for (int i = 0; i < 2; i++) {
        int fd = eventfd(0, EFD_NONBLOCK);
        FILE *f = opens[i](fd, "r");

        NEED(f != NULL);
        SHOW(fclose(f));
        waits_unseen(fd);
        actors_join();
    }
    SHOW(fdopen(-1, "r") == NULL);
    SHOW(errno);
    SHOW(_IO_fdopen(-1, "r") == NULL);
    SHOW(errno);
}

PROBE(reuse_fdopen, 2 * PAUSE_MS, "fdopen(): the number goes on waiting")
{
    static FILE *(*const opens[])(int, const char *) = { fdopen, _IO_fdopen };

    for (int i = 0; i < 2; i++) {
        int fds[2];
        FILE *f;

        NEED(pipe(fds) == 0);
        f = opens[i](fds[0], "r");
        NEED(f != NULL);
        SHOW(kit_nonblock(fds[0]));
        waits(fds[0], fds[1]);
        actors_join();
        SHOW(fclose(f));
        NEED(close(fds[1]) == 0);
    }
}

PROBE(reuse_close, 2 * PAUSE_MS, "close(), __close(), then what is not hooked")
{
    int fd = eventfd(0, EFD_NONBLOCK);

    TRY(close(fd));
    waits_unseen(fd);
    actors_join();
    fd = eventfd(0, EFD_NONBLOCK);
    TRY(__close(fd));
    waits_unseen(fd);
}

PROBE(reuse_close_range, PAUSE_MS, "close_range(), then what is not hooked")
{
    int fd = eventfd(0, EFD_NONBLOCK);

    if (close_range((unsigned)fd, (unsigned)fd, 0) < 0 && errno == ENOSYS)
        probe_skip("no close_range()");
    waits_unseen(fd);
}

PROBE(reuse_closefrom, PAUSE_MS, "closefrom(), then what is not hooked")
{
    int fd = eventfd(0, EFD_NONBLOCK);

    closefrom(fd);
    waits_unseen(fd);
}
