/* http_threads.c - an HTTP server as a pool of threads: each takes a connection
 * that has something to say, reads, answers, gives it back, and may block
 * meanwhile.
 *
 * As good as this kind can be: all threads wait on one epoll set, so a ready
 * connection needs no queue, no lock and no hand-over; EPOLLONESHOT gives it to
 * one of them, and whoever has answered takes the next one without going to
 * sleep.  It is given back by epoll_ctl(), which is a system call that a single
 * thread does not need.  One event at a time: a handler that blocks must not
 * keep others that are ready.  What is known of HTTP is in greet.h, and is the
 * same as in http_epoll.c.
 *
 *     http_threads 127.0.0.1:8080
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/greet.h"
#include "bench/servers/listen.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>

enum { WORKERS = 32, STACK_BYTES = 64 * 1024, NAP_US = 10000 };

/* The beginning of a request whose end has not come. */
struct rest {
    size_t len;
    char data[GREET_READ];
};

struct server {
    int epfd;
    int listener;
    size_t slots;
    struct rest **rests; /* by fd; whoever has the connection may touch it */
};

struct worker {
    struct server *server;
    struct greet_date date;
    char in[2 * GREET_READ];
    char out[GREET_OUT];
};

static int watch(struct server *s, int op, int fd)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
                                 .data.fd = fd };

    return epoll_ctl(s->epfd, op, fd, &event);
}

static void hang_up(struct server *s, int fd)
{
    free(s->rests[fd]);
    s->rests[fd] = NULL;
    (void)close(fd);
}

/* Keeps what is left of a request; false when that is too much. */
static bool keep(struct rest **rest, const char *p, size_t len)
{
    if (len == 0) {
        free(*rest);
        *rest = NULL;
        return true;
    }
    if (*rest == NULL)
        *rest = malloc(sizeof **rest);
    if (*rest == NULL || len > GREET_READ)
        return false;
    memcpy((*rest)->data, p, len);
    (*rest)->len = len;
    return true;
}

/* Blocks until the client has taken them. */
static bool send_all(int fd, const char *p, const char *end)
{
    while (p < end) {
        ssize_t n = send(fd, p, (size_t)(end - p), MSG_NOSIGNAL);

        if (n < 0 && errno != EINTR)
            return false;
        p += n < 0 ? 0 : n;
    }
    return true;
}

/* Answers what has come; false when the connection is to end. */
static bool serve(struct worker *w, int fd)
{
    struct rest **rest = &w->server->rests[fd];
    const char *p = w->in;
    size_t had = 0;
    char *out;
    ssize_t n;

    if (*rest != NULL) {
        had = (*rest)->len;
        memcpy(w->in, (*rest)->data, had);
    }
    n = recv(fd, w->in + had, GREET_READ, MSG_DONTWAIT);
    if (n <= 0)
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    greet_update(&w->date);
    out = greet_answer_all(&w->date, w->out, &p, w->in + had + n);
    if (out == NULL)
        return false;
    if ((p < w->in + had + n || *rest != NULL) &&
        !keep(rest, p, (size_t)(w->in + had + n - p)))
        return false;
    return send_all(fd, w->out, out);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct server *s = w->server;

    for (;;) {
        struct epoll_event event;
        int n = epoll_wait(s->epfd, &event, 1, -1);

        if (n < 0 && errno != EINTR)
            abort();
        if (n == 1 && (!serve(w, event.data.fd) ||
                       watch(s, EPOLL_CTL_MOD, event.data.fd) < 0))
            hang_up(s, event.data.fd);
    }
}

static int start_workers(struct server *s)
{
    pthread_attr_t attr;
    int err = pthread_attr_init(&attr);

    if (err == 0)
        err = pthread_attr_setstacksize(&attr, STACK_BYTES);
    for (int i = 0; i < WORKERS && err == 0; i++) {
        struct worker *w = calloc(1, sizeof *w);
        pthread_t thread;

        if (w == NULL)
            return -1;
        w->server = s;
        err = pthread_create(&thread, &attr, work, w);
    }
    errno = err;
    return err == 0 ? 0 : -1;
}

/* Until a signal ends the process. */
static void accept_all(struct server *s)
{
    static const int on = 1;

    for (;;) {
        int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0) { /* nearly always: too many, until some leave */
            (void)usleep(NAP_US);
            continue;
        }
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if ((size_t)fd >= s->slots || watch(s, EPOLL_CTL_ADD, fd) < 0)
            (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    static struct server s;
    struct sockaddr_in addr;
    struct rlimit limit;

    s.listener =
        listen_on(argc > 1 ? argv[1] : "127.0.0.1:8080", SOCK_CLOEXEC, &addr);
    s.epfd = epoll_create1(EPOLL_CLOEXEC);
    if (s.listener >= 0 && s.epfd >= 0 &&
        getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        s.slots = limit.rlim_cur;
        s.rests = calloc(s.slots, sizeof(*s.rests));
        if (s.rests != NULL && start_workers(&s) == 0 && listen_say(&addr) == 0)
            accept_all(&s);
    }
    perror("http_threads");
    return 1;
}
