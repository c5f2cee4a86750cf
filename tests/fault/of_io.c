/* of_io.c - scenarios of descriptors of every kind.
 *
 * A reader and a writer send each other units by each pair of calls in turn.  A
 * call that was made to fail has done nothing, so it is simply made again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>

enum { ROW = 1, VECTOR = 2, FLAGS = 4, FROM = 8, MESSAGE = 16, INTO = 32 };
enum { ANY_FILE = ROW | VECTOR, ANY_SOCKET = 63 };

static ssize_t put(int way, int fd, size_t size)
{
    uint64_t unit = 1;
    struct iovec iov = { &unit, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    switch (way) {
    case ROW:
        return co_write(fd, &unit, size, SOON);
    case VECTOR:
        return co_writev(fd, &iov, 1, SOON);
    case FROM:
        return co_sendto(fd, &unit, size, 0, NULL, 0, SOON);
    case MESSAGE:
        return co_sendmsg(fd, &msg, 0, SOON);
    default:
        return co_send(fd, &unit, size, 0, SOON);
    }
}

static ssize_t get(int way, int fd, size_t size)
{
    uint64_t unit;
    void *buf = &unit;
    struct iovec iov = { &unit, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

    switch (way) {
    case ROW:
        return co_read(fd, &unit, size, SOON);
    case VECTOR:
        return co_readv(fd, &iov, 1, SOON);
    case FROM:
        return co_recvfrom(fd, &unit, size, 0, NULL, NULL, SOON);
    case MESSAGE:
        return co_recvmsg(fd, &msg, 0, SOON);
    case INTO:
        return co_recv_into(fd, &buf, size, SOON);
    default:
        return co_recv(fd, &unit, size, 0, SOON);
    }
}

struct transfer {
    int from, to, ways;
    size_t size;
    struct co_sem done;
};

static void get_all(void *arg)
{
    struct transfer *t = arg;

    for (int way = 1; way <= INTO; way *= 2)
        while ((way & t->ways) &&
               !WENT(get(way, t->to, t->size) == (ssize_t)t->size, ENOMEM, ))
            continue;
    co_sem_post(&t->done);
}

static void *get_on_thread(void *arg)
{
    get_all(arg);
    return NULL;
}

static void put_all(struct transfer *t)
{
    for (int way = 1; way <= INTO; way *= 2) {
        if (!(way & t->ways))
            continue;
        (void)co_sleep_until(co_after(CO_MSEC / 10)); /* the reader waits */
        while (!WENT(put(way, t->from, t->size) == (ssize_t)t->size, ENOMEM, ))
            continue;
    }
    CHECK_EQ(co_sem_wait(&t->done, SOON), 0);
}

static void transfer(int from, int to, size_t size, int ways)
{
    struct transfer t = { from, to, ways, size, { .value = 0 } };
    pthread_t thread;

    if (co_self() != NULL) {
        if (WENT(co_go(get_all, &t) == 0, ENOMEM, ))
            put_all(&t);
        return;
    }
    CHECK_EQ(pthread_create(&thread, NULL, get_on_thread, &t), 0);
    put_all(&t);
    CHECK_EQ(pthread_join(thread, NULL), 0);
}

static void shut(int fd) { (void)WENT(co_close(fd) == 0, ); }

/* ---- Kinds of files
 * ---------------------------------------------------------- */

static void use_pipe(void)
{
    int fds[2];

    CHECK_EQ(pipe(fds), 0);
    transfer(fds[1], fds[0], 1, ANY_FILE);
    shut(fds[0]);
    shut(fds[1]);
}

static void use_fifo(void)
{
    char name[64];
    int to, from;

    (void)snprintf(name, sizeof name, "/tmp/corten-fault-%d", (int)getpid());
    CHECK_EQ(mkfifo(name, 0600), 0);
    to = open(name, O_RDWR);
    from = open(name, O_WRONLY);
    CHECK_EQ(unlink(name), 0);
    CHECK(to >= 0 && from >= 0);
    transfer(from, to, 1, ANY_FILE);
    shut(to);
    shut(from);
}

static void use_terminal(void)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    struct termios raw;

    CHECK(master >= 0);
    CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    CHECK(slave >= 0);
    CHECK_EQ(tcgetattr(slave, &raw), 0);
    cfmakeraw(&raw);
    CHECK_EQ(tcsetattr(slave, TCSANOW, &raw), 0);
    transfer(master, slave, 1, ANY_FILE);
    transfer(slave, master, 1, ANY_FILE);
    shut(slave);
    shut(master);
}

static void use_eventfd(void)
{
    int fd = eventfd(0, 0);

    CHECK(fd >= 0);
    transfer(fd, fd, 8, ANY_FILE);
    shut(fd);
}

static void use_pair_of(int type)
{
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, type, 0, fds), 0);
    transfer(fds[0], fds[1], 1, ANY_SOCKET);
    shut(fds[0]);
    shut(fds[1]);
}

static void get_four(void *arg)
{
    char buf[4];
    size_t len = 0;
    ssize_t n;

    while (len < sizeof buf) {
        n = co_recv(*(int *)arg, buf, sizeof buf - len, MSG_WAITALL, SOON);
        if (WENT(n > 0, ENOMEM, ))
            len += (size_t)n;
    }
}

