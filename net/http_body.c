/* http_body.c - the body of a request, as far as somebody asks for it.
 *
 * A body with a length is read straight into the caller's memory.  A chunked
 * one passes through the input buffer, behind the head, a buffer at a time.
 * Whatever is about to wait for the client first sends what the client may be
 * waiting for: the answers before this one, and 100 Continue.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>

enum { ROOM_MIN = 1024 }; /* of a buffer, worth reading into */

void http_body_open(struct http_work *w)
{
    w->body_done = w->head.body == HTTP_BODY_NONE;
    w->body_error = 0;
    if (w->body_done)
        return;
    w->left =
        w->head.body == HTTP_BODY_LENGTH ? (uint64_t)w->head.content_length : 0;
    w->taken = 0;
    w->piece_len = 0;
    w->patience = w->server->config.body_timeout;
    w->since = 0;
    w->continued = w->head.expect != HTTP_EXPECT_CONTINUE;
    w->chunked.extension_max = 4096;
    w->chunked.trailer_max = w->server->config.head_bytes;
    http_chunked_start(&w->chunked);
}

static int fail(struct http_work *w, int status, int err)
{
    w->body_error = status;
    w->body_errno = errno = err;
    return -1;
}

static int ask_for_it(struct http_work *w)
{
    static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

    w->now = http_now();
    if (!w->continued && !w->res.streaming) {
        /* Small, and in front of the gap. */
        struct iovec iov[] = { { w->area, w->out },
                               { (void *)go_on, sizeof go_on - 1 } };
        struct net_message m = { .iov = iov, .count = 2 };

        w->continued = true;
        w->out = 0;
        return http_send(w, &m);
    }
    return http_flush(w);
}

/* Of the time that the client has for the next HTTP_PIECE bytes, what it took
 * for n. */
static void count_time(struct http_work *w, int64_t took, size_t n)
{
    w->patience -= took;
    w->since += (uint32_t)(n < HTTP_PIECE ? n : HTTP_PIECE);
    if (w->since >= HTTP_PIECE) {
        w->since = 0;
        w->patience = w->server->config.body_timeout;
    }
}

/* What came: > 0, or -1.  Sets body_error unless deadline, which is the
 * caller's, passed first. */
static ssize_t receive(struct http_work *w, void *buf, size_t len,
                       int64_t deadline)
{
    int64_t begun, limit, old;
    ssize_t n;
    int err;

    if (w->dead || ask_for_it(w) < 0)
        return fail(w, 400, EPIPE);
    begun = http_now();
    limit = begun + w->patience;
    old = http_limit_lift(w);
    n = net_read(w->conn, buf, len, deadline < limit ? deadline : limit);
    err = errno;
    http_limit_back(w, old, n > 0);
    count_time(w, http_now() - begun, n > 0 ? (size_t)n : 0);
    if (n > 0) {
        w->continued = true;
        return n;
    }
    if (n == 0)
        return fail(w, 400, ECONNRESET);
    if (err != ETIMEDOUT)
        return fail(w, 400, err);
    if (co_now() >= limit)
        return fail(w, 408, ETIMEDOUT);
    errno = err;
    return -1;
}

/* More input behind the head, which stays where it is. */
static int fill(struct http_work *w, int64_t deadline)
{
    uint32_t keep = 0;
    ssize_t n;

    if (w->in == w->head_buf)
        keep = (uint32_t)(w->base - w->in) + w->head.pos;
    if (NET_BUFFER_BYTES - keep < ROOM_MIN) {
        char *fresh = net_buffer_get();

        if (fresh == NULL)
            return fail(w, 500, ENOMEM);
        w->in = fresh;
        keep = 0;
    }
    w->at = w->end = keep;
    n = receive(w, w->in + keep, NET_BUFFER_BYTES - keep, deadline);
    if (n < 0)
        return -1;
    w->end += (uint32_t)n;
    return 0;
}

/* Some of a chunked body: piece_len is 0 at the end alone. */
static int next_piece(struct http_work *w, int64_t deadline)
{
    while (w->piece_len == 0 && !w->chunked.done) {
        ssize_t n;

        if (w->at == w->end && fill(w, deadline) < 0)
            return -1;
        n = http_chunked_next(&w->chunked, w->in + w->at, w->end - w->at,
                              &w->piece, &w->piece_len);
        if (n < 0)
            return fail(w, w->chunked.error, EBADMSG);
        w->at += (uint32_t)n;
        w->taken += w->piece_len;
        if (w->taken > w->body_max)
            return fail(w, 413, EMSGSIZE);
    }
    w->body_done = w->piece_len == 0;
    return 0;
}

static ssize_t read_chunked(struct http_work *w, void *buf, size_t len,
                            int64_t deadline)
{
    if (next_piece(w, deadline) < 0)
        return -1;
    if (len > w->piece_len)
        len = w->piece_len;
    memcpy(buf, w->piece, len);
    w->piece += len;
    w->piece_len -= len;
    return (ssize_t)len;
}

static ssize_t read_length(struct http_work *w, void *buf, size_t len,
                           int64_t deadline)
{
    if (len > w->left)
        len = (size_t)w->left;
    if (w->at < w->end) {
        if (len > w->end - w->at)
            len = w->end - w->at;
        memcpy(buf, w->in + w->at, len);
        w->at += (uint32_t)len;
    } else {
        ssize_t n = receive(w, buf, len, deadline);

        if (n < 0)
            return -1;
        len = (size_t)n;
    }
    w->left -= len;
    w->body_done = w->left == 0;
    return (ssize_t)len;
}

ssize_t http_body(struct http_request *req, void *buf, size_t len,
                  int64_t deadline)
{
    struct http_work *w = http_work_of(req);

    if (w->res.page) {
        errno = EINVAL;
        return -1;
    }
    if (w->body_error != 0) {
        errno = w->body_errno;
        return -1;
    }
    if (w->body_done || len == 0)
        return 0;
    if (w->head.body == HTTP_BODY_CHUNKED)
        return read_chunked(w, buf, len, deadline);
    return read_length(w, buf, len, deadline);
}

bool http_body_announced(const struct http_work *w)
{
    return w->body_done || w->continued || w->at < w->end;
}

bool http_body_can_skip(const struct http_work *w)
{
    if (w->body_done)
        return true;
    if (w->body_error != 0)
        return false;
    if (!http_body_announced(w))
        return false;
    return w->left <= HTTP_DRAIN_MAX + (w->end - w->at);
}

bool http_body_followed(const struct http_work *w)
{
    uint32_t here = w->end - w->at;

    if (w->body_done)
        return here > 0;
    return w->head.body == HTTP_BODY_LENGTH && here > w->left;
}

int http_body_skip(struct http_work *w)
{
    uint64_t before = w->taken;
    int64_t deadline;

    if (w->body_done)
        return 0;
    w->continued = true;
    deadline = http_now() + w->server->config.body_timeout;
    while (w->head.body == HTTP_BODY_CHUNKED && !w->body_done) {
        w->piece_len = 0;
        if (next_piece(w, deadline) < 0 || w->taken - before > HTTP_DRAIN_MAX)
            return -1;
    }
    while (!w->body_done) {
        uint32_t n = w->end - w->at;

        if (n == 0) {
            if (fill(w, deadline) < 0)
                return -1;
            continue;
        }
        if (n > w->left)
            n = (uint32_t)w->left;
        w->at += n;
        w->left -= n;
        w->body_done = w->left == 0;
    }
    return 0;
}
