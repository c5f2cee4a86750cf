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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

void http_response_open(struct http_work *w)
{
    struct http_response *res = &w->res;

    res->lines = NULL;
    res->lines_end = &res->lines;
    res->lines_len = 0;
    res->type = HTTP_TYPE_NONE;
    res->close = false;
    res->streaming = false;
    res->chunked = false;
    res->status = 0;
    res->body = w->area + w->out + HTTP_GAP;
    res->body_len = 0;
    res->body_room = w->arena - w->out - HTTP_GAP;
    res->big = NULL;
    res->sent = 0;
}

/* ---- Fields ----------------------------------------------------------------
 */

static bool is_token(const char *s)
{
    static const char other[] = "!#$%&'*+-.^_`|~";

    if (*s == '\0')
        return false;
    for (; *s != '\0'; s++)
        if (!((*s >= '0' && *s <= '9') ||
              ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')) &&
            strchr(other, *s) == NULL)
            return false;
    return true;
}

static bool is_value(const char *s)
{
    for (; *s != '\0'; s++)
        if (((unsigned char)*s < ' ' && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

/* 1: to be set; 0: done; -1. */
static int own_field(struct http_response *res, const char *name,
                     const char *value)
{
    if (strcasecmp(name, "Connection") == 0 &&
        strcasecmp(value, "close") == 0) {
        res->close = true;
        return 0;
    }
    if (!is_token(name) || !is_value(value) ||
        strcasecmp(name, "Content-Length") == 0 ||
        strcasecmp(name, "Transfer-Encoding") == 0 ||
        strcasecmp(name, "Connection") == 0 || strcasecmp(name, "Date") == 0) {
        errno = EINVAL;
        return -1;
    }
    if (strcasecmp(name, "Content-Type") == 0)
        res->type = HTTP_TYPE_SET;
    return 1;
}

static void remove_lines(struct http_response *res, const char *name)
{
    struct http_line **at = &res->lines;
    size_t len = strlen(name);

    while (*at != NULL) {
        struct http_line *l = *at;

        if (l->name_len == len && strncasecmp(l->text, name, len) == 0) {
            res->lines_len -= l->len;
            *at = l->next;
        } else {
            at = &l->next;
        }
    }
    res->lines_end = at;
}

int http_add_header(struct http_response *res, const char *name,
                    const char *value)
{
    size_t name_len = strlen(name), value_len = strlen(value);
    size_t len = name_len + value_len + 4;
    int r = own_field(res, name, value);
    struct http_line *l;

    if (r <= 0)
        return r;
    if (len > HTTP_LINES_MAX - res->lines_len) {
        errno = EMSGSIZE;
        return -1;
    }
    l = http_alloc(&http_work_of_response(res)->req, sizeof *l + len);
    if (l == NULL)
        return -1;
    l->next = NULL;
    l->len = (uint32_t)len;
    l->name_len = (uint32_t)name_len;
    memcpy(l->text, name, name_len);
    memcpy(l->text + name_len, ": ", 2);
    memcpy(l->text + name_len + 2, value, value_len);
    memcpy(l->text + len - 2, "\r\n", 2);
    *res->lines_end = l;
    res->lines_end = &l->next;
    res->lines_len += l->len;
    return 0;
}

int http_set_header(struct http_response *res, const char *name,
                    const char *value)
{
    int r = own_field(res, name, value);

    if (r <= 0)
        return r;
    remove_lines(res, name);
    return *value == '\0' ? 0 : http_add_header(res, name, value);
}

/* ---- Body ------------------------------------------------------------------
 */

/* Room for len bytes more. */
__attribute__((noinline)) static int grow(struct http_response *res, size_t len)
{
    struct http_work *w = http_work_of_response(res);
    size_t max = w->server->config.answer_max;
    size_t room = 2 * res->body_room;
    char *big;

    if (len > max || res->body_len > max - len) {
        errno = EMSGSIZE;
        return -1;
    }
    if (room < res->body_len + len)
        room = res->body_len + len;
    big = realloc(res->big, room);
    if (big == NULL)
        return -1;
    if (res->big == NULL)
        memcpy(big, res->body, res->body_len);
    res->body = res->big = big;
    res->body_room = room;
    return 0;
}

static int append(struct http_response *res, const void *buf, size_t len,
                  enum http_type type)
{
    if (res->type == HTTP_TYPE_NONE)
        res->type = (uint8_t)type;
    if (__builtin_expect(res->streaming, 0))
        return http_stream_write(http_work_of_response(res), buf, len);
    if (__builtin_expect(len > res->body_room - res->body_len, 0) &&
        grow(res, len) < 0)
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

/* What is printed while streaming leaves through memory of its own. */
static int print_stream(struct http_response *res, const char *format,
                        va_list args)
{
    char *text;
    int n = vasprintf(&text, format, args);

    if (n < 0)
        return -1;
    n = http_stream_write(http_work_of_response(res), text, (size_t)n);
    free(text);
    return n;
}

static int print(struct http_response *res, const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(res->body + res->body_len, res->body_room - res->body_len,
                  format, args);
    if (n >= 0 && (size_t)n >= res->body_room - res->body_len) {
        if (grow(res, (size_t)n + 1) < 0)
            n = -1;
        else
            n = vsnprintf(res->body + res->body_len,
                          res->body_room - res->body_len, format, again);
    }
    va_end(again);
    if (n < 0)
        return -1;
    res->body_len += (size_t)n;
    return 0;
}

int http_printf(struct http_response *res, const char *format, ...)
{
    va_list args;
    int r;

    if (res->type == HTTP_TYPE_NONE)
        res->type = HTTP_TYPE_TEXT;
    va_start(args, format);
    r = res->streaming ? print_stream(res, format, args)
                       : print(res, format, args);
    va_end(args);
    return r;
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

/* The body is in memory of its own: it leaves at once. */
static void send_big(struct http_work *w, int status, bool head_only)
{
    struct http_response *res = &w->res;
    struct iovec iov[2];

    w->now = http_now();
    if (http_head_bound(w) > w->arena - w->out && http_flush(w) < 0)
        return;
    w->out += (uint32_t)http_head_format(w, w->area + w->out, status,
                                         (int64_t)res->body_len);
    iov[0] = (struct iovec){ w->area, w->out };
    iov[1] = (struct iovec){ res->body, head_only ? 0 : res->body_len };
    w->out = 0;
    (void)http_send(w, iov, 2);
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
    head = http_head_format(
        w, p, status,
        http_status_bodiless(status) ? -1 : (int64_t)res->body_len);
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
    size_t need = res->body_len + http_head_bound(w);

    res->status = (uint16_t)status;
    res->sent = head_only ? 0 : res->body_len;
    if (__builtin_expect(need > w->arena - w->out, 0))
        w->now = http_now();
    if (res->big == NULL && need > w->arena - w->out &&
        (http_flush(w) < 0 || (need > w->arena && grow(res, 1) < 0))) {
        w->dead = true;
        return;
    }
    if (__builtin_expect(res->big == NULL, 1))
        put_small(w, status, head_only);
    else
        send_big(w, status, head_only);
}

/* Instead of what the handler wrote, or because it wrote nothing. */
static void put_error(struct http_work *w, int status, const char *why)
{
    struct http_response *res = &w->res;

    remove_lines(res, "Content-Type");
    remove_lines(res, "Content-Encoding");
    res->type = HTTP_TYPE_TEXT;
    res->body_len = 0;
    if (res->body_room >= HTTP_GAP)
        res->body_len = http_error_text(res->body, res->body_room, status, why);
    put_answer(w, status);
}

void http_response_drop(struct http_work *w)
{
    if (__builtin_expect(w->res.big != NULL, 0))
        free(w->res.big);
    w->res.big = NULL;
}

void http_response_close(struct http_work *w, int status)
{
    struct http_response *res = &w->res;

    if (res->streaming) {
        http_stream_close(w);
    } else if (__builtin_expect(!http_status_final(status), 0)) {
        put_error(w, 500, NULL);
    } else if (http_status_bodiless(status)) {
        res->body_len = 0;
        put_answer(w, status);
    } else if (__builtin_expect(status >= 400 && res->body_len == 0, 0)) {
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
