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

/* All of it, in pieces that each have their time. */
int http_send(struct http_work *w, const struct iovec *iov, int count)
{
    struct iovec some[4];
    int64_t timeout = w->server->config.write_timeout;
    size_t skip = 0; /* of iov[0] */

    while (count > 0 && !w->dead) {
        size_t len = 0;
        int n = 0;

        for (int i = 0; i < count && n < 4 && len < HTTP_PIECE; i++, n++) {
            some[n] = iov[i];
            if (i == 0) {
                some[n].iov_base = (char *)some[n].iov_base + skip;
                some[n].iov_len -= skip;
            }
            if (some[n].iov_len > HTTP_PIECE - len)
                some[n].iov_len = HTTP_PIECE - len;
            len += some[n].iov_len;
        }
        if (net_writev(w->conn, some, n, http_now() + timeout) < 0) {
            w->dead = true;
            return -1;
        }
        for (len += skip; count > 0 && len >= iov->iov_len; count--, iov++)
            len -= iov->iov_len;
        skip = len;
    }
    return w->dead ? -1 : 0;
}

int http_stream(struct http_response *res, int status)
{
    struct http_work *w = http_work_of_response(res);

    if (res->streaming || res->body_len > 0 || !http_status_final(status)) {
        errno = EINVAL;
        return -1;
    }
    res->bodiless =
        w->head.method_id == HTTP_HEAD || http_status_bodiless(status);
    if (w->head.minor == 0 && !res->bodiless)
        res->close = true;
    /* The handler may still read the body; if it does not, the connection ends
     * without having said so. */
    if (!w->head.keep_alive || http_last_one(w) || w->body_error != 0 ||
        !http_body_announced(w))
        res->close = true;
    if (res->type == HTTP_TYPE_NONE && !http_status_bodiless(status))
        res->type = HTTP_TYPE_BYTES;
    w->now = http_now();
    if (http_head_bound(w) > w->arena - w->out && http_flush(w) < 0) {
        errno = EPIPE;
        return -1;
    }
    res->chunked = w->head.minor > 0 && !http_status_bodiless(status);
    w->out += (uint32_t)http_head_format(w, w->area + w->out, status, -1);
    res->streaming = true;
    res->status = (uint16_t)status;
    if (http_flush(w) < 0) {
        errno = EPIPE;
        return -1;
    }
    return 0;
}

int http_stream_write(struct http_work *w, const char *buf, size_t len)
{
    struct http_response *res = &w->res;
    char size[20];
    struct iovec iov[] = { { size, 0 },
                           { (void *)buf, len },
                           { (void *)"\r\n", 2 } };
    int r;

    if (w->dead) {
        errno = EPIPE;
        return -1;
    }
    if (res->bodiless || len == 0)
        return 0;
    res->sent += len;
    if (!res->chunked)
        return http_send(w, iov + 1, 1);
    r = snprintf(size, sizeof size, "%zx\r\n", len);
    iov[0].iov_len = (size_t)r;
    return http_send(w, iov, 3);
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
