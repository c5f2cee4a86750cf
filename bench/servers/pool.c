/* pool.c - a pool of threads behind epoll, in the eight forms that textbooks
 * have.
 *
 *     pool echo|http [ADDRESS] --mode LISTENER,CONNECTIONS,WHO --threads N
 *
 * LISTENER and CONNECTIONS are lt or et, level or edge-triggered: one accept or
 * read an event, or all until there are none.  WHO is reactor: a worker reads,
 * answers and writes; or proactor: the I/O thread reads and writes for them,
 * and they compute.  A connection is armed for one event (EPOLLONESHOT), so
 * that it belongs to one thread at a time.  The I/O thread alone accepts,
 * closes and keeps the timers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/conn.h"
#include "bench/servers/kit/heap.h"
#include "bench/servers/kit/loop.h"
#include "bench/servers/kit/queue.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_A_CALL = 512,
    PAUSE_MS = 100, /* until accepting is tried again, out of fds */
    STACK_BYTES = 128 * 1024
};

struct client {
    struct heap_timer timer; /* first: the heap gives it back */
    struct conn conn;
    int64_t last;     /* ms, of an event */
    atomic_int want;  /* enum conn_want; stored last by who gives it away */
    atomic_bool busy; /* a worker has it */
};

static struct service service = { .name = "pool",
                                  .threads = 8,
                                  .mode = "lt,lt,reactor" };
static struct queue queue = QUEUE_INIT;
static struct heap timers;
static struct client *clients; /* by fd */
static size_t slots;
static int listener, epfd;
static bool paused;
static int64_t now; /* ms */
static struct {
    bool listener_et;
    bool conn_et;
    bool proactor;
} mode;

static int watch(int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    return epoll_ctl(epfd, op, fd, &event);
}

/* Whoever has it gives it away by this. */
static void arm(struct client *c, enum conn_want want)
{
    uint32_t events = EPOLLONESHOT | EPOLLRDHUP;

    events |= want == CONN_WRITE ? EPOLLOUT : EPOLLIN;
    if (mode.conn_et)
        events |= EPOLLET;
    /* What has ended tells at once. */
    if (want == CONN_CLOSE)
        (void)shutdown(c->conn.fd, SHUT_RDWR);
    atomic_store(&c->busy, false);
    atomic_store(&c->want, (int)want);
    if (watch(EPOLL_CTL_MOD, c->conn.fd, events) < 0)
        abort();
}

/* ---- Workers ------------------------------------------------------------- */

static void *work(void *arg)
{
    struct conn_scratch *s = calloc(1, sizeof *s);

    (void)arg;
    if (s == NULL)
        abort();
    s->answer.service = &service;
    for (;;) {
        struct client *c = queue_pop(&queue);

        if (mode.proactor)
            arm(c, conn_answer(&c->conn, s));
        else
            arm(c, conn_serve(&c->conn, s, mode.conn_et, !mode.conn_et));
    }
}

static int start_workers(void)
{
    pthread_attr_t attr;
    pthread_t thread;
    int err = pthread_attr_init(&attr);

    if (err == 0)
        err = pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (unsigned i = 0; i < service.threads && err == 0; i++)
        err = pthread_create(&thread, &attr, work, NULL);
    errno = err;
    return err == 0 ? 0 : -1;
}

/* ---- The I/O thread ------------------------------------------------------ */

static void pause_accepting(bool pause)
{
    uint32_t events = mode.listener_et ? EPOLLIN | (uint32_t)EPOLLET : EPOLLIN;

    if (watch(EPOLL_CTL_MOD, listener, pause ? 0 : events) == 0)
        paused = pause;
}

static void hang_up(struct client *c)
{
    heap_remove(&timers, &c->timer);
    conn_end(&c->conn);
    if (paused)
        pause_accepting(false);
}

