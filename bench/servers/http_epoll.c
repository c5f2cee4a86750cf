/* http_epoll.c - the HTTP responder that corten is measured against: one
 * thread, one edge-triggered epoll set, written by hand for one kind of
 * request.
 *
 * It does what any server has to and no more: greet.h has what it knows of
 * HTTP.  Nothing is refused but what is no GET, nobody is timed out.  All
 * requests of one read are answered in one write.  A connection has no memory
 * here unless a request came in pieces.  A peer that does not take its answers
 * is dropped: textbook servers queue here, which costs nothing as long as it
 * does not happen.
 *
 *     http_epoll 127.0.0.1:8080
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/greet.h"
#include "bench/servers/listen.h"
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum {
    EVENTS_A_CALL = 512,
    HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    INTEREST = EPOLLIN | EPOLLRDHUP | (int)EPOLLET,
};

/* The beginning of a request whose end has not come. */
struct rest {
    size_t len;
    char data[GREET_READ];
};

struct server {
    int epfd;
    int listener;
    size_t slots;
    struct rest **rests; /* by fd; nearly all of them NULL */
    struct greet_date date;
    char in[2 * GREET_READ];
    char out[GREET_OUT];
};

static void hang_up(struct server *s, int fd)
{
    free(s->rests[fd]);
    s->rests[fd] = NULL;
    (void)close(fd);
}

static void accept_all(struct server *s)
{
    static const int on = 1;
    int fd;

    while ((fd = accept4(s->listener, NULL, NULL,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event event = { .events = (uint32_t)INTEREST,
                                     .data.fd = fd };

        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if ((size_t)fd >= s->slots ||
            epoll_ctl(s->epfd, EPOLL_CTL_ADD, fd, &event) < 0)
            (void)close(fd);
    }
}

/* Keeps what is left of len bytes; false when that is too much. */
static bool keep(struct server *s, int fd, const char *p, size_t len)
{
    if (len == 0) {
        free(s->rests[fd]);
        s->rests[fd] = NULL;
        return true;
    }
    if (s->rests[fd] == NULL)
        s->rests[fd] = malloc(sizeof *s->rests[fd]);
    if (s->rests[fd] == NULL || len > GREET_READ)
        return false;
    memmove(s->rests[fd]->data, p, len);
    s->rests[fd]->len = len;
    return true;
}

/* Answers the requests that have come; false when that was the last. */
static bool answer_all(struct server *s, int fd, size_t len)
{
    const char *p = s->in, *end = s->in + len;
    char *out;

    greet_update(&s->date);
    out = greet_answer_all(&s->date, s->out, &p, end);
    if (out == NULL)
        return false;
    if ((p < end || s->rests[fd] != NULL) && !keep(s, fd, p, (size_t)(end - p)))
        return false;
    return out == s->out || send(fd, s->out, (size_t)(out - s->out),
                                 MSG_NOSIGNAL) == out - s->out;
}

static bool serve(struct server *s, int fd, uint32_t events)
{
    for (;;) {
        size_t had = 0;
        ssize_t n;

        if (s->rests[fd] != NULL) {
            had = s->rests[fd]->len;
            memcpy(s->in, s->rests[fd]->data, had);
        }
        n = recv(fd, s->in + had, GREET_READ, 0);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!answer_all(s, fd, had + (size_t)n))
            return false;
        if (n < GREET_READ && !(events & HUNG_UP))
            return true;
    }
}

/* Until epoll fails, or a signal kills the process. */
static void loop(struct server *s)
{
    struct epoll_event events[EVENTS_A_CALL];

    for (;;) {
        int n = epoll_wait(s->epfd, events, EVENTS_A_CALL, -1);

        if (n < 0 && errno != EINTR)
            return;
        for (int i = 0; i < n; i++) {
            int fd = events[i].data.fd;

            if (fd == s->listener)
                accept_all(s);
            else if (!serve(s, fd, events[i].events))
                hang_up(s, fd);
        }
    }
}

int main(int argc, char **argv)
{
    static struct server s;
    struct sockaddr_in addr;
    struct rlimit limit;
    struct epoll_event event = { .events = EPOLLIN };

    s.listener = listen_on(argc > 1 ? argv[1] : "127.0.0.1:8080",
                           SOCK_NONBLOCK | SOCK_CLOEXEC, &addr);
    s.epfd = epoll_create1(EPOLL_CLOEXEC);
    event.data.fd = s.listener;
    if (s.listener < 0 || s.epfd < 0 || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
        epoll_ctl(s.epfd, EPOLL_CTL_ADD, s.listener, &event) < 0) {
        perror("http_epoll");
        return 1;
    }
    s.slots = limit.rlim_cur;
    s.rests = calloc(s.slots, sizeof *s.rests);
    if (s.rests == NULL) {
        perror("http_epoll");
        return 1;
    }
    if (listen_say(&addr) == 0)
        loop(&s);
    perror("http_epoll");
    return 1;
}
