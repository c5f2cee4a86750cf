/* net_kill_test.c - the peer is killed (SIGKILL) while we are inside an
 * operation on a connection, dial it, accept from it, or serve it.
 *
 * kill_test.c does so with the calls on descriptors.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/core.h"
#include "tests/net_tools.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <sys/wait.h>

/* ---- The peer, which knows plain sockets only
 * --------------------------------- */

static socklen_t address_of(const char *text, struct sockaddr_storage *a)
{
    struct sockaddr_in *in = (struct sockaddr_in *)a;
    struct sockaddr_un *un = (struct sockaddr_un *)a;

    memset(a, 0, sizeof *a);
    if (strncmp(text, "unix:@", 6) == 0) {
        un->sun_family = AF_UNIX;
        strcpy(un->sun_path + 1, text + 6);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                           strlen(text) - 5);
    }
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)atoi(strrchr(text, ':') + 1));
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof *in;
}

static int connect_to(const char *addr)
{
    struct sockaddr_storage a;
    socklen_t len = address_of(addr, &a);
    int fd = socket(a.ss_family, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    CHECK_EQ(test_connect(fd, (struct sockaddr *)&a, len), 0);
    return fd;
}

static void stay(void)
{
    for (;;)
        (void)pause();
}

static void stays(const char *addr)
{
    (void)addr;
    stay();
}

static void connects_and_stays(const char *addr)
{
    (void)connect_to(addr);
    stay();
}

static void connects_and_writes(const char *addr)
{
    int fd = connect_to(addr);
    char bytes[1000] = { 0 };

    for (;;) {
        (void)!send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        (void)!recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    }
}

static void connects_and_closes(const char *addr)
{
    for (;;)
        (void)close(connect_to(addr));
}

typedef void peer_fn(const char *addr);

static pid_t start_peer(peer_fn *fn, const char *addr)
{
    pid_t pid;

    fflush(NULL);
    pid = test_fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        fn(addr);
        _exit(0);
    }
    return pid;
}

static void kill_peer(pid_t pid)
{
    int status;

    CHECK_EQ(kill(pid, SIGKILL), 0);
    CHECK_EQ(TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)), pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- Operations on a connection: a result or -errno
 * --------------------------- */

static char bytes[256 * 1024];
static int file; /* as large */

static ssize_t result(ssize_t n) { return n < 0 ? -errno : n; }

static ssize_t do_read(struct net_conn *c)
{
    char buf[100];

    return result(net_read(c, buf, sizeof buf, SOON));
}

/* Success is more to come. */
static ssize_t do_read_full(struct net_conn *c)
{
    char buf[1000];

    return result(net_read_full(c, buf, sizeof buf, SOON)) == 0 ? 1 : -errno;
}

static ssize_t do_next(struct net_conn *c)
{
    const void *data;

    return result(net_next(c, &data, SOON));
}

static ssize_t do_wait(struct net_conn *c)
{
    return net_wait(c, SOON) < 0 ? -errno : do_read(c);
}

static ssize_t do_write(struct net_conn *c)
{
    return net_write(c, bytes, sizeof bytes, SOON) < 0 ? -errno : 1;
}

static ssize_t do_writev(struct net_conn *c)
{
    struct iovec iov[] = { { bytes, 10 }, { bytes, sizeof bytes } };

    return net_writev(c, iov, 2, SOON) < 0 ? -errno : 1;
}

static ssize_t do_sendfile(struct net_conn *c)
{
    return net_sendfile(c, file, 0, sizeof bytes, SOON) < 0 ? -errno : 1;
}

typedef ssize_t op_fn(struct net_conn *c);

static const struct {
    op_fn *op;
    bool write;
} ops[] = {
    { do_read, false },    { do_read_full, false }, { do_next, false },
    { do_wait, false },    { do_write, true },      { do_writev, true },
    { do_sendfile, true },
};

struct worker {
    op_fn *op;
    struct net_conn *c;
    ssize_t result;
    bool over;
};

static void work(void *arg)
{
    struct worker *w = arg;

    while ((w->result = w->op(w->c)) > 0)
        ;
    w->over = true;
}

static bool right(op_fn *op, bool write, ssize_t r)
{
    if (write || op == do_read_full)
        return r == -EPIPE || r == -ECONNRESET;
    return r == 0 || r == -ECONNRESET;
}

static void kill_inside(int i, size_t n, bool busy)
{
    struct net_listener *l = net_listen(kind(i), NULL);
    char addr[NET_ADDR_MAX];
    struct worker w = { .op = ops[n].op };
    struct co *co;
    pid_t peer;

    CHECK(l != NULL);
    net_listener_addr(l, addr, sizeof addr);
    peer = start_peer(busy ? connects_and_writes : connects_and_stays, addr);
    CHECK((w.c = net_accept(l, SOON)) != NULL);
    net_listener_close(l);
    CHECK((co = co_spawn(work, &w, NULL)) != NULL);
    if (busy) /* somewhere in it */
        CHECK_EQ(co_sleep_until(co_after(rand() % 2000 * CO_USEC)), 0);
    else
        while (!w.over && co->wait == NULL)
            co_yield_now();
    kill_peer(peer);
    CHECK_EQ(co_join(co, SOON), 0);
    if (!right(w.op, ops[n].write, w.result)) {
        fprintf(stderr, "%s, operation %zu, %s: %zd (%s)\n", addr, n,
                busy ? "busy" : "idle", w.result, strerror((int)-w.result));
        exit(1);
    }
    net_close(w.c);
}

