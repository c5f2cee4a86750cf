/* load_echo.c - see load_echo.h.
 *
 * It has to be cheaper than any server, or it is what is measured: one
 * edge-triggered epoll set, one recv and one send a round, one clock read a
 * reply, which ends one round and starts the next.  Load and server cost about
 * the same, since each runs the other's receive path when it sends; and who has
 * fallen behind finds many ready at once, who keeps up asks for each one.  So
 * that this never tips, the load lets a few replies gather before it asks.
 *
 * A connection's messages differ from all others by a number in front; the rest
 * of them is always the same, so that what is expected lies ready in one
 * buffer.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/load_echo.h"
#include "bench/load/histogram.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    STALL_SECONDS = 10, /* no reply for so long is a failure */
    EVENTS_A_CALL = 512,
    CONNECT_BATCH = 256, /* far below any listen queue */
    GATHER_CONNS = 64,   /* with fewer, each reply is taken at once */
    GATHER_EVENTS = 8,   /* so many at a time are enough */
    GATHER_NS = 20000,   /* a server answers five or so in this time */
};

struct load_conn {
    int fd;
    uint32_t got;    /* bytes of this round's replies */
    uint64_t number; /* of the round's first message; no two are the same */
    int64_t sent;    /* when */
};

struct load {
    int epfd;
    unsigned count;
    unsigned busy;    /* connections that wait for a reply */
    uint32_t round;   /* bytes sent at once */
    int64_t now;      /* when the last reply came */
    int64_t stop;     /* no new round from then on */
    int64_t gathered; /* time spent doing nothing */
    struct histogram latency;
    char expected[LOAD_DEPTH_MAX * LOAD_MESSAGE];
    struct load_conn conns[];
};

static int64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    /* Cannot fail: the clocks exist and t is ours. */
    (void)clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Makes l->expected this round's messages of c. */
static void number_messages(struct load *l, const struct load_conn *c)
{
    uint64_t number = c->number;
    uint32_t at;

    for (at = 0; at < l->round; at += LOAD_MESSAGE, number++)
        memcpy(l->expected + at, &number, sizeof number);
}

static int send_round(struct load *l, struct load_conn *c, int64_t now)
{
    ssize_t n;

    c->number += LOAD_DEPTH_MAX;
    c->got = 0;
    c->sent = now;
    number_messages(l, c);
    do
        n = send(c->fd, l->expected, l->round, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n == (ssize_t)l->round)
        return 0;
    /* All that was sent before has come back, so the socket is empty, and its
     * smallest buffer holds a round: a short count is a bug of somebody. */
    if (n >= 0 || errno == EAGAIN)
        errno = EPROTO;
    return -1;
}

/* Takes what has arrived on c.  A short read drains, and what comes later makes
 * an edge of its own, so there is no second one. */
static int receive(struct load *l, struct load_conn *c, int flags)
{
    char buf[LOAD_DEPTH_MAX * LOAD_MESSAGE + 1];
    ssize_t n = recv(c->fd, buf, sizeof buf, flags);
    uint32_t before = c->got;

    if (n < 0 && errno == EINTR)
        return receive(l, c, flags);
    if (n < 0)
        return errno == EAGAIN && flags == MSG_DONTWAIT ? 0 : -1;
    number_messages(l, c);
    if (n == 0 || n > (ssize_t)(l->round - before) ||
        memcmp(buf, l->expected + before, (size_t)n) != 0) {
        errno = n == 0 ? ECONNRESET : EPROTO;
        return -1;
    }
    c->got += (uint32_t)n;
    l->now = clock_ns(CLOCK_MONOTONIC);
    histogram_add(&l->latency, l->now - c->sent,
                  c->got / LOAD_MESSAGE - before / LOAD_MESSAGE);
    if (c->got < l->round)
        return 0;
    if (l->now < l->stop)
        return send_round(l, c, l->now);
    l->busy--;
    return 0;
}

/* Lets some time go by; sleeping would make the server pay for waking us. */
static void gather(struct load *l)
{
    int64_t end = l->now + GATHER_NS;
    int64_t now;

    do
        now = clock_ns(CLOCK_MONOTONIC);
    while (now < end);
    l->gathered += now - l->now;
}

