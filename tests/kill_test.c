/* kill_test.c - the peer is killed (SIGKILL) while we are inside each operation
 * on each kind of descriptor: it ends with the right error, or the end of what
 * there is to read, and everybody else goes on.
 *
 * The peer is a child that has the other end.  It does nothing, so that the
 * operation is parked when the peer dies; or it reads and writes all the time,
 * and dies somewhere in that.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/core.h"
#include "tests/io_kit.h"
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

#define SOON() co_after(KIT_LONG)

/* ---- Descriptors, in pairs
 * ---------------------------------------------------- */

enum kind { TCP, TCP_OWN, UNIX, SEQPACKET, PIPE, FIFO, MASTER, SLAVE, KINDS };
static const char *const kind_names[KINDS] = { "tcp",       "own tcp", "unix",
                                               "seqpacket", "pipe",    "fifo",
                                               "master",    "slave" };

static bool is_socket(enum kind k) { return k <= SEQPACKET; }

static void open_fifo(int fds[2])
{
    char dir[] = "/tmp/kill_test.XXXXXX", name[64];

    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(name, sizeof name, "%s/fifo", dir);
    CHECK_EQ(mkfifo(name, 0600), 0);
    fds[0] = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    fds[1] = open(name, O_WRONLY | O_CLOEXEC);
    CHECK(fds[0] >= 0 && fds[1] >= 0);
    CHECK_EQ(fcntl(fds[0], F_SETFL, O_RDONLY), 0);
    CHECK_EQ(unlink(name), 0);
    CHECK_EQ(rmdir(dir), 0);
}

/* fds[0] is the master's side, in raw mode. */
static void open_terminal(int fds[2])
{
    struct termios t;
    char name[64];

    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(fds[0] >= 0);
    CHECK_EQ(grantpt(fds[0]), 0);
    CHECK_EQ(unlockpt(fds[0]), 0);
    CHECK_EQ(ptsname_r(fds[0], name, sizeof name), 0);
    fds[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(fds[1] >= 0);
    CHECK_EQ(tcgetattr(fds[1], &t), 0);
    cfmakeraw(&t);
    CHECK_EQ(tcsetattr(fds[1], TCSANOW, &t), 0);
}

static void swap(int fds[2])
{
    int first = fds[0];

    fds[0] = fds[1];
    fds[1] = first;
}

/* fds[0] is ours, for writing or for reading. */
static void open_kind(enum kind k, bool write, int fds[2])
{
    switch (k) {
    case TCP:
        kit_tcp(fds);
        break;
    case TCP_OWN:
        kit_tcp_own(fds);
        break;
    case UNIX:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        break;
    case SEQPACKET:
        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        break;
    case PIPE:
        CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
        break;
    case FIFO:
        open_fifo(fds);
        break;
    default:
        open_terminal(fds);
    }
    if (((k == PIPE || k == FIFO) && write) || k == SLAVE)
        swap(fds);
}

/* ---- Operations: a result or -errno
 * ------------------------------------------- */

static char bytes[64 * 1024];

static ssize_t result(ssize_t n) { return n < 0 ? -errno : n; }

static ssize_t do_read(int fd)
{
    char buf[512];

    return result(co_read(fd, buf, sizeof buf, SOON()));
}

static ssize_t do_readv(int fd)
{
    char buf[2][64];
    struct iovec iov[] = { { buf[0], sizeof buf[0] },
                           { buf[1], sizeof buf[1] } };

    return result(co_readv(fd, iov, 2, SOON()));
}

static ssize_t do_recv(int fd)
{
    char buf[512];

    return result(co_recv(fd, buf, sizeof buf, 0, SOON()));
}

/* All that is asked for, or what came until the end. */
static ssize_t do_recv_all(int fd)
{
    return result(co_recv(fd, bytes, sizeof bytes, MSG_WAITALL, SOON()));
}

static ssize_t do_recvfrom(int fd)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    char buf[512];

    return result(co_recvfrom(fd, buf, sizeof buf, 0, (struct sockaddr *)&addr,
                              &len, SOON()));
}

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int))];
};

