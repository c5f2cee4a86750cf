/* http_framing.c - the fields that say where a message ends and what follows.
 *
 * Each such field is noted as it comes; at the end of the head the notes are
 * weighed against each other as RFC 9112 6.3 and 9.3 say.  Two messages hidden
 * in one are made of framing that two readers understand differently, so
 * anything that is not clear is an error.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_framing.h"

enum {
    SEEN_LENGTH = 1 << 0,
    SEEN_ENCODING = 1 << 1,     /* a Transfer-Encoding field */
    SEEN_CHUNKED = 1 << 2,      /* among the codings */
    SEEN_CHUNKED_LAST = 1 << 3, /* as the last one so far */
    SEEN_CODING = 1 << 4,       /* another one */
    SEEN_CLOSE = 1 << 5,
    SEEN_KEEP_ALIVE = 1 << 6,
    SEEN_UPGRADE = 1 << 7, /* the option of Connection */
};

static inline bool space(char c) { return c == ' ' || c == '\t'; }

/* The next member of a list, without the space around it, or NULL; empty ones
 * are passed over (RFC 9110 5.6.1.2).  *p goes on behind it. */
static const char *member(const char **p, const char *end, size_t *len)
{
    const char *s = *p;

    while (s < end && (space(*s) || *s == ','))
        s++;
    if (s == end)
        return NULL;
    const char *e = s;
    while (e < end && *e != ',')
        e++;
    *p = e;
    while (space(e[-1]))
        e--;
    *len = (size_t)(e - s);
    return s;
}

static int length(struct http_head *h, const char *p, const char *end)
{
    int64_t n = 0;

    if (h->seen & SEEN_LENGTH)
        return http_head_fail(h, 400, "more than one Content-Length");
    h->seen |= SEEN_LENGTH;
    if (p == end)
        return http_head_fail(h, 400, "an empty Content-Length");
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';

        if (digit > 9)
            return http_head_fail(h, 400, "Content-Length is not a number");
        if (n > (INT64_MAX - (int64_t)digit) / 10)
            return http_head_fail(h, 413, "Content-Length is too large");
        n = n * 10 + (int64_t)digit;
    }
    h->content_length = n;
    return 0;
}

static int encoding(struct http_head *h, const char *p, const char *end)
{
    const char *word;
    size_t len;

    h->seen |= SEEN_ENCODING;
    while ((word = member(&p, end, &len)) != NULL) {
        if (len != 7 || !http_same(word, "chunked", 7)) {
            h->seen |= SEEN_CODING;
            h->seen &= (uint16_t)~SEEN_CHUNKED_LAST;
        } else if (h->seen & SEEN_CHUNKED) {
            return http_head_fail(h, 400, "chunked more than once");
        } else {
            h->seen |= SEEN_CHUNKED | SEEN_CHUNKED_LAST;
        }
    }
    return 0;
}

static void connection(struct http_head *h, const char *p, const char *end)
{
    const char *word;
    size_t len;

    while ((word = member(&p, end, &len)) != NULL) {
        if (len == 5 && http_same(word, "close", 5))
            h->seen |= SEEN_CLOSE;
        else if (len == 10 && http_same(word, "keep-alive", 10))
            h->seen |= SEEN_KEEP_ALIVE;
        else if (len == 7 && http_same(word, "upgrade", 7))
            h->seen |= SEEN_UPGRADE;
    }
}

static int host(struct http_head *h, const char *p, const char *end,
                const char *limit)
{
    if (h->status != 0)
        return 0;
    if (h->host >= 0)
        return http_head_fail(h, 400, "more than one Host");
    if (!http_authority_valid(p, end, limit))
        return http_head_fail(h, 400, "Host is not host[:port]");
    h->host = (int32_t)h->count;
    return 0;
}