static void accept_some(void)
{
    do {
        int fd = loop_accept(listener);
        struct client *c = fd < 0 ? NULL : &clients[fd];

        if (fd < 0) {
            if (errno != EAGAIN)
                pause_accepting(true);
            return;
        }
        service_no_delay(fd);
        c->conn = (struct conn){ .fd = fd };
        c->last = now;
        if (watch(EPOLL_CTL_ADD, fd, 0) < 0) {
            (void)close(fd);
            continue;
        }
        c->timer.when = now + service.idle_s * INT64_C(1000);
        heap_add(&timers, &c->timer);
        arm(c, CONN_READ);
    } while (mode.listener_et);
}

static void hand_over(struct client *c)
{
    atomic_store(&c->busy, true);
    queue_push(&queue, c);
}

/* Reads or writes for a worker. */
static void exchange(struct client *c, enum conn_want want)
{
    if (want == CONN_WRITE) {
        want = conn_flush(&c->conn);
        if (want == CONN_READ && c->conn.in->len > 0) {
            hand_over(c);
            return;
        }
    } else {
        want = conn_receive(&c->conn, !mode.conn_et);
        if (want == CONN_READ) {
            hand_over(c);
            return;
        }
    }
    if (want == CONN_CLOSE)
        hang_up(c);
    else
        arm(c, want);
}

static void on_event(struct client *c)
{
    enum conn_want want = (enum conn_want)atomic_load(&c->want);

    c->last = now;
    if (want == CONN_CLOSE)
        hang_up(c);
    else if (mode.proactor)
        exchange(c, want);
    else
        hand_over(c);
}

/* Ends who was silent for too long: the end that this makes is an event like
 * that of a peer.  ms until the next one may be, or -1. */
static int end_idle(void)
{
    int64_t limit = service.idle_s * INT64_C(1000);

    while (timers.count > 0 && timers.timers[0]->when <= now) {
        struct client *c = (struct client *)timers.timers[0];

        c->timer.when = c->last + limit;
        if (c->timer.when <= now) {
            c->timer.when = now + limit;
            if (!atomic_load(&c->busy))
                (void)shutdown(c->conn.fd, SHUT_RDWR);
        }
        heap_fix(&timers, &c->timer);
    }
    if (paused)
        return PAUSE_MS;
    return timers.count == 0 ? -1 : (int)(timers.timers[0]->when - now);
}

static int loop(void)
{
    static struct epoll_event events[EVENTS_A_CALL];
    struct timespec t;

    for (;;) {
        int n = epoll_wait(epfd, events, EVENTS_A_CALL, end_idle());

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0 && paused)
            pause_accepting(false);
        (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
        now = t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd == listener)
                accept_some();
            else
                on_event(&clients[events[i].data.fd]);
        }
    }
}

static bool parse_mode(void)
{
    static const char *const modes[] = { "lt,lt,reactor",  "lt,et,reactor",
                                         "et,lt,reactor",  "et,et,reactor",
                                         "lt,lt,proactor", "lt,et,proactor",
                                         "et,lt,proactor", "et,et,proactor" };

    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(service.mode, modes[i]) == 0) {
            mode.conn_et = i & 1;
            mode.listener_et = i & 2;
            mode.proactor = i & 4;
            return true;
        }
    }
    fprintf(stderr, "pool: no mode '%s'; lt|et,lt|et,reactor|proactor\n",
            service.mode);
    return false;
}

static int prepare(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    slots = limit.rlim_cur;
    clients = calloc(slots, sizeof(*clients));
    timers.timers = calloc(slots, sizeof(*timers.timers));
    epfd = epoll_create1(EPOLL_CLOEXEC);
    if (clients == NULL || timers.timers == NULL || epfd < 0 ||
        watch(EPOLL_CTL_ADD, listener, 0) < 0 || start_workers() < 0)
        return -1;
    pause_accepting(false);
    return 0;
}

int main(int argc, char **argv)
{
    service_parse(&service, argc, argv);
    if (!parse_mode())
        return 2;
    listener = service_listen(&service, SOCK_NONBLOCK);
    if (listener < 0 || prepare() < 0 || service_ready(listener) < 0)
        return service_failed(&service, service.addr);
    (void)loop();
    return service_failed(&service, "epoll");
}
