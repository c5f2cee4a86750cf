/* loop.c - see loop.h.
 *
 * A connection is registered once, for everything, and costs one read and one
 * write a request beside its share of an epoll_wait.  A read that came back
 * short has drained the socket, so none follows it; what arrives later, a FIN
 * included, makes an edge of its own.  Only when the peer has already hung up
 * does the loop read on to the end, since no further edge will come.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/loop.h"
#include "bench/servers/kit/conn.h"
#include "bench/servers/kit/idle.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS_A_CALL = 512, /* a longer batch only adds latency */
    PAUSE_MS = 100,      /* until accepting is tried again, out of fds */
    HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    INTEREST = EPOLLIN | EPOLLOUT | EPOLLRDHUP | (int)EPOLLET,
};

struct member {
    struct idle_member idle;
    struct conn conn; /* fd 0: not in use */
};

struct loop {
    const struct service *service;
    int epfd;
    int source;
    bool paused; /* accepting, because of a lack of fds */
    struct idle idle;
    struct member *members; /* by fd */
    size_t slots;
    struct conn_scratch scratch;
};

int loop_accept(int listener)
{
    int fd;

    do
        fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
    return fd;
}

static int watch(struct loop *l, int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    return epoll_ctl(l->epfd, op, fd, &event);
}

static void pause_accepting(struct loop *l, bool pause)
{
    if (watch(l, EPOLL_CTL_MOD, l->source, pause ? 0 : EPOLLIN) == 0)
        l->paused = pause;
}

static void hang_up(struct loop *l, struct member *m)
{
    idle_leave(&m->idle);
    conn_end(&m->conn);
    m->conn.fd = 0;
    if (l->paused)
        pause_accepting(l, false);
}

/* False at the end of the source. */
static bool accept_all(struct loop *l, loop_next *next)
{
    int fd;

    while ((fd = next(l->source)) >= 0) {
        service_no_delay(fd);
        if ((size_t)fd >= l->slots ||
            watch(l, EPOLL_CTL_ADD, fd, (uint32_t)INTEREST) < 0) {
            (void)close(fd);
            continue;
        }
        l->members[fd].conn = (struct conn){ .fd = fd };
        idle_join(&l->idle, &l->members[fd].idle);
    }
    if (errno == EPIPE)
        return false;
    if (errno != EAGAIN)
        pause_accepting(l, true);
    return true;
}

static void on_event(struct loop *l, int fd, uint32_t events)
{
    struct member *m = &l->members[fd];
    enum conn_want want = CONN_READ;

    if (m->conn.fd == 0) /* ended before its turn in this batch */
        return;
    idle_touch(&l->idle, &m->idle);
    /* A new connection reports that it can be written before it has data. */
    if (m->conn.out != NULL || events & (EPOLLIN | HUNG_UP))
        want = conn_serve(&m->conn, &l->scratch, events & HUNG_UP, false);
    /* Arming again makes an edge of what is there, behind everybody who is
     * waiting by now. */
    if (want == CONN_MORE &&
        watch(l, EPOLL_CTL_MOD, fd, (uint32_t)INTEREST) < 0)
        want = CONN_CLOSE;
    if (want == CONN_CLOSE)
        hang_up(l, m);
}

static int turn(struct loop *l, loop_next *next)
{
    static struct epoll_event events[EVENTS_A_CALL];
    struct member *silent;
    int n;

    while ((silent = idle_expired(&l->idle)) != NULL)
        hang_up(l, silent);
    n = epoll_wait(l->epfd, events, EVENTS_A_CALL,
                   l->paused ? PAUSE_MS : (int)idle_wait(&l->idle));

    if (n < 0 && errno != EINTR)
        return -1;
    if (n == 0 && l->paused)
        pause_accepting(l, false);
    idle_clock(&l->idle);
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd != l->source)
            on_event(l, events[i].data.fd, events[i].events);
        else if (!accept_all(l, next))
            return 1;
    }
    return 0;
}

int loop_run(const struct service *s, int source, loop_next *next)
{
    struct loop *l = calloc(1, sizeof *l);
    struct rlimit limit;
    int r = 0;

    if (l == NULL || getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    l->service = l->scratch.answer.service = s;
    l->source = source;
    idle_init(&l->idle, s->idle_s);
    l->slots = limit.rlim_cur;
    l->members = calloc(l->slots, sizeof(*l->members));
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (l->members == NULL || l->epfd < 0 ||
        watch(l, EPOLL_CTL_ADD, source, EPOLLIN) < 0)
        return -1;
    while (r == 0)
        r = turn(l, next);
    return r < 0 ? -1 : 0;
}