static void expect(struct http_head *h, const char *p, size_t len)
{
    if (len == 12 && http_same(p, "100-continue", 12) &&
        h->expect != HTTP_EXPECT_UNKNOWN)
        h->expect = HTTP_EXPECT_CONTINUE;
    else
        h->expect = HTTP_EXPECT_UNKNOWN;
}

int http_framing_field(struct http_head *h, const char *buf, uint32_t len)
{
    const struct http_field *f = &h->fields[h->count];
    const char *name = buf + f->name.at;
    const char *value = buf + f->value.at;
    const char *end = value + f->value.len;

    switch (f->name.len) {
    case 4:
        if (http_same(name, "host", 4))
            return host(h, value, end, buf + len);
        break;
    case 6:
        if (http_same(name, "expect", 6))
            expect(h, value, f->value.len);
        break;
    case 7:
        if (h->upgrade < 0 && http_same(name, "upgrade", 7))
            h->upgrade = (int32_t)h->count;
        break;
    case 10:
        if (http_same(name, "connection", 10))
            connection(h, value, end);
        break;
    case 14:
        if (http_same(name, "content-length", 14))
            return length(h, value, end);
        break;
    case 17:
        if (http_same(name, "transfer-encoding", 17))
            return encoding(h, value, end);
        break;
    }
    return 0;
}

/* The faults of requests and responses alike. */
static int transfer(struct http_head *h)
{
    if (h->minor == 0)
        return http_head_fail(h, 400, "Transfer-Encoding in HTTP/1.0");
    if (h->seen & SEEN_LENGTH)
        return http_head_fail(h, 400,
                              "both Content-Length and Transfer-Encoding");
    if (!(h->seen & SEEN_CHUNKED_LAST))
        return http_head_fail(h, 400,
                              "the last transfer coding is not chunked");
    if (h->seen & SEEN_CODING)
        return http_head_fail(h, 501, "a transfer coding other than chunked");
    h->body = HTTP_BODY_CHUNKED;
    return 0;
}

/* Close wins over keep-alive (9.3). */
static void persistence(struct http_head *h)
{
    if (h->seen & SEEN_CLOSE)
        h->keep_alive = false;
    else
        h->keep_alive = h->minor > 0 || (h->seen & SEEN_KEEP_ALIVE) != 0;
    if (h->minor == 0 || !(h->seen & SEEN_UPGRADE))
        h->upgrade = -1;
}

int http_framing_request(struct http_head *h)
{
    if (h->host < 0 && h->minor > 0)
        return http_head_fail(h, 400, "no Host");
    if (h->authority.len == 0 && h->form != HTTP_AUTHORITY && h->host >= 0)
        h->authority = h->fields[h->host].value;
    if (h->seen & SEEN_ENCODING) {
        if (transfer(h) < 0)
            return -1;
    } else if (h->content_length > 0) {
        h->body = HTTP_BODY_LENGTH;
    }
    /* An HTTP/1.0 client knows no 100 (RFC 9110 10.1.1). */
    if (h->minor == 0)
        h->expect = HTTP_EXPECT_NONE;
    persistence(h);
    return 0;
}

int http_framing_response(struct http_head *h, enum http_method asked)
{
    bool tunnel =
        h->status == 101 || (asked == HTTP_CONNECT && h->status / 100 == 2);
    bool empty = asked == HTTP_HEAD || h->status / 100 == 1 ||
                 h->status == 204 || h->status == 304;

    persistence(h);
    if (tunnel) {
        h->body = HTTP_BODY_TUNNEL;
    } else if ((h->seen & SEEN_ENCODING) != 0) {
        if (transfer(h) < 0)
            return -1;
        if (empty)
            h->body = HTTP_BODY_NONE;
    } else if (empty || h->content_length == 0) {
        h->body = HTTP_BODY_NONE;
    } else if (h->content_length > 0) {
        h->body = HTTP_BODY_LENGTH;
    } else {
        h->body = HTTP_BODY_CLOSE;
        h->keep_alive = false;
    }
    return 0;
}
