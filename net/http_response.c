/* http_response.c - the answer that a handler makes.
 *
 * The body comes first, and the head, which depends on it, when the handler has
 * returned: a gap is left for it, and the body then moved against it.  Answers
 * so stand behind one another in the area and leave in one write.  A body that
 * is too large for the area goes on in memory of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>
#include <stdlib.h>

void http_response_open(struct http_work *w)
{
    struct http_response *res = &w->res;

    res->lines = NULL;
    res->lines_end = &res->lines;
    res->lines_len = 0;
    res->type = HTTP_TYPE_NONE;
    res->close = false;
    res->streaming = false;
    res->page = false;
    res->chunked = false;
    res->failed = false;
    res->status = 0;
    res->body = w->area + w->out + HTTP_GAP;
    res->body_len = 0;
    res->big = NULL;
    res->parts = NULL;
    res->parts_len = 0;
    res->fixed = "";
    res->fixed_len = 0;
    http_response_fit(w);
    res->sent = 0;
}

/* ---- Body ------------------------------------------------------------------
 */

/* Into memory of its own. */
static int move_out(struct http_response *res, size_t room)
{
    char *big = realloc(res->big, room);

    if (big == NULL)
        return -1;
    if (res->big == NULL)
        memcpy(big, res->body, res->body_len);
    res->body = res->big = big;
    res->body_room = room;
    return 0;
}

__attribute__((noinline)) int http_response_grow(struct http_response *res,
                                                 size_t len)
{
    size_t max = http_work_of_response(res)->server->config.answer_max;
    size_t room = 2 * res->body_room;

    res->failed = true;
    if (res->parts != NULL) {
        errno = EINVAL;
        return -1;
    }
    if (len > max || res->body_len > max - len) {
        errno = EMSGSIZE;
        return -1;
    }
    room = room < max ? room : max;
    if (room < res->body_len + len)
        room = res->body_len + len;
    if (move_out(res, room) < 0)
        return -1;
    res->failed = false;
    return 0;
}

static int append(struct http_response *res, const void *buf, size_t len,
                  enum http_type type)
{
    if (http_response_check(res) < 0)
        return -1;
    if (res->type == HTTP_TYPE_NONE)
        res->type = (uint8_t)type;
    if (__builtin_expect(res->streaming, 0))
        return http_stream_write(http_work_of_response(res), buf, len);
    if (__builtin_expect(len > res->body_room - res->body_len, 0) &&
        http_response_grow(res, len) < 0)
        return -1;
    memcpy(res->body + res->body_len, buf, len);
    res->body_len += len;
    return 0;
}

int http_write(struct http_response *res, const void *buf, size_t len)
{
    return append(res, buf, len, HTTP_TYPE_BYTES);
}

int http_text(struct http_response *res, const char *text)
{
    return append(res, text, strlen(text), HTTP_TYPE_TEXT);
}

/* ---- Sending ---------------------------------------------------------------
 */

int http_flush(struct http_work *w)
{
    int64_t deadline;

    if (w->out == 0 || w->dead)
        return w->dead ? -1 : 0;
    deadline = w->now + w->server->config.write_timeout;
    if (net_write(w->conn, w->area, w->out, deadline) < 0)
        w->dead = true;
    w->out = 0;
    return w->dead ? -1 : 0;
}

static uint64_t length_of(const struct http_response *res)
{
    return res->body_len + res->parts_len;
}

/* The body is in memory of its own: it leaves at once. */
static void send_big(struct http_work *w, int status, bool head_only)
{
    struct http_response *res = &w->res;
    struct iovec iov[2];
    struct net_message m = { .iov = iov, .count = 2 };

    w->now = http_now();
    if (http_head_bound(w) > w->arena - w->out && http_flush(w) < 0)
        return;
    w->out += (uint32_t)http_head_format(w, w->area + w->out, status,
                                         (int64_t)length_of(res));
    iov[0] = (struct iovec){ w->area, w->out };
    iov[1] = (struct iovec){ res->body, head_only ? 0 : res->body_len };
    w->out = 0;
    (void)http_send(w, &m);
    w->now = http_now();
}