static int run_until_idle(struct load *l)
{
    struct epoll_event events[EVENTS_A_CALL];

    while (l->busy > 0) {
        int n =
            epoll_wait(l->epfd, events, EVENTS_A_CALL, STALL_SECONDS * 1000);
        int i;

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0) {
            errno = ETIMEDOUT;
            return -1;
        }
        for (i = 0; i < n; i++)
            if (receive(l, events[i].data.ptr, MSG_DONTWAIT) < 0)
                return -1;
        if (n < GATHER_EVENTS && l->count >= GATHER_CONNS && l->now < l->stop)
            gather(l);
    }
    return 0;
}

int load_run(struct load *l, int64_t duration, struct load_result *result)
{
    int64_t start = clock_ns(CLOCK_MONOTONIC);
    int64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    unsigned i;

    memset(&l->latency, 0, sizeof l->latency);
    l->stop = start + duration;
    l->gathered = 0;
    l->busy = l->count;
    for (i = 0; i < l->count; i++)
        if (send_round(l, &l->conns[i], clock_ns(CLOCK_MONOTONIC)) < 0)
            return -1;
    if (run_until_idle(l) < 0)
        return -1;
    result->requests = l->latency.total;
    result->elapsed = l->now - start;
    result->cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu - l->gathered;
    result->p99_us = histogram_quantile(&l->latency, 0.99) / 1e3;
    return 0;
}

/* One message and its echo on a connection that is not in the epoll set yet:
 * servers accept in order, so all those before have then been accepted. */
static int await_accept(struct load *l, struct load_conn *c)
{
    uint32_t round = l->round;
    int answered;

    l->round = LOAD_MESSAGE;
    l->busy = 1;
    l->stop = 0;
    answered = send_round(l, c, 0);
    while (answered == 0 && l->busy > 0)
        answered = receive(l, c, 0);
    l->round = round;
    return answered;
}

/* A connected socket, or -1. */
static int open_conn(const struct sockaddr_in *addr)
{
    static const int on = 1;
    static const struct linger reset = { .l_onoff = 1 };
    static const struct timeval patience = { .tv_sec = STALL_SECONDS };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    /* Closing with a reset leaves no port in TIME_WAIT: a run of all cases
     * opens more connections than there are ports. */
    if (setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) ==
            0 &&
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) ==
            0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
        connect(fd, (const struct sockaddr *)addr, sizeof *addr) == 0)
        return fd;
    /* Nothing was sent on it. */
    (void)close(fd);
    return -1;
}

/* Connection number i: 0, or -1 with what was opened counted in l->count. */
static int add_conn(struct load *l, const struct sockaddr_in *addr, unsigned i,
                    bool await)
{
    struct load_conn *c = &l->conns[i];
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = c };

    c->number = (uint64_t)i << 40;
    c->fd = open_conn(addr);
    if (c->fd < 0)
        return -1;
    l->count = i + 1;
    if (await && await_accept(l, c) < 0)
        return -1;
    return epoll_ctl(l->epfd, EPOLL_CTL_ADD, c->fd, &event);
}

struct load *load_open(const struct sockaddr_in *addr, unsigned conns,
                       unsigned depth)
{
    struct load *l = calloc(1, sizeof *l + conns * sizeof l->conns[0]);
    unsigned i;

    if (l == NULL)
        return NULL;
    l->round = depth * LOAD_MESSAGE;
    memset(l->expected, 'x', sizeof l->expected);
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epfd < 0)
        goto fail;
    for (i = 0; i < conns; i++)
        if (add_conn(l, addr, i, i % CONNECT_BATCH == 0 || i + 1 == conns) < 0)
            goto fail;
    return l;
fail:
    load_close(l);
    return NULL;
}

void load_close(struct load *l)
{
    int err = errno;
    unsigned i;

    if (l == NULL)
        return;
    for (i = 0; i < l->count; i++)
        (void)close(l->conns[i].fd);
    if (l->epfd >= 0)
        (void)close(l->epfd);
    free(l);
    errno = err;
}
