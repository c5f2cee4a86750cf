/* io_connect_test.c - connect and accept, on own and on blocking descriptors.
 *
 * Whatever happens, the flags of a description that is not ours are afterwards
 * what they were.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/io_kit.h"
#include <stddef.h>

#define SOON() co_after(KIT_LONG)
#define LATE() co_after(2 * CO_MSEC)

static bool own;

static void nap(void) { CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0); }

static int new_socket(int domain)
{
    int fd = own ? co_socket(domain, SOCK_STREAM, 0)
                 : socket(domain, SOCK_STREAM, 0);

    CHECK(fd >= 0);
    return fd;
}

/* As co_connect(), and looks at the flags. */
static int try_connect(int fd, const void *name, socklen_t len,
                       int64_t deadline)
{
    int before = fcntl(fd, F_GETFL);
    int r = co_connect(fd, name, len, deadline), err = errno;

    CHECK_EQ(fcntl(fd, F_GETFL), before);
    errno = err;
    return r;
}

static int try_accept(int fd, void *name, socklen_t *len, int64_t deadline)
{
    int before = fcntl(fd, F_GETFL);
    int r = co_accept(fd, name, len, deadline), err = errno;

    CHECK_EQ(fcntl(fd, F_GETFL), before);
    if (r >= 0) {
        CHECK(fcntl(r, F_GETFL) & O_NONBLOCK);
        CHECK(fcntl(r, F_GETFD) & FD_CLOEXEC);
    }
    errno = err;
    return r;
}

static void connects(void *arg)
{
    struct sockaddr_in name = kit_name(kit_int(arg));
    int fd = new_socket(AF_INET);
    char c;

    nap();
    CHECK_EQ(try_connect(fd, &name, sizeof name, SOON()), 0);
    CHECK_EQ(co_read(fd, &c, 1, SOON()), 1);
    CHECK_EQ(co_close(fd), 0);
}