static void operations(void *arg)
{
    (void)arg;
    file = memfd_create("net_kill_test", MFD_CLOEXEC);
    CHECK(file >= 0);
    CHECK_EQ(write(file, bytes, sizeof bytes), sizeof bytes);
    for (int i = 0; i < 2; i++)
        for (size_t n = 0; n < sizeof ops / sizeof *ops; n++) {
            kill_inside(i, n, false);
            for (long k = test_count(20); k > 0; k--)
                kill_inside(i, n, true);
        }
    CHECK_EQ(close(file), 0);
}

/* ---- Dial
 * --------------------------------------------------------------------- */

struct dialler {
    const char *addr;
    struct net_conn *conns[8];
    int err, count;
    bool over;
};

/* Until nothing more is let in: the last one waits. */
static void dial(void *arg)
{
    struct dialler *d = arg;
    struct net_conn *c;

    while ((c = net_dial(d->addr, SOON)) != NULL) {
        CHECK(d->count < 8);
        d->conns[d->count++] = c;
    }
    d->err = errno;
    d->over = true;
}

/* The peer's listener has a queue that is soon full, and nobody accepts. */
static void dialling(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct sockaddr_storage a;
        socklen_t len = address_of(kind(i), &a);
        int fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        char addr[64];
        struct dialler d = { .addr = addr };
        struct co *co;
        pid_t peer;

        CHECK_EQ(bind(fd, (struct sockaddr *)&a, len), 0);
        CHECK_EQ(listen(fd, 0), 0);
        len = sizeof a;
        CHECK_EQ(getsockname(fd, (struct sockaddr *)&a, &len), 0);
        (void)snprintf(addr, sizeof addr, "127.0.0.1:%d",
                       ntohs(((struct sockaddr_in *)&a)->sin_port));
        if (i == 1)
            (void)snprintf(addr, sizeof addr, "%s", kind(i));
        peer = start_peer(stays, addr); /* has the listener, too */
        CHECK_EQ(close(fd), 0);
        CHECK((co = co_spawn(dial, &d, NULL)) != NULL);
        while (!d.over && (co->wait == NULL || d.count == 0))
            co_yield_now();
        kill_peer(peer);
        CHECK_EQ(co_join(co, SOON), 0);
        CHECK(d.err == ECONNREFUSED || d.err == ECONNRESET);
        while (d.count > 0) /* let in, but never accepted */
            net_close(d.conns[--d.count]);
    }
}

/* ---- Accept, and serve
 * -------------------------------------------------------- */

/* Peers die between their connecting and our accepting. */
static void accepting(void *arg)
{
    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct net_listener *l = net_listen(kind(i), NULL);
        char addr[NET_ADDR_MAX];
        struct net_conn *c, *ours;

        CHECK(l != NULL);
        net_listener_addr(l, addr, sizeof addr);
        for (long k = test_count(50) + 3; k > 0; k--) {
            pid_t peer = start_peer(connects_and_closes, addr);

            for (int n = rand() % 10; n >= 0; n--) {
                CHECK((c = net_accept(l, SOON)) != NULL);
                net_close(c);
            }
            kill_peer(peer);
        }
        while ((c = net_accept(l, CO_NOWAIT)) != NULL) /* what is left */
            net_close(c);
        CHECK_EQ(errno, ETIMEDOUT);
        CHECK((ours = net_dial(addr, SOON)) != NULL);
        CHECK((c = net_accept(l, SOON)) != NULL);
        CHECK_EQ(net_write(ours, "x", 1, SOON), 0);
        CHECK_EQ(do_read(c), 1);
        net_close(ours);
        net_close(c);
        net_listener_close(l);
    }
}

/* A server's handlers end with their clients, and it goes on. */
static void serving(void *arg)
{
    enum { CLIENTS = 4 };

    (void)arg;
    for (int i = 0; i < 2; i++) {
        struct server s;
        struct net_conn *c;

        server_start(&s, kind(i), NULL, echo, NULL);
        CHECK((c = net_dial(s.addr, SOON)) != NULL);
        for (long k = test_count(20) + 2; k > 0; k--) {
            pid_t peers[CLIENTS];

            for (int n = 0; n < CLIENTS; n++)
                peers[n] = start_peer(connects_and_writes, s.addr);
            CHECK_EQ(co_sleep_until(co_after(rand() % 3000 * CO_USEC)), 0);
            for (int n = 0; n < CLIENTS; n++)
                kill_peer(peers[n]);
            check_echo(c, "still here");
        }
        net_close(c);
        server_stop(&s);
    }
}

int main(void)
{
    RUN_CO(operations);
    RUN_CO(dialling);
    RUN_CO(accepting);
    RUN_CO(serving);
    return 0;
}
