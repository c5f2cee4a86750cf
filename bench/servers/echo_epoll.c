/* echo_epoll.c - the echo server that corten is measured against: one thread,
 * one edge-triggered epoll set, written by hand.
 *
 * A connection is registered once, for everything, and costs one read and one
 * write a request beside its share of an epoll_wait.  A read that came back
 * short has drained the socket, so none follows it; what arrives later, a FIN
 * included, makes an edge of its own.  Only when the peer has already hung up
 * does the loop read on to the end, since no further edge will come.  A
 * connection has no memory here until the peer is too slow to take its echo:
 * then the rest waits in a backlog, and nothing is read before it has gone.
 *
 *     echo_epoll 127.0.0.1:7000
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/listen.h"
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 4096,   /* as much as the corten server takes at once */
    READS_A_TURN = 16,   /* full buffers from one peer before others go on */
    EVENTS_A_CALL = 512, /* a longer batch only adds latency */
    PAUSE_MS = 100,      /* until accepting is tried again, out of fds */
    HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    INTEREST = EPOLLIN | EPOLLOUT | EPOLLRDHUP | (int)EPOLLET,
};

/* What a slow peer has not taken yet. */
struct backlog {
    size_t sent;
    size_t len;
    char data[READ_BYTES];
};

struct server {
    int epfd;
    int listener;
    int signals;
    bool paused;               /* accepting, because of a lack of fds */
    size_t slots;              /* of backlogs: the limit on fds */
    struct backlog **backlogs; /* by fd; nearly all of them NULL */
};

static int watch(struct server *s, int op, int fd, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.fd = fd };

    return epoll_ctl(s->epfd, op, fd, &event);
}

static void pause_accepting(struct server *s, bool pause)
{
    if (watch(s, EPOLL_CTL_MOD, s->listener, pause ? 0 : EPOLLIN) == 0)
        s->paused = pause;
}

static void hang_up(struct server *s, int fd)
{
    free(s->backlogs[fd]);
    s->backlogs[fd] = NULL;
    /* Nothing is owed to the peer; closing takes it out of the epoll set. */
    (void)close(fd);
    if (s->paused)
        pause_accepting(s, false);
}

/* Takes everything that waits in the queue.  The listener is level-triggered,
 * so what an error leaves behind is reported again. */
static void accept_all(struct server *s)
{
    static const int on = 1;

    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0) {
            if (errno != EAGAIN)
                pause_accepting(s, true);
            return;
        }
        /* Fails on a socket that is dead already, which the loop will find. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if ((size_t)fd >= s->slots ||
            watch(s, EPOLL_CTL_ADD, fd, (uint32_t)INTEREST) < 0)
            (void)close(fd);
    }
}

/* Bytes sent, fewer than len when the socket is full, or -1. */
static ssize_t send_some(int fd, const char *data, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n = send(fd, data + sent, len - sent, MSG_NOSIGNAL);

        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)sent;
}

/* 1 when the backlog has gone, 0 when some is left, -1 on an error. */
static int flush_backlog(struct server *s, int fd)
{
    struct backlog *b = s->backlogs[fd];
    ssize_t n = send_some(fd, b->data + b->sent, b->len - b->sent);

    if (n < 0)
        return -1;
    b->sent += (size_t)n;
    if (b->sent < b->len)
        return 0;
    free(b);
    s->backlogs[fd] = NULL;
    return 1;
}

/* 1 when all was sent, 0 when the rest was put aside, -1 on an error. */
static int echo_back(struct server *s, int fd, const char *data, size_t len)
{
    ssize_t n = send_some(fd, data, len);
    struct backlog *b;

    if (n < 0)
        return -1;
    if ((size_t)n == len)
        return 1;
    b = malloc(sizeof *b);
    if (b == NULL)
        return -1;
    b->sent = 0;
    b->len = len - (size_t)n;
    memcpy(b->data, data + n, b->len);
    s->backlogs[fd] = b;
    return 0;
}