static ssize_t do_recvmsg(int fd)
{
    union control control;
    char buf[512];
    struct iovec iov = { buf, sizeof buf };
    struct msghdr msg = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof control.bytes };
    ssize_t n = result(co_recvmsg(fd, &msg, MSG_CMSG_CLOEXEC, SOON()));

    if (n > 0 && CMSG_FIRSTHDR(&msg) != NULL) {
        int got;

        memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof got);
        CHECK_EQ(close(got), 0);
    }
    return n;
}

static ssize_t do_recv_into(int fd)
{
    char buf[512];
    void *at = buf;

    return result(co_recv_into(fd, &at, sizeof buf, SOON()));
}

static ssize_t do_write(int fd)
{
    return result(co_write(fd, bytes, sizeof bytes, SOON()));
}

static ssize_t do_writev(int fd)
{
    struct iovec iov[] = { { bytes, 1000 }, { bytes, sizeof bytes } };

    return result(co_writev(fd, iov, 2, SOON()));
}

static ssize_t do_send(int fd)
{
    return result(co_send(fd, bytes, sizeof bytes, 0, SOON()));
}

static ssize_t do_sendto(int fd)
{
    return result(co_sendto(fd, bytes, 100, 0, NULL, 0, SOON()));
}

/* Sends a descriptor along, but over TCP. */
static ssize_t do_sendmsg(int fd)
{
    union control control = { .align = { .cmsg_level = SOL_SOCKET,
                                         .cmsg_type = SCM_RIGHTS,
                                         .cmsg_len = CMSG_LEN(sizeof(int)) } };
    struct iovec iov = { bytes, 1000 };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct sockaddr addr;
    socklen_t len = sizeof addr;

    CHECK_EQ(getsockname(fd, &addr, &len), 0);
    if (addr.sa_family == AF_UNIX) {
        memcpy(CMSG_DATA(&control.align), &fd, sizeof fd);
        msg.msg_control = control.bytes;
        msg.msg_controllen = sizeof control.bytes;
    }
    return result(co_sendmsg(fd, &msg, 0, SOON()));
}

/* What it reports is not taken: so one time tells. */
static ssize_t do_wait(int fd)
{
    int r = co_fd_wait(fd, CO_READ, SOON());

    CHECK(r > 0);
    return 0;
}

static ssize_t do_select(int fd)
{
    struct co_case cases[] = { CO_FD(fd, CO_READ), CO_RECV(NULL, NULL) };

    CHECK_EQ(co_select(cases, 2, SOON()), 0);
    CHECK_EQ(cases[0].err, 0);
    return 0;
}

/* ---- The peer
 * ----------------------------------------------------------------- */

static void block_not(int fd)
{
    CHECK(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) >= 0);
}

/* Reads and writes whatever goes, in turn, until it is killed. */
static void be_busy(int fd)
{
    char buf[1000] = { 0 };

    block_not(fd);
    for (;;) {
        (void)!read(fd, buf, sizeof buf);
        (void)!write(fd, buf, sizeof buf);
    }
}

static pid_t start_peer(int fds[2], bool busy)
{
    pid_t pid;

    fflush(NULL);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK_EQ(close(fds[0]), 0);
        (void)signal(SIGPIPE, SIG_IGN);
        if (busy)
            be_busy(fds[1]);
        for (;;)
            (void)pause();
    }
    CHECK_EQ(co_close(fds[1]), 0);
    return pid;
}

