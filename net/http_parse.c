/* http_parse.c - the head of a message, from its first byte to its empty line.
 *
 * Parts that are not complete leave their state and position and are called
 * again with more bytes.  Where a limit is, the bytes behind it are not looked
 * at: so what is said about a head does not depend on the pieces in which it
 * came.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parse.h"
#include "net/http_framing.h"
#include "net/http_scan.h"

/* What is looked at; the limits of the caller come long before. */
enum { HEAD_MAX = 1 << 30 };

static inline bool space(char c) { return c == ' ' || c == '\t'; }

static const char *name_fault(const struct http_head *h, const char *buf)
{
    char c = buf[h->pos];

    if (h->pos == h->fields[h->count].name.at)
        return c == ':' ? "a field without a name" : "a byte no name may have";
    return c == ' ' || c == '\t' ? "white space before a colon"
                                 : "a byte no name may have";
}

static __attribute__((noinline)) int field(struct http_head *h, const char *buf,
                                           uint32_t len)
{
    struct http_field *f = &h->fields[h->count];
    const char *end = buf + len;
    const char *p = buf + h->pos;
    int r;

    switch (h->state) {
    case AT_NAME:
        p = http_scan(p, end, &http_stop_token);
        h->pos = (uint32_t)(p - buf);
        if (p == end)
            return 0;
        f->name.len = h->pos - f->name.at;
        if (*p != ':' || f->name.len == 0)
            return http_head_fail(h, 400, name_fault(h, buf));
        p++;
        h->state = AT_SPACE;
        /* fall through */
    case AT_SPACE:
        while (p < end && space(*p))
            p++;
        h->pos = (uint32_t)(p - buf);
        if (p == end)
            return 0;
        f->value.at = h->pos;
        h->state = AT_VALUE;
        /* fall through */
    case AT_VALUE:
        p = http_scan(p, end, &http_stop_text);
        h->pos = (uint32_t)(p - buf);
        if (p == end)
            return 0;
        h->state = AT_VALUE_END;
        /* fall through */
    default:
        if ((r = http_line_end(h, buf, len, "a control byte in a value")) <= 0)
            return r;
        p = buf + h->pos - 2;
        while (p > buf + f->value.at && space(p[-1]))
            p--;
        f->value.len = (uint32_t)(p - buf) - f->value.at;
        if (http_framing_field(h, buf, len) < 0)
            return -1;
        h->count++;
        h->state = AT_LINE;
        return 1;
    }
}

/* Whether the field may be one of those that framing knows. */
static inline bool known(uint32_t name_len)
{
    return name_len < 32 &&
           (1u << name_len &
            (1 << 4 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 14 | 1 << 17)) != 0;
}

/* Lines that are complete and right, one after the other.  The first other one
 * is left to field(), which then looks at its bytes a second time, and says
 * what is wrong or waits in the middle of it. */
static int usual_fields(struct http_head *h, const char *buf, uint32_t len)
{
    const char *end = buf + len;
    const char *name = buf + h->pos;
    struct http_field *f = &h->fields[h->count];
    struct http_field *last = &h->fields[h->fields_max];
    int r = 1;

    for (; f < last && name < end && *name != '\r'; f++) {
        const char *p = http_scan(name, end, &http_stop_token);
        if (p == name || p == end || *p != ':')
            break;
        uint32_t name_len = (uint32_t)(p - name);
        f->name = (struct http_slice){ (uint32_t)(name - buf), name_len };
        while (++p < end && space(*p))
            ;
        const char *value = p;
        p = http_scan(p, end, &http_stop_text);
        if (end - p < 2 || p[0] != '\r' || p[1] != '\n')
            break;
        name = p + 2;
        while (p > value && space(p[-1]))
            p--;
        f->value.at = (uint32_t)(value - buf);
        f->value.len = (uint32_t)(p - value);
        if (known(name_len)) {
            h->count = (uint32_t)(f - h->fields);
            if ((r = http_framing_field(h, buf, len)) < 0)
                break;
            r = 1;
        }
    }
    h->count = (uint32_t)(f - h->fields);
    h->pos = (uint32_t)(name - buf);
    return r;
}

/* 1 at the end of the empty line. */
static int fields(struct http_head *h, const char *buf, uint32_t len)
{
    int r;

    for (;;) {
        if (h->state == AT_LINE) {
            if (usual_fields(h, buf, len) < 0)
                return -1;
            if (h->pos == len)
                return 0;
            char c = buf[h->pos];
            if (c == '\r' || c == '\n')
                return http_line_end(h, buf, len, NULL);
            if (space(c))
                return http_head_fail(h, 400, "a folded line");
            if (h->count == h->fields_max)
                return http_head_fail(h, 431, "too many fields");
            h->fields[h->count].name.at = h->pos;
            h->state = AT_NAME;
        }
        if ((r = field(h, buf, len)) <= 0)
            return r;
    }
}

static int limited_fields(struct http_head *h, const char *buf, uint32_t len)
{
    uint32_t end = h->fields_at + h->bytes_max;
    int r = fields(h, buf, len < end ? len : end);

    if (r == 0 && len > end)
        return http_head_fail(h, 431, "the fields are too long");
    return r;
}

ssize_t http_parse_request(struct http_head *h, const char *buf, size_t len)
{
    uint32_t n = len < HEAD_MAX ? (uint32_t)len : HEAD_MAX;
    int r = 1;

    if (h->error != 0)
        return -1;
    if (h->state < AT_LINE)
        r = http_request_line(h, buf, n);
    if (r > 0 && h->state < AT_END) {
        r = limited_fields(h, buf, n);
        if (r > 0 && (r = http_framing_request(h)) == 0)
            h->state = AT_END;
    }
    return h->state == AT_END ? (ssize_t)h->pos : r;
}

ssize_t http_parse_response(struct http_head *h, const char *buf, size_t len,
                            enum http_method asked)
{
    uint32_t n = len < HEAD_MAX ? (uint32_t)len : HEAD_MAX;
    int r = 1;

    if (h->error != 0)
        return -1;
    if (h->state < AT_LINE)
        r = http_status_line(h, buf, n);
    if (r > 0 && h->state < AT_END) {
        r = limited_fields(h, buf, n);
        if (r > 0 && (r = http_framing_response(h, asked)) == 0)
            h->state = AT_END;
    }
    return h->state == AT_END ? (ssize_t)h->pos : r;
}

int http_field_find(const struct http_head *h, const char *buf,
                    const char *name, int from)
{
    size_t len = strlen(name);

    for (uint32_t i = (uint32_t)from; i < h->count; i++)
        if (h->fields[i].name.len == len &&
            http_same(buf + h->fields[i].name.at, name, len))
            return (int)i;
    return -1;
}
