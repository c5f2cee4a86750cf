/* conn.c - see conn.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/conn.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READS_A_TURN = 16 }; /* from one peer before others go on */

/* Bytes sent, fewer than len when the socket is full, or -1. */
static ssize_t send_some(int fd, const char *data, size_t len)
{
    size_t sent = 0;

    while (sent < len) {
        ssize_t n =
            send(fd, data + sent, len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -1;
    }
    return (ssize_t)sent;
}

/* Makes the len bytes at data those of *bytes; they may lie within it. */
static bool keep(struct conn_bytes **bytes, const char *data, size_t len)
{
    if (*bytes == NULL && len > 0)
        *bytes = malloc(sizeof **bytes);
    if (*bytes == NULL)
        return len == 0;
    if (len > sizeof((*bytes)->data))
        return false;
    memmove((*bytes)->data, data, len);
    (*bytes)->at = 0;
    (*bytes)->len = len;
    return true;
}

static void drop(struct conn_bytes **bytes)
{
    free(*bytes);
    *bytes = NULL;
}

enum conn_want conn_flush(struct conn *c)
{
    struct conn_bytes *b = c->out;
    ssize_t n = send_some(c->fd, b->data + b->at, b->len - b->at);

    if (n < 0)
        return CONN_CLOSE;
    b->at += (size_t)n;
    return b->at == b->len ? CONN_READ : CONN_WRITE;
}

/* Answers what is whole of the len bytes at s->in, and keeps the rest. */
static enum conn_want respond(struct conn *c, struct conn_scratch *s,
                              size_t len)
{
    enum conn_want want = CONN_READ;
    struct answer_turn turn;
    size_t at = 0;

    for (; at < len && want == CONN_READ; at += turn.used) {
        ssize_t n;

        if (!answer(&s->answer, s->in + at, len - at, s->out, &turn))
            return CONN_CLOSE;
        if (turn.used == 0)
            break;
        if (turn.heavy)
            service_work(s->answer.service);
        n = send_some(c->fd, turn.out, turn.len);
        if (n < 0)
            return CONN_CLOSE;
        if ((size_t)n < turn.len) {
            if (!keep(&c->out, turn.out + n, turn.len - (size_t)n))
                return CONN_CLOSE;
            want = CONN_WRITE;
        }
    }
    if (at == len)
        drop(&c->in);
    else if (!keep(&c->in, s->in + at, len - at))
        return CONN_CLOSE;
    return want;
}

static size_t take_rest(struct conn *c, struct conn_scratch *s)
{
    if (c->in == NULL)
        return 0;
    memcpy(s->in, c->in->data, c->in->len);
    return c->in->len;
}

/* Sends what waits, and answers what came before it was to wait. */
static enum conn_want resume(struct conn *c, struct conn_scratch *s)
{
    enum conn_want want = conn_flush(c);

    if (want != CONN_READ)
        return want;
    drop(&c->out);
    return c->in == NULL ? CONN_READ : respond(c, s, take_rest(c, s));
}

enum conn_want conn_serve(struct conn *c, struct conn_scratch *s, bool drain,
                          bool once)
{
    for (int turn = 0; turn < READS_A_TURN; turn++) {
        enum conn_want want = CONN_READ;
        size_t had;
        ssize_t n;

        if (c->out != NULL) {
            want = resume(c, s);
            /* Edges that came while nothing was read are forgotten. */
            drain = true;
        }
        if (want != CONN_READ)
            return want;
        had = take_rest(c, s);
        n = recv(c->fd, s->in + had, ANSWER_READ, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 && errno == EAGAIN ? CONN_READ : CONN_CLOSE;
        want = respond(c, s, had + (size_t)n);
        if (want != CONN_READ || once || (n < ANSWER_READ && !drain))
            return want;
    }
    return CONN_MORE;
}

enum conn_want conn_receive(struct conn *c, bool once)
{
    struct conn_bytes *b = c->in;
    bool some = false;

    if (b == NULL) {
        b = c->in = malloc(sizeof *b);
        if (b == NULL)
            return CONN_CLOSE;
        b->at = b->len = 0;
    }
    while (b->len < ANSWER_READ) {
        ssize_t n = recv(c->fd, b->data + b->len, ANSWER_READ, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno != EAGAIN)
            return CONN_CLOSE;
        /* Who has ended still gets the answers to what came before. */
        if (n <= 0)
            return some ? CONN_READ : (n < 0 ? CONN_MORE : CONN_CLOSE);
        b->len += (size_t)n;
        some = true;
        if (once)
            break;
    }
    return CONN_READ;
}

enum conn_want conn_answer(struct conn *c, struct conn_scratch *s)
{
    struct conn_bytes *in = c->in, *out = c->out;
    struct answer_turn turn;
    size_t at = 0;

    if (out == NULL)
        out = c->out = malloc(sizeof *out);
    if (out == NULL)
        return CONN_CLOSE;
    out->at = out->len = 0;
    while (at < in->len && out->len + ANSWER_OUT <= sizeof out->data) {
        size_t some = in->len - at < ANSWER_OUT ? in->len - at : ANSWER_OUT;

        if (!answer(&s->answer, in->data + at, some, s->out, &turn))
            return CONN_CLOSE;
        if (turn.used == 0)
            break;
        if (turn.heavy)
            service_work(s->answer.service);
        memcpy(out->data + out->len, turn.out, turn.len);
        out->len += turn.len;
        at += turn.used;
    }
    (void)keep(&c->in, in->data + at, in->len - at); /* fits: it was there */
    return out->len > 0 ? CONN_WRITE : CONN_READ;
}

void conn_end(struct conn *c)
{
    drop(&c->in);
    drop(&c->out);
    (void)close(c->fd);
}