/* The head, and the body moved against it. */
static void put_small(struct http_work *w, int status, bool head_only)
{
    struct http_response *res = &w->res;
    size_t bound = http_head_bound(w), head;
    char *p = w->area + w->out;

    if (__builtin_expect(bound > (size_t)(res->body - p), 0)) {
        memmove(p + bound, res->body, res->body_len);
        res->body = p + bound;
    }
    head = http_head_format(w, p, status, (int64_t)length_of(res));
    w->out += (uint32_t)head;
    if (head_only)
        return;
    memmove(p + head, res->body, res->body_len);
    w->out += (uint32_t)res->body_len;
}

/* An answer that is put behind the others, or sent. */
static void put_answer(struct http_work *w, int status)
{
    struct http_response *res = &w->res;
    bool head_only = w->head.method_id == HTTP_HEAD;
    size_t need;

    if (__builtin_expect(res->parts != NULL, 0) && !head_only)
        http_parts_copy(w);
    need = res->body_len + http_head_bound(w);
    res->status = (uint16_t)status;
    res->sent = head_only ? 0 : res->body_len;
    if (__builtin_expect(need > w->arena - w->out, 0))
        w->now = http_now();
    if (res->big == NULL && need > w->arena - w->out &&
        (http_flush(w) < 0 ||
         (need > w->arena && move_out(res, res->body_len + 1) < 0))) {
        w->dead = true;
        return;
    }
    if (__builtin_expect(res->big == NULL, 1))
        put_small(w, status, head_only);
    else
        send_big(w, status, head_only);
    if (__builtin_expect(res->parts_len > 0, 0) && !head_only)
        http_parts_send(w);
}

/* The program's page, which may neither wait nor stream. */
static void make_page(struct http_work *w, int status)
{
    int64_t old = co_limit_deadline(CO_NOWAIT);

    w->owner = co_self();
    w->res.page = true;
    w->server->config.error(&w->req, &w->res, status);
    w->owner = NULL;
    (void)co_hold_cancel(false);
    co_restore_deadline(old);
}

/* Instead of what the handler wrote, or because it wrote nothing. */
static void put_error(struct http_work *w, int status, const char *why)
{
    struct http_response *res = &w->res;

    http_parts_drop(res);
    http_response_fit(w);
    http_fields_remove(res, "Content-Type");
    http_fields_remove(res, "Content-Encoding");
    res->fixed_len = 0;
    res->type = HTTP_TYPE_NONE;
    res->body_len = 0;
    res->failed = false;
    if (w->server->config.error != NULL && w->opened)
        make_page(w, status);
    if (res->failed || res->body_len == 0) {
        res->body_len = 0;
        http_fields_remove(res, "Content-Type");
        res->type = HTTP_TYPE_TEXT;
        if (res->big == NULL) /* however small answers have to be */
            res->body_room = (size_t)(w->area + w->arena - res->body);
        if (res->body_room >= HTTP_GAP)
            res->body_len =
                http_error_text(res->body, res->body_room, status, why);
    }
    put_answer(w, status);
}

/* Lent parts are not sent, and last until the head is made: its lines may stand
 * in what they keep. */
static void put_bodiless(struct http_work *w, int status)
{
    struct http_response *res = &w->res;
    struct http_part *parts = res->parts;

    res->parts = NULL;
    res->parts_len = 0;
    res->body_len = 0;
    put_answer(w, status);
    res->parts = parts;
}

void http_response_drop(struct http_work *w)
{
    if (__builtin_expect(w->res.big != NULL, 0))
        free(w->res.big);
    w->res.big = NULL;
    if (__builtin_expect(w->res.parts != NULL, 0))
        http_parts_drop(&w->res);
}

void http_response_close(struct http_work *w, int status)
{
    struct http_response *res = &w->res;

    if (res->streaming) {
        http_stream_close(w);
    } else if (__builtin_expect(res->failed, 0)) {
        put_error(w, status >= 400 && status <= 599 ? status : 500, NULL);
    } else if (__builtin_expect(!http_status_final(status), 0)) {
        put_error(w, 500, NULL);
    } else if (http_status_bodiless(status)) {
        put_bodiless(w, status);
    } else if (__builtin_expect(status >= 400 && length_of(res) == 0, 0)) {
        put_error(w, status, NULL);
    } else {
        put_answer(w, status);
    }
    http_response_drop(w);
}

void http_response_refuse(struct http_work *w, int status, const char *why)
{
    struct http_response *res = &w->res;

    res->close = true;
    w->linger = true;
    res->lines = NULL; /* meant for another answer */
    res->lines_end = &res->lines;
    res->lines_len = 0;
    put_error(w, status, why);
    http_response_drop(w);
}