/* In two pieces. */
static void use_wait_all(void)
{
    int fds[2];
    struct co *co;

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    co = co_spawn(get_four, &fds[0], NULL);
    if (WENT(co != NULL, ENOMEM, )) {
        CHECK_EQ(write(fds[1], "12", 2), 2);
        (void)co_sleep_until(co_after(CO_MSEC / 10));
        CHECK_EQ(write(fds[1], "34", 2), 2);
        CHECK_EQ(co_join(co, SOON), 0);
    }
    shut(fds[0]);
    shut(fds[1]);
}

static void use_foreign_sockets(void)
{
    use_wait_all();
    use_pair_of(SOCK_STREAM);
    use_pair_of(SOCK_DGRAM);
}

static void use_file(void)
{
    char name[] = "/tmp/corten-fault-XXXXXX";
    int fd = mkstemp(name);
    uint64_t unit;

    CHECK(fd >= 0);
    CHECK_EQ(unlink(name), 0);
    while (!WENT(co_write(fd, "12345678", 8, SOON) == 8, ))
        continue;
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    while (!WENT(co_read(fd, &unit, sizeof unit, SOON) == 8, ))
        continue;
    CHECK_EQ(memcmp(&unit, "12345678", 8), 0);
    shut(fd);
}

static void pipes(void) { in_runtime(use_pipe); }
static void pipes_on_thread(void) { beside_runtime(use_pipe); }
static void fifos(void) { in_runtime(use_fifo); }
static void terminals(void) { in_runtime(use_terminal); }
static void eventfds(void) { in_runtime(use_eventfd); }
static void foreign_sockets(void) { in_runtime(use_foreign_sockets); }
static void files(void) { in_runtime(use_file); }

/* ---- Sockets that connect
 * ----------------------------------------------------- */

struct acceptor {
    int listener, fd;
};

static void accept_one(void *arg)
{
    struct acceptor *a = arg;
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;

    do
        a->fd = co_accept(a->listener, (struct sockaddr *)&peer, &len, SOON);
    while (!WENT(a->fd >= 0, ECANCELED, ENOMEM, ) && !co_cancelled());
}

static int make_socket(int family, bool foreign)
{
    int fd = foreign ? socket(family, SOCK_STREAM, 0)
                     : co_socket(family, SOCK_STREAM, 0);

    return WENT(fd >= 0, ENOMEM, ) ? fd : -1;
}

static int listen_at(struct sockaddr_storage *at, socklen_t *len, bool foreign)
{
    int fd = make_socket(at->ss_family, foreign);

    if (fd < 0)
        return -1;
    CHECK_EQ(bind(fd, (struct sockaddr *)at, *len), 0);
    CHECK_EQ(listen(fd, 5), 0);
    *len = sizeof *at;
    CHECK_EQ(getsockname(fd, (struct sockaddr *)at, len), 0);
    return fd;
}

static void meet(struct sockaddr_storage *at, socklen_t len, bool foreign)
{
    struct acceptor a = { listen_at(at, &len, foreign), -1 };
    struct co *co = NULL;
    int fd = -1;
    bool met = false;

    if (a.listener >= 0)
        fd = make_socket(at->ss_family, foreign);
    if (fd >= 0)
        co = co_spawn(accept_one, &a, NULL);
    if (fd >= 0 && WENT(co != NULL, ENOMEM, )) {
        co_yield_now();
        met = WENT(co_connect(fd, (struct sockaddr *)at, len, SOON) == 0,
                   ENOMEM, );
        if (!met)
            co_cancel(co);
        CHECK_EQ(co_join(co, SOON), 0);
    }
    if (met && a.fd >= 0) {
        transfer(fd, a.fd, 1, ANY_SOCKET);
        transfer(a.fd, fd, 1, ANY_SOCKET);
    }
    if (a.fd >= 0)
        shut(a.fd);
    if (fd >= 0)
        shut(fd);
    if (a.listener >= 0)
        shut(a.listener);
}

static void meet_tcp(bool foreign)
{
    struct sockaddr_storage at = { 0 };
    struct sockaddr_in *in = (struct sockaddr_in *)&at;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    meet(&at, sizeof *in, foreign);
}

static void use_own_tcp(void) { meet_tcp(false); }
static void use_foreign_tcp(void) { meet_tcp(true); }

/* An address that the kernel chooses. */
static void use_unix(void)
{
    struct sockaddr_storage at = { .ss_family = AF_UNIX };

    meet(&at, sizeof(sa_family_t), false);
}

static void tcp(void) { in_runtime(use_own_tcp); }
static void foreign_tcp(void) { in_runtime(use_foreign_tcp); }
static void unix_sockets(void) { in_runtime(use_unix); }

const struct scenario scenarios_io[] = {
    { "pipes", pipes, 0 },
    { "pipes_on_thread", pipes_on_thread, 0 },
    { "fifos", fifos, 0 },
    { "terminals", terminals, 0 },
    { "eventfds", eventfds, 0 },
    { "foreign_sockets", foreign_sockets, 0 },
    { "files", files, 0 },
    { "tcp", tcp, 0 },
    { "foreign_tcp", foreign_tcp, 0 },
    { "unix_sockets", unix_sockets, 0 },
    { NULL, NULL, 0 },
};