/* Echoes what has arrived.  0, or -1 when the connection is to be closed. */
static int serve(struct server *s, int fd, uint32_t events)
{
    char buf[READ_BYTES];
    int turn;

    for (turn = 0; turn < READS_A_TURN; turn++) {
        ssize_t n = recv(fd, buf, sizeof buf, 0);
        int sent;

        if (n <= 0) {
            if (n < 0 && errno == EINTR)
                continue;
            return n < 0 && errno == EAGAIN ? 0 : -1;
        }
        sent = echo_back(s, fd, buf, (size_t)n);
        if (sent <= 0)
            return sent;
        if ((size_t)n < sizeof buf && !(events & HUNG_UP))
            return 0;
    }
    /* There may be more.  Arming again makes an edge of it, behind everybody
     * who is waiting by now. */
    return watch(s, EPOLL_CTL_MOD, fd, (uint32_t)INTEREST);
}

static void on_event(struct server *s, int fd, uint32_t events)
{
    int flushed = 1;

    if (s->backlogs[fd] != NULL) {
        flushed = flush_backlog(s, fd);
        /* Edges that came while nothing was read are forgotten, a FIN's among
         * them, so this time read until there is nothing. */
        events |= HUNG_UP | EPOLLIN;
    }
    /* A new connection reports that it can be written before it has data. */
    if (flushed > 0 && events & (EPOLLIN | HUNG_UP))
        flushed = serve(s, fd, events);
    if (flushed < 0)
        hang_up(s, fd);
}

/* Until a signal comes: 0, or -1 when epoll fails. */
static int loop(struct server *s)
{
    struct epoll_event events[EVENTS_A_CALL];

    for (;;) {
        int n = epoll_wait(s->epfd, events, EVENTS_A_CALL,
                           s->paused ? PAUSE_MS : -1);
        int i;

        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            pause_accepting(s, false);
        for (i = 0; i < n; i++) {
            if (events[i].data.fd == s->signals)
                return 0;
            if (events[i].data.fd == s->listener)
                accept_all(s);
            else
                on_event(s, events[i].data.fd, events[i].events);
        }
    }
}

/* Everything but the listener.  What it opens, the end of the process closes.
 */
static int prepare(struct server *s)
{
    struct rlimit limit;
    sigset_t stop;

    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGINT);
    (void)sigaddset(&stop, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &stop, NULL) < 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    s->slots = limit.rlim_cur;
    s->backlogs = calloc(s->slots, sizeof *s->backlogs);
    s->signals = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    s->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (s->backlogs == NULL || s->signals < 0 || s->epfd < 0 ||
        watch(s, EPOLL_CTL_ADD, s->signals, EPOLLIN) < 0)
        return -1;
    return watch(s, EPOLL_CTL_ADD, s->listener, EPOLLIN);
}

/* Memory alone: what is open, the end of the process closes. */
static void clean_up(struct server *s)
{
    size_t i;

    for (i = 0; i < s->slots && s->backlogs != NULL; i++)
        free(s->backlogs[i]);
    free(s->backlogs);
}

int main(int argc, char **argv)
{
    const char *text = argc > 1 ? argv[1] : "127.0.0.1:7000";
    struct server s = { .paused = false };
    struct sockaddr_in addr;
    char host[INET_ADDRSTRLEN];
    int status = 1;

    s.listener = listen_on(text, SOCK_NONBLOCK | SOCK_CLOEXEC, &addr);
    if (s.listener < 0) {
        perror(text);
        return 1;
    }
    if (prepare(&s) == 0) {
        printf("listening on %s:%u\n",
               inet_ntop(AF_INET, &addr.sin_addr, host, sizeof host),
               ntohs(addr.sin_port));
        if (fflush(stdout) != EOF && loop(&s) == 0)
            status = 0;
    }
    if (status != 0)
        perror("echo_epoll");
    clean_up(&s);
    return status;
}
