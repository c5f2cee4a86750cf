/* http_epoll.c - the HTTP responder that corten is measured against: one
 * thread, one edge-triggered epoll set, written by hand for one kind of
 * request.
 *
 * It does what any server has to and no more: finds where a request ends,
 * whether it is a GET for /greet/NAME, and answers with the name and the date,
 * which it makes once a second.  No other field is looked at, nothing is
 * refused but what is no GET, nobody is timed out.  All requests of one read
 * are answered in one write.  A connection has no memory here unless a request
 * came in pieces.  A peer that does not take its answers is dropped: textbook
 * servers queue here, which costs nothing as long as it does not happen.
 *
 *     http_epoll 127.0.0.1:8080
 *
 * SPDX-License-Identifier: MIT
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 * 1024,
    ANSWER_MAX = 256,
    NAME_MAX_BYTES = 64,
    EVENTS_A_CALL = 512,
    HUNG_UP = EPOLLRDHUP | EPOLLHUP | EPOLLERR,
    INTEREST = EPOLLIN | EPOLLRDHUP | (int)EPOLLET,
};

/* The beginning of a request whose end has not come. */
struct rest {
    size_t len;
    char data[READ_BYTES];
};

struct server {
    int epfd;
    int listener;
    size_t slots;
    struct rest **rests; /* by fd; nearly all of them NULL */
    time_t second;
    char date[64];
    char in[2 * READ_BYTES];
    char out[READ_BYTES / 16 * ANSWER_MAX]; /* no request is shorter */
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

static void update_date(struct server *s)
{
    struct timespec now;
    struct tm tm;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == s->second)
        return;
    s->second = now.tv_sec;
    (void)strftime(s->date, sizeof s->date, "%a, %d %b %Y %T GMT",
                   gmtime_r(&s->second, &tm));
}

/* Writes the answer to the request of len bytes at p; NULL for another kind. */
static char *answer(struct server *s, char *out, const char *p, size_t len)
{
    static const char get[] = "GET /greet/";
    static const char text[] = "HTTP/1.1 200 OK\r\nDate: ";
    static const char type[] = "\r\nContent-Type: text/plain; charset=utf-8"
                               "\r\nContent-Length: ";
    const char *name = p + sizeof get - 1, *end;

    if (len < sizeof get || memcmp(p, get, sizeof get - 1) != 0)
        return NULL;
    end = memchr(name, ' ', len - (sizeof get - 1));
    if (end == NULL || end - name > NAME_MAX_BYTES)
        return NULL;
    memcpy(out, text, sizeof text - 1);
    out += sizeof text - 1;
    memcpy(out, s->date, 29);
    out += 29;
    memcpy(out, type, sizeof type - 1);
    out += sizeof type - 1;
    return out + sprintf(out, "%d\r\n\r\nhello, %.*s\n", (int)(end - name) + 8,
                         (int)(end - name), name);
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
    if (s->rests[fd] == NULL || len > READ_BYTES)
        return false;
    memmove(s->rests[fd]->data, p, len);
    s->rests[fd]->len = len;
    return true;
}

/* Answers the requests that have come; false when that was the last. */
static bool answer_all(struct server *s, int fd, size_t len)
{
    char *p = s->in, *end = s->in + len, *out = s->out, *stop;

    update_date(s);
    while ((stop = memmem(p, (size_t)(end - p), "\r\n\r\n", 4)) != NULL) {
        out = answer(s, out, p, (size_t)(stop - p));
        if (out == NULL)
            return false;
        p = stop + 4;
    }
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
        n = recv(fd, s->in + had, READ_BYTES, 0);
        if (n <= 0)
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        if (!answer_all(s, fd, had + (size_t)n))
            return false;
        if (n < READ_BYTES && !(events & HUNG_UP))
            return true;
    }
}

static int listen_on(const char *text, struct sockaddr_in *addr)
{
    static const int on = 1;
    char host[64];
    unsigned short port;
    socklen_t len = sizeof *addr;
    int fd;

    memset(addr, 0, sizeof *addr);
    addr->sin_family = AF_INET;
    if (sscanf(text, "%63[0-9.]:%hu", host, &port) != 2 ||
        inet_pton(AF_INET, host, &addr->sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    addr->sin_port = htons(port);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (struct sockaddr *)addr, len) == 0 &&
        listen(fd, SOMAXCONN) == 0 &&
        getsockname(fd, (struct sockaddr *)addr, &len) == 0)
        return fd;
    (void)close(fd);
    return -1;
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

    s.listener = listen_on(argc > 1 ? argv[1] : "127.0.0.1:8080", &addr);
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
    printf("listening on 127.0.0.1:%u\n", ntohs(addr.sin_port));
    if (fflush(stdout) != EOF)
        loop(&s);
    perror("http_epoll");
    return 1;
}