static void accepts(void *arg)
{
    int listener = kit_listen(own, 10), fd;
    struct sockaddr_in name;
    socklen_t len;
    struct co *c;

    (void)arg;
    CHECK_EQ(try_accept(listener, NULL, NULL, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(try_accept(listener, NULL, NULL, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    for (int i = 0; i < 20; i++) {
        CHECK((c = co_spawn(connects, kit_pointer(listener), NULL)) != NULL);
        if (i % 2)
            CHECK_EQ(co_fd_wait(listener, CO_READ, SOON()), CO_READ);
        len = sizeof name;
        fd = try_accept(listener, &name, &len, SOON());
        CHECK(fd >= 0);
        CHECK_EQ(len, sizeof name);
        CHECK_EQ(name.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        CHECK_EQ(co_write(fd, "x", 1, SOON()), 1);
        CHECK_EQ(co_join(c, CO_FOREVER), 0);
        CHECK_EQ(co_close(fd), 0);
    }
    CHECK_EQ(co_close(listener), 0);
}

/* ---- Several who accept from one listener
 * ------------------------------------ */

enum { ACCEPTORS = 6, CLIENTS = 60 };

struct door {
    int listener;
    atomic_int came;
};

static void acceptor(void *arg)
{
    struct door *d = arg;
    int fd;

    while ((fd = co_accept(d->listener, NULL, NULL, SOON())) >= 0) {
        CHECK_EQ(co_write(fd, "x", 1, SOON()), 1);
        CHECK_EQ(co_close(fd), 0);
        atomic_fetch_add(&d->came, 1);
    }
    CHECK_EQ(errno, EBADF);
}

static void shared_listener(void *arg)
{
    struct door d = { .listener = kit_listen(own, 100) };
    struct co *acceptors[ACCEPTORS], *clients[CLIENTS];
    void *call[2] = { (void *)(uintptr_t)acceptor, &d };
    pthread_t thread;
    int copy;

    (void)arg;
    for (unsigned i = 0; i < ACCEPTORS; i++) {
        struct co_attr attr = { .on = co_sched_at(i % 2) };

        acceptors[i] = co_spawn(acceptor, &d, &attr);
        CHECK(acceptors[i] != NULL);
    }
    CHECK_EQ(pthread_create(&thread, NULL, kit_thread, call), 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct co_attr attr = { .on = co_sched_at(i % 2) };

        clients[i] = co_spawn(connects, kit_pointer(d.listener), &attr);
        CHECK(clients[i] != NULL);
    }
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(co_join(clients[i], CO_FOREVER), 0);
    while (d.came < CLIENTS)
        nap();
    CHECK((copy = dup(d.listener)) >= 0);
    CHECK_EQ(co_close(d.listener), 0);
    for (int i = 0; i < ACCEPTORS; i++)
        CHECK_EQ(co_join(acceptors[i], CO_FOREVER), 0);
    CHECK_EQ(pthread_join(thread, NULL), 0);
    /* Not before: who looks once more holds the flag for that one call. */
    CHECK(own == !!(fcntl(copy, F_GETFL) & O_NONBLOCK));
    CHECK_EQ(close(copy), 0);
}

/* ---- Who cannot connect
 * --------------------------------------------------------- */

static void refused(void *arg)
{
    int listener = kit_listen(true, 1);
    struct sockaddr_in name = kit_name(listener);
    struct sockaddr_un nowhere = { AF_UNIX, "/nonexistent/socket" };
    int fd;

    (void)arg;
    CHECK_EQ(co_close(listener), 0);
    fd = new_socket(AF_INET);
    CHECK_EQ(try_connect(fd, &name, sizeof name, SOON()), -1);
    CHECK_EQ(errno, ECONNREFUSED);
    CHECK_EQ(co_close(fd), 0);
    fd = new_socket(AF_UNIX);
    CHECK_EQ(try_connect(fd, &nowhere, sizeof nowhere, SOON()), -1);
    CHECK_EQ(errno, ENOENT);
    CHECK_EQ(try_connect(fd, &nowhere, 1, SOON()), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(co_close(fd), 0);
    CHECK_EQ(co_connect(fd, (struct sockaddr *)&name, sizeof name, SOON()), -1);
    CHECK_EQ(errno, EBADF);
    fd = open("/dev/null", O_RDONLY);
    CHECK_EQ(co_connect(fd, (struct sockaddr *)&name, sizeof name, SOON()), -1);
    CHECK_EQ(errno, ENOTSOCK);
    CHECK_EQ(co_accept(fd, NULL, NULL, SOON()), -1);
    CHECK_EQ(errno, ENOTSOCK);
    CHECK_EQ(co_close(fd), 0);
}

struct attempt {
    int fd;
    const void *name;
    socklen_t len;
};

static void connect_cancelled(void *arg)
{
    struct attempt *a = arg;

    for (int i = 0; i < 2; i++) {
        CHECK_EQ(try_connect(a->fd, a->name, a->len, CO_FOREVER), -1);
        CHECK_EQ(errno, ECANCELED);
    }
}

static void connect_closed(void *arg)
{
    struct attempt *a = arg;

    CHECK_EQ(co_connect(a->fd, a->name, a->len, CO_FOREVER), -1);
    CHECK_EQ(errno, EBADF);
}

/* The other side does not answer: late, cancelled, closed meanwhile. */
static void unanswered(const void *name, socklen_t len, int domain)
{
    struct attempt a = { new_socket(domain), name, len };
    struct co *c;

    CHECK_EQ(try_connect(a.fd, name, len, LATE()), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_close(a.fd), 0);
    a.fd = new_socket(domain);
    CHECK_EQ(try_connect(a.fd, name, len, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(co_close(a.fd), 0);
    a.fd = new_socket(domain);
    CHECK((c = co_spawn(connect_cancelled, &a, NULL)) != NULL);
    nap();
    co_cancel(c);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    CHECK_EQ(co_close(a.fd), 0);
    a.fd = new_socket(domain);
    CHECK((c = co_spawn(connect_closed, &a, NULL)) != NULL);
    nap();
    CHECK_EQ(co_close(a.fd), 0);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
}

/* A listener whose queue is full drops what else comes. */
static void full_tcp(void *arg)
{
    int listener = kit_listen(own, 0), fds[8], n = 0;
    struct sockaddr_in name = kit_name(listener);

    (void)arg;
    do
        fds[n] = co_socket(AF_INET, SOCK_STREAM, 0);
    while (co_connect(fds[n++], (struct sockaddr *)&name, sizeof name,
                      co_after(20 * CO_MSEC)) == 0 &&
           n < 8);
    CHECK_EQ(errno, ETIMEDOUT);
    unanswered(&name, sizeof name, AF_INET);
    while (n > 0)
        CHECK_EQ(co_close(fds[--n]), 0);
    CHECK_EQ(co_close(listener), 0);
}

static void accept_later(void *arg)
{
    int fd;

    nap();
    fd = co_accept(kit_int(arg), NULL, NULL, SOON());
    CHECK(fd >= 0);
    CHECK_EQ(co_close(fd), 0);
}

static void full_unix(void *arg)
{
    struct sockaddr_un any = { .sun_family = AF_UNIX }, name;
    int listener = new_socket(AF_UNIX), first, second;
    socklen_t len = sizeof name;

    (void)arg;
    CHECK_EQ(bind(listener, (struct sockaddr *)&any,
                  offsetof(struct sockaddr_un, sun_path)),
             0);
    CHECK_EQ(getsockname(listener, (struct sockaddr *)&name, &len), 0);
    CHECK_EQ(listen(listener, 0), 0);
    first = new_socket(AF_UNIX);
    CHECK_EQ(try_connect(first, &name, len, SOON()), 0);
    unanswered(&name, len, AF_UNIX);
    CHECK_EQ(co_go(accept_later, kit_pointer(listener)), 0);
    second = new_socket(AF_UNIX);
    CHECK_EQ(try_connect(second, &name, len, SOON()), 0);
    CHECK_EQ(co_close(first), 0);
    CHECK_EQ(co_close(second), 0);
    CHECK_EQ(co_close(listener), 0);
}

int main(void)
{
    static co_fn *const cases[] = { accepts, shared_listener, refused, full_tcp,
                                    full_unix };

    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        own = i % 2;
        fprintf(stderr, "  %zu %s\n", i / 2, own ? "own" : "foreign");
        kit_both(cases[i / 2], NULL);
    }
    return 0;
}