static void kill_peer(pid_t pid)
{
    int status;

    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- One death
 * ---------------------------------------------------------------- */

typedef ssize_t op_fn(int fd);

struct worker {
    op_fn *op;
    int fd;
    ssize_t result;
    atomic_bool over;
};

/* Again and again, since a write fills the buffer first, until the end. */
static void work(void *arg)
{
    struct worker *w = arg;

    while ((w->result = w->op(w->fd)) > 0)
        ;
    w->over = true;
}

static void *work_on_thread(void *arg)
{
    work(arg);
    return NULL;
}

static atomic_long ticks; /* of somebody else */

static void tick(void *arg)
{
    while (co_sleep_until(co_after(CO_MSEC)) == 0)
        ticks++;
    (void)arg;
}

static void others_go_on(void)
{
    long before = ticks;

    while (ticks <= before + 1)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
}

/* Until c waits: it is on our scheduler, so nothing changes while we look.  Not
 * for ever: the master of a terminal takes some 20,000 writes of a byte before
 * it is full, which is long under valgrind; then that is what is cut short. */
static void until_parked(const struct co *c, const struct worker *w)
{
    int64_t end = co_after(2 * CO_SECOND);

    while (!w->over && c->wait == NULL && co_now() < end)
        co_yield_now();
}

static void kill_inside(struct worker *w, pid_t peer, bool busy, bool thread)
{
    pthread_t t;
    struct co *c = NULL;

    if (thread)
        CHECK_EQ(pthread_create(&t, NULL, work_on_thread, w), 0);
    else
        CHECK((c = co_spawn(work, w, NULL)) != NULL);
    if (busy || thread) /* somewhere in it */
        CHECK_EQ(co_sleep_until(co_after(rand() % 2000 * CO_USEC)), 0);
    else
        until_parked(c, w);
    kill_peer(peer);
    if (c != NULL)
        CHECK_EQ(co_join(c, SOON()), 0);
    while (!w->over)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    if (thread)
        CHECK_EQ(pthread_join(t, NULL), 0);
}

static bool right(enum kind k, bool write, ssize_t r)
{
    if (k == MASTER || k == SLAVE)
        return r == -EIO || (!write && r == 0);
    if (write)
        return r == -EPIPE || (r == -ECONNRESET && is_socket(k));
    return r == 0 || (r == -ECONNRESET && is_socket(k));
}

/* Unread bytes of ours make the kernel reset the connection. */
static void one_death(enum kind k, op_fn *op, bool write, bool busy,
                      bool unread, bool thread)
{
    int fds[2];
    pid_t peer;
    struct worker w = { .op = op };

    open_kind(k, write, fds);
    peer = start_peer(fds, busy);
    if (unread)
        CHECK_EQ(co_send(fds[0], "unread", 6, 0, SOON()), 6);
    w.fd = fds[0];
    kill_inside(&w, peer, busy, thread);
    if (!right(k, write, w.result)) {
        fprintf(stderr, "%s: %s, %s: %zd (%s)\n", kind_names[k],
                busy ? "busy" : "idle", thread ? "thread" : "coroutine",
                w.result, strerror((int)-w.result));
        exit(1);
    }
    others_go_on();
    CHECK_EQ(co_close(fds[0]), 0);
}

/* ---- All of them
 * -------------------------------------------------------------- */

static const struct {
    op_fn *op;
    bool write, socket; /* only on sockets */
} ops[] = {
    { do_read, false, false },     { do_readv, false, false },
    { do_recv, false, true },      { do_recv_all, false, true },
    { do_recvfrom, false, true },  { do_recvmsg, false, true },
    { do_recv_into, false, true }, { do_write, true, false },
    { do_writev, true, false },    { do_send, true, true },
    { do_sendto, true, true },     { do_sendmsg, true, true },
    { do_wait, false, false },     { do_select, false, false },
};

static void each_op(enum kind k)
{
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        bool write = ops[i].write;

        if (ops[i].socket && !is_socket(k))
            continue;
        one_death(k, ops[i].op, write, false, false, false);
        one_death(k, ops[i].op, write, false, false, true);
        if (is_socket(k))
            one_death(k, ops[i].op, write, false, true, false);
        for (long n = test_count(20); n > 0; n--)
            one_death(k, ops[i].op, write, true, false, n % 2 == 0);
    }
}

static void root(void *arg)
{
    struct co_attr second = { .name = "ticker", .on = co_sched_at(1) };
    struct co *ticker = co_spawn(tick, NULL, &second);

    (void)arg;
    CHECK(ticker != NULL);
    for (enum kind k = 0; k < KINDS; k++) {
        fprintf(stderr, "  %s\n", kind_names[k]);
        each_op(k);
    }
    co_cancel(ticker);
    CHECK_EQ(co_join(ticker, SOON()), 0);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* of pipes: as write(2) */
    CHECK_EQ(co_run(root, NULL, &(struct co_config){ .schedulers = 2 }), 0);
    return 0;
}
