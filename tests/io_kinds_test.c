/* io_kinds_test.c - the same few laws for every kind of descriptor.
 *
 * Each kind is a pair: something to read from, and a way to make it readable.
 * They are all in blocking mode, and stay so; the scheduler's thread is never
 * blocked: were it, its only other coroutine could not make anything readable,
 * and the test would hang.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <termios.h>

struct kind {
    const char *name;
    void (*open)(int fds[2]); /* read from fds[0] */
    void (*feed)(int fds[2]); /* makes it readable */
    int bytes;                /* that feed() makes readable */
};

static char dir[] = "/tmp/corten-io-XXXXXX";
static char path[sizeof dir + 16];

static void feed_byte(int fds[2])
{
    CHECK_EQ(co_write(fds[1], "x", 1, co_after(KIT_LONG)), 1);
}

static void open_unix_stream(int fds[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
}

static void open_unix_dgram(int fds[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
}

static void open_unix_packet(int fds[2])
{
    CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
}

static void open_pipe(int fds[2]) { CHECK_EQ(pipe(fds), 0); }

static void open_packet_pipe(int fds[2]) { CHECK_EQ(pipe2(fds, O_DIRECT), 0); }

static void open_fifo(int fds[2])
{
    int both;

    (void)snprintf(path, sizeof path, "%s/fifo", dir);
    CHECK_EQ(mkfifo(path, 0600), 0);
    both = open(path, O_RDWR); /* so that neither open waits for the other */
    fds[0] = open(path, O_RDONLY);
    fds[1] = open(path, O_WRONLY);
    CHECK(both >= 0 && fds[0] >= 0 && fds[1] >= 0);
    CHECK_EQ(close(both), 0);
    CHECK_EQ(unlink(path), 0);
}

static void open_tty(int fds[2]) /* the slave reads */
{
    struct termios raw;

    CHECK_EQ(openpty(&fds[1], &fds[0], NULL, NULL, NULL), 0);
    CHECK_EQ(tcgetattr(fds[0], &raw), 0);
    cfmakeraw(&raw);
    CHECK_EQ(tcsetattr(fds[0], TCSANOW, &raw), 0);
}

static void open_tty_master(int fds[2]) /* the master reads */
{
    int swap;

    open_tty(fds);
    swap = fds[0];
    fds[0] = fds[1];
    fds[1] = swap;
}

static void open_eventfd(int fds[2])
{
    fds[0] = fds[1] = eventfd(0, 0);
    CHECK(fds[0] >= 0);
}

static void open_semaphore(int fds[2])
{
    fds[0] = fds[1] = eventfd(0, EFD_SEMAPHORE);
    CHECK(fds[0] >= 0);
}

static void feed_eventfd(int fds[2])
{
    uint64_t one = 1;

    CHECK_EQ(co_write(fds[1], &one, sizeof one, co_after(KIT_LONG)), 8);
}

static void open_timerfd(int fds[2])
{
    fds[0] = fds[1] = timerfd_create(CLOCK_MONOTONIC, 0);
    CHECK(fds[0] >= 0);
}

static void feed_timerfd(int fds[2])
{
    struct itimerspec soon = { .it_value.tv_nsec = 1 };

    CHECK_EQ(timerfd_settime(fds[1], 0, &soon, NULL), 0);
}

static void open_inotify(int fds[2])
{
    fds[0] = fds[1] = inotify_init();
    CHECK(fds[0] >= 0);
    CHECK(inotify_add_watch(fds[0], dir, IN_ATTRIB) >= 0);
}

static void feed_inotify(int fds[2])
{
    (void)fds;
    CHECK_EQ(chmod(dir, 0700), 0);
}

static void open_signalfd(int fds[2])
{
    sigset_t set;

    CHECK_EQ(sigemptyset(&set), 0);
    CHECK_EQ(sigaddset(&set, SIGUSR1), 0);
    fds[0] = fds[1] = signalfd(-1, &set, 0); /* blocked since main() */
    CHECK(fds[0] >= 0);
}

static void feed_signalfd(int fds[2])
{
    (void)fds;
    CHECK_EQ(kill(getpid(), SIGUSR1), 0);
}

static const struct kind kinds[] = {
    { "tcp", kit_tcp, feed_byte, 1 },
    { "tcp, own", kit_tcp_own, feed_byte, 1 },
    { "udp", kit_udp, feed_byte, 1 },
    { "unix stream", open_unix_stream, feed_byte, 1 },
    { "unix datagram", open_unix_dgram, feed_byte, 1 },
    { "unix seqpacket", open_unix_packet, feed_byte, 1 },
    { "pipe", open_pipe, feed_byte, 1 },
    { "packet pipe", open_packet_pipe, feed_byte, 1 },
    { "fifo", open_fifo, feed_byte, 1 },
    { "tty slave", open_tty, feed_byte, 1 },
    { "tty master", open_tty_master, feed_byte, 1 },
    { "eventfd", open_eventfd, feed_eventfd, 8 },
    { "semaphore", open_semaphore, feed_eventfd, 8 },
    { "timerfd", open_timerfd, feed_timerfd, 8 },
    { "inotify", open_inotify, feed_inotify, 16 },
    { "signalfd", open_signalfd, feed_signalfd,
      sizeof(struct signalfd_siginfo) },
};

struct job {
    const struct kind *kind;
    int *fds;
    atomic_int reading;
};

static void feed_later(void *arg)
{
    struct job *j = arg;

    /* The reader has at least begun; mostly it has parked meanwhile. */
    while (!atomic_load(&j->reading))
        CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    j->kind->feed(j->fds);
}

static void read_now(const struct kind *k, int fds[2])
{
    char buf[256];

    CHECK_EQ(co_read(fds[0], buf, sizeof buf, co_after(KIT_LONG)), k->bytes);
}

static void check_empty(int fds[2])
{
    char buf[256];

    CHECK_EQ(co_read(fds[0], buf, sizeof buf, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_read(fds[0], buf, sizeof buf, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_fd_wait(fds[0], CO_READ, co_after(CO_MSEC)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
}

/* Level-triggered: it is said again until it was read. */
static void check_level(const struct kind *k, int fds[2])
{
    k->feed(fds);
    for (int i = 0; i < 3; i++)
        CHECK(co_fd_wait(fds[0], CO_READ, co_after(KIT_LONG)) & CO_READ);
    CHECK(co_fd_wait(fds[0], CO_READ, CO_NOWAIT) & CO_READ);
    read_now(k, fds);
}

static void wait_for(struct job *j, bool read)
{
    struct co *c = co_spawn(feed_later, j, NULL);
    char buf[256];

    CHECK(c != NULL);
    atomic_store(&j->reading, 1);
    if (!read)
        CHECK(co_fd_wait(j->fds[0], CO_READ, co_after(KIT_LONG)) & CO_READ);
    CHECK_EQ(co_read(j->fds[0], buf, sizeof buf, co_after(KIT_LONG)),
             j->kind->bytes);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
}

/* More than fits is written in part, then not at all; nothing is lost. */
static void check_full(const struct kind *k, int fds[2])
{
    static char buf[65536];
    ssize_t n;
    long written = 0;

    if (fds[0] == fds[1] || k->open == kit_udp)
        return;
    while ((n = co_write(fds[1], buf, 4096, co_after(20 * CO_MSEC))) > 0)
        written += n;
    CHECK_EQ(errno, ETIMEDOUT);
    while (written > 0) {
        n = co_read(fds[0], buf, sizeof buf, co_after(KIT_LONG));
        CHECK(n > 0);
        written -= n;
    }
    CHECK_EQ(written, 0);
}

static void one_kind(void *arg)
{
    const struct kind *k = arg;
    int fds[2], flags[2];

    k->open(fds);
    for (int i = 0; i < 2; i++)
        flags[i] = fcntl(fds[i], F_GETFL);
    check_empty(fds);
    check_level(k, fds);
    check_empty(fds);
    check_full(k, fds);
    for (long i = test_count(200); i > 0; i--) {
        struct job j = { .kind = k, .fds = fds };

        wait_for(&j, i % 2);
        k->feed(fds);
        read_now(k, fds);
    }
    check_empty(fds);
    for (int i = 0; i < 2; i++)
        CHECK_EQ(fcntl(fds[i], F_GETFL), flags[i]);
    kit_close(fds);
}

static void read_cancelled(void *arg)
{
    struct job *j = arg;
    char buf[256];

    atomic_store(&j->reading, 1);
    CHECK_EQ(co_read(j->fds[0], buf, sizeof buf, CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
    CHECK_EQ(co_read(j->fds[0], buf, sizeof buf, CO_FOREVER), -1);
    CHECK_EQ(errno, ECANCELED);
}

static void read_closed(void *arg)
{
    struct job *j = arg;
    char buf[256];

    atomic_store(&j->reading, 1);
    CHECK_EQ(co_read(j->fds[0], buf, sizeof buf, CO_FOREVER), -1);
    CHECK_EQ(errno, EBADF);
}

static void cancel_and_close(void *arg)
{
    struct job j = { .kind = arg };
    int fds[2];
    struct co *c;

    j.fds = fds;
    j.kind->open(fds);
    CHECK((c = co_spawn(read_cancelled, &j, NULL)) != NULL);
    while (!atomic_load(&j.reading))
        CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    co_cancel(c);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    atomic_store(&j.reading, 0);
    CHECK((c = co_spawn(read_closed, &j, NULL)) != NULL);
    while (!atomic_load(&j.reading))
        CHECK_EQ(co_sleep_until(co_after(CO_USEC)), 0);
    CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    if (fds[1] != fds[0])
        CHECK_EQ(co_close(fds[1]), 0);
}

int main(void)
{
    sigset_t set;

    CHECK_EQ(sigemptyset(&set), 0);
    CHECK_EQ(sigaddset(&set, SIGUSR1), 0);
    CHECK_EQ(pthread_sigmask(SIG_BLOCK, &set, NULL), 0);
    CHECK(mkdtemp(dir) != NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        fprintf(stderr, "  %s\n", kinds[i].name);
        kit_both(one_kind, (void *)&kinds[i]);
        kit_both(cancel_and_close, (void *)&kinds[i]);
    }
    CHECK_EQ(rmdir(dir), 0);
    return 0;
}
