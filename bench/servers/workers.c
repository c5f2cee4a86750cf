/* workers.c - a pool of threads that wait for the same epoll set: each takes a
 * connection that has something to say, reads, answers, gives it back, and may
 * block meanwhile.
 *
 * As good as a pool of threads can be: a ready connection needs no queue, no
 * lock and no hand-over; EPOLLONESHOT gives it to one of them, and whoever has
 * answered takes the next one without going to sleep.  It is given back by
 * epoll_ctl(), which is a system call that a single thread does not need.  One
 * event at a time: a handler that blocks must not keep others that are ready.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/conn.h"
#include "bench/servers/kit/loop.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 64 * 1024, NAP_US = 10000, BUSY = -1 };

struct client {
    struct conn conn;
    atomic_llong
        last; /* s, when it was given back; BUSY, or 0: there is none */
};

static struct service service = { .name = "workers", .threads = 32 };
static struct client *clients; /* by fd */
static size_t slots;
static int listener, epfd;

static long long seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return t.tv_sec + 1;
}

static void arm(struct client *c, int op, enum conn_want want)
{
    struct epoll_event event = { .events = EPOLLONESHOT | EPOLLRDHUP,
                                 .data.ptr = c };

    event.events |= want == CONN_WRITE ? EPOLLOUT : EPOLLIN;
    atomic_store(&c->last, seconds());
    if (epoll_ctl(epfd, op, c->conn.fd, &event) < 0)
        abort();
}

static void *work(void *arg)
{
    struct conn_scratch *s = calloc(1, sizeof *s);
    struct epoll_event event;

    (void)arg;
    if (s == NULL)
        abort();
    s->answer.service = &service;
    for (;;) {
        int n = epoll_wait(epfd, &event, 1, -1);
        struct client *c = event.data.ptr;
        enum conn_want want;

        if (n < 0 && errno != EINTR)
            abort();
        if (n != 1)
            continue;
        /* Takes over what the one before has left. */
        (void)atomic_exchange(&c->last, BUSY);
        want = conn_serve(&c->conn, s, false, true);
        if (want != CONN_CLOSE) {
            arm(c, EPOLL_CTL_MOD, want);
        } else {
            atomic_store(&c->last, 0);
            conn_end(&c->conn);
        }
    }
}

/* Looks once a second.  The peer's end that this makes wakes a worker. */
static void *end_idle(void *arg)
{
    (void)arg;
    for (;;) {
        long long now = seconds();

        for (size_t i = 0; i < slots; i++) {
            long long last = atomic_load(&clients[i].last);

            if (last > 0 && now - last > service.idle_s)
                (void)shutdown((int)i, SHUT_RDWR);
        }
        (void)sleep(1);
    }
    return NULL;
}

static int start_threads(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    int err = pthread_attr_init(&attr);

    if (err == 0)
        err = pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (unsigned i = 0; i < service.threads && err == 0; i++)
        err = pthread_create(&thread, &attr, work, NULL);
    if (err == 0)
        err = pthread_create(&thread, &attr, end_idle, NULL);
    errno = err;
    return err == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    int fd;

    service_parse(&service, argc, argv);
    listener = service_listen(&service, 0);
    epfd = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || epfd < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return service_failed(&service, service.addr);
    slots = limit.rlim_cur;
    clients = calloc(slots, sizeof *clients);
    if (clients == NULL || start_threads() < 0 || service_ready(listener) < 0)
        return service_failed(&service, "threads");
    for (;;) {
        fd = loop_accept(listener);
        if (fd < 0) {
            (void)usleep(NAP_US); /* too many, until some leave */
            continue;
        }
        service_no_delay(fd);
        clients[fd].conn = (struct conn){ .fd = fd };
        arm(&clients[fd], EPOLL_CTL_ADD, CONN_READ);
    }
}
