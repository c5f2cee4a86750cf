/* http_framing.h - the fields that say where a message ends and what follows.
 *
 * Private to net/: what http_parse.c shares with the files that know the
 * meaning of a part.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FRAMING_H
#define NET_HTTP_FRAMING_H

#include "net/http_parse.h"

/* -1, for the caller to return. */
static inline int http_head_fail(struct http_head *h, int error,
                                 const char *why)
{
    h->error = error;
    h->why = why;
    return -1;
}

/* Whether the n bytes at s are those of a word in lower case, which has n. */
static inline bool http_same(const char *s, const char *lower, size_t n)
{
    /* Setting this bit turns upper case into lower, and nothing else that can
     * stand in a field into a letter or a hyphen. */
    const uint64_t bit = 0x2020202020202020u;
    uint64_t a, b;

    for (; n >= 8; n -= 8, s += 8, lower += 8) {
        memcpy(&a, s, 8);
        memcpy(&b, lower, 8);
        if ((a | bit) != b)
            return false;
    }
    for (; n > 0; n--)
        if ((*s++ | 0x20) != *lower++)
            return false;
    return true;
}

/* Where the parser goes on. */
enum {
    AT_START,
    AT_METHOD,
    AT_PATH,
    AT_QUERY,
    AT_VERSION,
    AT_CODE,
    AT_REASON,
    AT_LINE_END, /* of the first line */
    AT_LINE,     /* a field, or the empty line, begins */
    AT_NAME,
    AT_SPACE, /* before the value */
    AT_VALUE,
    AT_VALUE_END,
    AT_END,
};

/* 1 behind the end of a line, 0 for more bytes, -1 for an error, which why
 * names if it is another byte.  CR stays in place until LF is there, so it
 * needs no state of its own. */
static inline int http_line_end(struct http_head *h, const char *buf,
                                uint32_t len, const char *why)
{
    const char *p = buf + h->pos;
    uint32_t left = len - h->pos;

    if (left >= 2 && p[0] == '\r' && p[1] == '\n') {
        h->pos += 2;
        return 1;
    }
    if (left == 0)
        return 0;
    if (*p == '\n')
        return http_head_fail(h, 400, "a line ends with LF alone");
    if (*p != '\r')
        return http_head_fail(h, 400, why);
    return left == 1 ? 0 : http_head_fail(h, 400, "CR without LF");
}

/* The first line, 1 when it is complete, as far as it goes otherwise. */
int http_request_line(struct http_head *h, const char *buf, uint32_t len);
int http_status_line(struct http_head *h, const char *buf, uint32_t len);

/* Takes note of fields[count]; 0, or -1 for one that is wrong. */
int http_framing_field(struct http_head *h, const char *buf, uint32_t len);

/* What all fields together say: body, keep_alive, upgrade. */
int http_framing_request(struct http_head *h);
int http_framing_response(struct http_head *h, enum http_method asked);

/* Finds the parts of h->target, whose query is known already. */
int http_target_split(struct http_head *h, const char *buf);

/* Whether the bytes up to end are host[:port]; a byte there, if it is before
 * limit, is none that may stand in a host. */
bool http_authority_valid(const char *p, const char *end, const char *limit);

#endif
