/* link.c - see link.h.
 *
 * A request costs one send and one receive: all links receive into one buffer,
 * which is larger than what comes, so that a link then waits without asking.
 * Only messages that the sockets do not hold are sent and received in turns,
 * since a server may want to be rid of the first bytes before it takes the
 * last.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/link.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>

enum {
    IN_BYTES = 1 << 18,
    SLOW_NS = 10 * 1000 * 1000, /* from byte to byte of a slow client */
};

static char in[IN_BYTES];

/* ---- Open ---------------------------------------------------------------- */

/* Chooses the address to come from; the port is chosen when it connects, so
 * that it need be free only towards that server. */
static int bind_source(const struct link *l)
{
    static const int on = 1;
    struct sockaddr_in from = { .sin_family = AF_INET };
    unsigned count = l->run->options->addresses;

    if (count <= 1)
        return 0;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + l->index % count);
    if (setsockopt(l->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) <
        0)
        return -1;
    return bind(l->fd, (struct sockaddr *)&from, sizeof from);
}

int link_open(struct link *l, int64_t deadline)
{
    static const int on = 1;
    /* Closing with a reset leaves no port in TIME_WAIT. */
    static const struct linger reset = { .l_onoff = 1 };
    const struct sockaddr_in *addr = &l->run->options->addr;

    l->why = NULL;
    l->served = 0;
    l->round.rest_len = 0;
    l->fd = co_socket(AF_INET, SOCK_STREAM, 0);
    if (l->fd >= 0 && bind_source(l) == 0 &&
        setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0 &&
        setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
        co_connect(l->fd, (const struct sockaddr *)addr, sizeof *addr,
                   deadline) == 0)
        return 0;
    if (l->fd >= 0) {
        int err = errno;

        (void)co_close(l->fd); /* nothing was sent on it */
        l->fd = -1;
        errno = err;
    }
    return -1;
}

/* ---- Requests and replies ------------------------------------------------ */

/* The next ones. */
static void begin_round(struct link *l, unsigned count)
{
    struct round *r = &l->round;

    r->first += r->count;
    r->count = count;
    r->done = 0;
    r->got = 0;
}

/* Counts the replies from the one of that number on. */
static void count_replies(struct link *l, unsigned i, int64_t start,
                          int64_t now)
{
    struct run *run = l->run;
    const struct options *o = run->options;
    unsigned n = l->round.done - i;

    l->served += n;
    run->answered += n;
    if (run->counting)
        run->requests += n;
    /* The open loop's count that were meant to be asked for in the time. */
    if (o->rate > 0 ? start < run->from || start >= run->to : !run->counting)
        return;
    for (; i < l->round.done; i++)
        run_note(run, wire_is_heavy(o, &l->round, i), start, now);
}

/* Takes n bytes that came, or what recv said instead. */
static int take(struct link *l, const char *data, ssize_t n)
{
    if (n > 0) {
        l->why = l->run->wire->reply(&l->round, data, (size_t)n);
        return l->why == NULL ? 0 : -1;
    }
    if (n == 0)
        l->why = "the server closed the connection";
    else if (errno == ETIMEDOUT)
        l->why = "no reply in time";
    return -1;
}

/* Sends of the round what goes without waiting, from *sent on.  0 when all of
 * it is gone, 1 when not, or -1. */
static int push(struct link *l, size_t *sent)
{
    size_t len;
    const char *data = l->run->wire->request(&l->round, &len);
    ssize_t n = co_send(l->fd, data + *sent, len - *sent, 0, CO_NOWAIT);

    if (n < 0 && errno != ETIMEDOUT)
        return -1;
    if (n > 0)
        *sent += (size_t)n;
    return *sent < len;
}

/* Sends what did not go at once, and takes what comes meanwhile, until all is
 * sent. */
static int send_in_turns(struct link *l, size_t *sent, int64_t start,
                         int64_t deadline)
{
    void *buf = in;

    for (;;) {
        unsigned done = l->round.done;
        ssize_t n = co_recv_into(l->fd, &buf, sizeof in, CO_NOWAIT);
        int left;

        if (n >= 0 || errno != ETIMEDOUT) {
            if (take(l, in, n) < 0)
                return -1;
            count_replies(l, done, start, co_now());
        } else if (co_fd_wait(l->fd, CO_READ | CO_WRITE, deadline) < 0) {
            return take(l, in, -1);
        }
        left = push(l, sent);
        if (left <= 0)
            return left;
    }
}

static int64_t exchange(struct link *l, unsigned count, int64_t start,
                        int64_t now)
{
    int64_t deadline = now + l->run->options->timeout;
    void *buf = in;
    size_t sent = 0;
    int left;

    begin_round(l, count);
    left = push(l, &sent);
    if (left != 0 && (left < 0 || send_in_turns(l, &sent, start, deadline) < 0))
        return -1;
    while (l->round.done < count) {
        unsigned done = l->round.done;
        ssize_t n = co_recv_into(l->fd, &buf, sizeof in, deadline);

        if (take(l, in, n) < 0)
            return -1;
        now = co_now();
        if (l->round.done > done)
            count_replies(l, done, start, now);
    }
    return now;
}

int64_t link_exchange(struct link *l, unsigned count, int64_t start,
                      int64_t now)
{
    l->run->busy++;
    now = exchange(l, count, start, now);
    l->run->busy--;
    return now;
}

/* Receives one byte if there is one until the deadline; -1 with ETIMEDOUT when
 * there is none. */
static int take_byte(struct link *l, int64_t deadline)
{
    char byte;
    ssize_t n = co_recv(l->fd, &byte, 1, 0, deadline);

    return n < 0 && errno == ETIMEDOUT ? -1 : take(l, &byte, n);
}

int link_exchange_slowly(struct link *l)
{
    int64_t timeout = l->run->options->timeout, next = co_now();
    const char *data;
    size_t len = 1;

    begin_round(l, 1);
    for (size_t i = 0; i < len || l->round.done == 0; i++) {
        bool sending = i < len;

        data = l->run->wire->request(&l->round, &len);
        if (i < len && co_send(l->fd, data + i, 1, 0, co_after(timeout)) < 0)
            return -1;
        sending = i + 1 < len;
        if (take_byte(l, sending ? CO_NOWAIT : co_after(timeout)) < 0 &&
            !(sending && l->why == NULL && errno == ETIMEDOUT))
            return -1;
        next += SLOW_NS;
        if (l->round.done == 0 && co_sleep_until(next) < 0)
            return -1;
    }
    l->run->slow++;
    return 0;
}

/* ---- Close --------------------------------------------------------------- */

int link_close(struct link *l)
{
    ssize_t n;

    if (l->fd < 0)
        return 0;
    n = recv(l->fd, in, sizeof in, MSG_DONTWAIT);
    (void)co_close(l->fd); /* nothing is on its way */
    l->fd = -1;
    if (n <= 0) /* the server may have closed it */
        return 0;
    l->why = "bytes behind the last reply";
    return -1;
}

void link_free(struct link *l)
{
    free(l->round.rest);
    l->round.rest = NULL;
}
