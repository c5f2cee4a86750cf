/* http_stream.c - answers that leave while they are made.
 *
 * A write waits until the socket has taken all of it, so a handler runs no
 * faster than its client reads.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>
#include <stdio.h>

/* ---- The time of a handler -------------------------------------------------
 *
 * Waiting for the client has limits of its own, and the handler's begins anew
 * when the client has sent or taken something.  A limit that the handler set
 * itself holds.
 */

int64_t http_limit_lift(struct http_work *w)
{
    int64_t old = co_limit_deadline(CO_FOREVER);

    if (w->limit != CO_NOWAIT && old == w->limit)
        co_restore_deadline(CO_FOREVER);
    return old;
}

void http_limit_back(struct http_work *w, int64_t old, bool progress)
{
    if (w->limit == CO_NOWAIT || old != w->limit)
        return;
    if (progress)
        w->limit = http_now() + w->server->config.handler_timeout;
    co_restore_deadline(w->limit);
}

/* ---- Sending ---------------------------------------------------------------
 */

int http_send(struct http_work *w, struct net_message *m)
{
    int64_t timeout = w->server->config.write_timeout;
    int64_t old;
    int err = EPIPE;

    m->sent = 0;
    if (!w->dead) {
        old = http_limit_lift(w);
        m->patience = timeout;
        if (net_write_message(w->conn, m, http_now() + timeout) < 0) {
            err = errno;
            w->dead = true;
        }
        http_limit_back(w, old, !w->dead);
    }
    if (!w->dead)
        return 0;
    errno = err;
    return -1;
}

int http_stream(struct http_response *res, int status)
{
    struct http_work *w = http_work_of_response(res);

    if (http_response_check(res) < 0)
        return -1;
    if (res->streaming || res->page || res->body_len > 0 ||
        res->parts != NULL || !http_status_final(status)) {
        errno = EINVAL;
        return -1;
    }
    res->bodiless =
        w->head.method_id == HTTP_HEAD || http_status_bodiless(status);
    if (w->head.minor == 0 && !res->bodiless)
        res->close = true;
    /* The handler may still read the body; if it does not, the connection ends
     * without having said so. */
    if (http_last_one(w) || w->body_error != 0 || !http_body_announced(w))
        res->close = true;
    if (res->type == HTTP_TYPE_NONE && !http_status_bodiless(status))
        res->type = HTTP_TYPE_BYTES;
    w->now = http_now();
    if (http_head_bound(w) > w->arena - w->out && http_flush(w) < 0) {
        errno = EPIPE;
        return -1;
    }
    res->chunked = w->head.minor > 0 && !http_status_bodiless(status);
    w->out += (uint32_t)http_head_format(w, w->area + w->out, status,
                                         status == 205 ? 0 : -1);
    res->streaming = true;
    res->status = (uint16_t)status;
    if (http_flush(w) < 0) {
        errno = EPIPE;
        return -1;
    }
    return 0;
}

/* What would go on for ever would do so without ever waiting for a client: so
 * it lets others run, and ends with the handler's time. */
static int write_nothing(struct http_work *w)
{
    co_yield_now();
    if (w->limit == CO_NOWAIT || co_now() < w->limit)
        return 0;
    errno = ETIMEDOUT;
    return -1;
}

int http_stream_write(struct http_work *w, const char *buf, size_t len)
{
    struct http_response *res = &w->res;
    char size[20];
    struct iovec iov[] = { { size, 0 },
                           { (void *)buf, len },
                           { (void *)"\r\n", 2 } };
    struct net_message m = { .iov = iov, .count = 3 };
    int r;

    if (w->dead) {
        errno = EPIPE;
        return -1;
    }
    if (res->bodiless)
        return write_nothing(w);
    if (len == 0)
        return 0;
    res->sent += len;
    if (!res->chunked) {
        m.iov = iov + 1;
        m.count = 1;
    } else {
        r = snprintf(size, sizeof size, "%zx\r\n", len);
        iov[0].iov_len = (size_t)r;
    }
    return http_send(w, &m);
}

void http_stream_close(struct http_work *w)
{
    static const char last[] = "0\r\n\r\n";

    w->now = http_now();
    if (w->dead || !w->res.chunked || w->res.bodiless)
        return;
    memcpy(w->area + w->out, last, sizeof last - 1);
    w->out += sizeof last - 1;
}
