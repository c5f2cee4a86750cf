/* http_start.c - the first line of a message.
 *
 * A chain of parts: one that is not complete leaves its state and position and
 * is called again with more bytes.  Parts return 1 when they are complete, 0
 * for more bytes, -1 for an error.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_framing.h"
#include "net/http_scan.h"

enum { METHOD_MAX = 32, EMPTY_LINES_MAX = 4 };

static int empty_lines(struct http_head *h, const char *buf, uint32_t len)
{
    while (h->pos < len && (buf[h->pos] == '\r' || buf[h->pos] == '\n')) {
        int r = http_line_end(h, buf, len, NULL);

        if (r <= 0)
            return r;
        if (++h->empty_lines > EMPTY_LINES_MAX)
            return http_head_fail(h, 400, "empty lines instead of a request");
    }
    return h->pos < len;
}

static uint8_t method_of(const char *m, uint32_t len)
{
    switch (len) {
    case 3:
        return memcmp(m, "GET", 3) == 0   ? HTTP_GET
               : memcmp(m, "PUT", 3) == 0 ? HTTP_PUT
                                          : HTTP_OTHER;
    case 4:
        return memcmp(m, "POST", 4) == 0   ? HTTP_POST
               : memcmp(m, "HEAD", 4) == 0 ? HTTP_HEAD
                                           : HTTP_OTHER;
    case 5:
        return memcmp(m, "PATCH", 5) == 0   ? HTTP_PATCH
               : memcmp(m, "TRACE", 5) == 0 ? HTTP_TRACE
                                            : HTTP_OTHER;
    case 6:
        return memcmp(m, "DELETE", 6) == 0 ? HTTP_DELETE : HTTP_OTHER;
    case 7:
        return memcmp(m, "OPTIONS", 7) == 0   ? HTTP_OPTIONS
               : memcmp(m, "CONNECT", 7) == 0 ? HTTP_CONNECT
                                              : HTTP_OTHER;
    }
    return HTTP_OTHER;
}

static int method(struct http_head *h, const char *buf, uint32_t len)
{
    uint32_t end = h->method.at + METHOD_MAX;
    uint32_t pos = h->pos;

    if (end > len)
        end = len;
    while (pos < end && !http_scan_has(&http_stop_token, buf[pos]))
        pos++;
    h->pos = pos;
    if (pos == len)
        return 0;
    if (buf[pos] != ' ' || pos == h->method.at) {
        if (pos - h->method.at == METHOD_MAX)
            return http_head_fail(h, 501, "a method of more than 32 bytes");
        return http_head_fail(h, 400, "no method");
    }
    h->method.len = pos - h->method.at;
    h->method_id = method_of(buf + h->method.at, h->method.len);
    h->target.at = h->pos = pos + 1;
    h->state = AT_PATH;
    return 1;
}

static int target(struct http_head *h, const char *buf, uint32_t len)
{
    uint32_t end = h->target.at + h->target_max;
    const char *p = buf + h->pos;
    const char *limit = buf + (end < len ? end : len);

    if (h->state == AT_PATH) {
        p = http_scan(p, limit, &http_stop_path);
        if (p < limit && *p == '?') {
            h->query.at = (uint32_t)(++p - buf);
            h->state = AT_QUERY;
        }
    }
    if (h->state == AT_QUERY)
        p = http_scan(p, limit, &http_stop_query);
    h->pos = (uint32_t)(p - buf);
    if (h->pos == len)
        return 0;
    if (*p != ' ' || h->pos == h->target.at) {
        if (h->pos - h->target.at == h->target_max)
            return http_head_fail(h, 414, "the target is too long");
        return http_head_fail(h, 400, "a byte that no target may have");
    }
    h->target.len = h->pos - h->target.at;
    if (h->query.at != 0)
        h->query.len = h->pos - h->query.at;
    h->pos++;
    h->state = AT_VERSION;
    return 1;
}

/* Starts at at; the rest of the line is not looked at. */
static int version(struct http_head *h, const char *buf, uint32_t len,
                   uint32_t at)
{
    static const char form[] = "HTTP/1.1";

    if (h->pos == at && len - at >= 8 && memcmp(buf + at, form, 8) == 0) {
        h->pos = at + 8;
        h->minor = 1;
        return 1;
    }
    for (; h->pos < at + 8; h->pos++) {
        uint32_t i = h->pos - at;

        if (h->pos == len)
            return 0;
        char c = buf[h->pos];
        bool number = c >= '0' && c <= '9';
        if (i == 5 && number && c != '1')
            return http_head_fail(h, 505, "a version other than 1.0 and 1.1");
        if (i == 7 ? !number : c != form[i])
            return http_head_fail(h, 400, "no version at the end of the line");
    }
    h->minor = buf[at + 7] != '0';
    return 1;
}

/* The line that most requests have, if all of it is there: at once, and without
 * what only others need. */
static bool usual_line(struct http_head *h, const char *buf, uint32_t len)
{
    const char *end = buf + len;
    const char *p = buf + 4;

    if (len < 16 || memcmp(buf, "GET /", 5) != 0)
        return false;
    p = http_scan(p, end, &http_stop_path);
    uint32_t path_end = (uint32_t)(p - buf);
    if (p < end && *p == '?') {
        h->query.at = path_end + 1;
        p = http_scan(p + 1, end, &http_stop_query);
        h->query.len = (uint32_t)(p - buf) - h->query.at;
    }
    uint32_t target_end = (uint32_t)(p - buf);
    if (end - p < 11 || target_end - 4 > h->target_max ||
        memcmp(p, " HTTP/1.1\r\n", 11) != 0) {
        h->query.at = h->query.len = 0;
        return false;
    }
    h->method.len = 3;
    h->method_id = HTTP_GET;
    h->target.at = h->path.at = 4;
    h->target.len = target_end - 4;
    h->path.len = path_end - 4;
    h->minor = 1;
    h->fields_at = h->pos = target_end + 11;
    h->state = AT_LINE;
    return true;
}

int http_request_line(struct http_head *h, const char *buf, uint32_t len)
{
    int r;

    switch (h->state) {
    case AT_START:
        if (h->pos == 0 && usual_line(h, buf, len))
            return 1;
        if ((r = empty_lines(h, buf, len)) <= 0)
            return r;
        h->method.at = h->pos;
        h->state = AT_METHOD;
        /* fall through */
    case AT_METHOD:
        if ((r = method(h, buf, len)) <= 0)
            return r;
        /* fall through */
    case AT_PATH:
    case AT_QUERY:
        if ((r = target(h, buf, len)) <= 0)
            return r;
        /* fall through */
    case AT_VERSION:
        r = version(h, buf, len, h->target.at + h->target.len + 1);
        if (r <= 0)
            return r;
        h->state = AT_LINE_END;
        /* fall through */
    default:
        if ((r = http_line_end(h, buf, len, "more behind the version")) <= 0)
            return r;
        h->fields_at = h->pos;
        h->state = AT_LINE;
        return http_target_split(h, buf) < 0 ? -1 : 1;
    }
}

/* A space, three digits, and a space, which may be missing before CR. */
static int code(struct http_head *h, const char *buf, uint32_t len)
{
    for (;; h->pos++) {
        uint32_t i = h->pos - 8;

        if (h->pos == len)
            return 0;
        char c = buf[h->pos];
        if (i >= 1 && i <= 3 && c >= '0' && c <= '9') {
            h->status = (uint16_t)(h->status * 10 + c - '0');
        } else if (i == 4 && h->status >= 100 && (c == ' ' || c == '\r')) {
            h->pos += c == ' ';
            h->reason.at = h->pos;
            h->state = AT_REASON;
            return 1;
        } else if (i != 0 || c != ' ') {
            return http_head_fail(h, 400, "no status code");
        }
    }
}

static int reason(struct http_head *h, const char *buf, uint32_t len)
{
    uint32_t end = h->reason.at + h->target_max;
    const char *limit = buf + (end < len ? end : len);
    const char *p = http_scan(buf + h->pos, limit, &http_stop_text);

    h->pos = (uint32_t)(p - buf);
    if (h->pos == len)
        return 0;
    if (h->pos == end && *p != '\r')
        return http_head_fail(h, 400, "the status line is too long");
    h->reason.len = h->pos - h->reason.at;
    h->state = AT_LINE_END;
    return 1;
}

int http_status_line(struct http_head *h, const char *buf, uint32_t len)
{
    int r;

    switch (h->state) {
    case AT_START:
        if ((r = version(h, buf, len, 0)) <= 0)
            return r;
        h->state = AT_CODE;
        /* fall through */
    case AT_CODE:
        if ((r = code(h, buf, len)) <= 0)
            return r;
        /* fall through */
    case AT_REASON:
        if ((r = reason(h, buf, len)) <= 0)
            return r;
        /* fall through */
    default:
        if ((r = http_line_end(h, buf, len, "a control byte in a reason")) <= 0)
            return r;
        h->fields_at = h->pos;
        h->state = AT_LINE;
        return 1;
    }
}
