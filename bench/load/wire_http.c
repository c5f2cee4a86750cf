/* wire_http.c - GET /greet/NAME, or /heavy/NAME for a heavy one, and whether
 * the reply is "hello, NAME\n" with status 200.
 *
 * A server's heads are the same for a second, until its date changes, so one
 * that is equal to the last one that was read needs no reading.  Bodies are
 * found by Content-Length alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/wire.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    HEAD_MAX = 4096, /* of a reply */
    BODY = 7 + WIRE_STAMP + 1,
    REQUEST_MAX = 128,
    DATA_MAX = 1 << 18, /* that comes at once, see link.c */
};

static const char light[] = "GET /greet/", heavy[] = "GET /heavy/";
static const char behind[] = " HTTP/1.1\r\nHost: corten\r\n\r\n";

static const struct options *options;
static char *requests;
static char *joined; /* the beginning of a reply, and what came after it */
static char head[HEAD_MAX];
static size_t head_len; /* of the head that was read last */

static int http_open(const struct options *o)
{
    options = o;
    requests = malloc((size_t)o->depth * REQUEST_MAX);
    joined = malloc(HEAD_MAX + BODY + DATA_MAX);
    return requests == NULL || joined == NULL ? -1 : 0;
}

static const char *http_request(const struct round *r, size_t *len)
{
    char *p = requests;

    for (unsigned i = 0; i < r->count; i++) {
        if (wire_is_heavy(options, r, i)) {
            memcpy(p, heavy, sizeof heavy - 1);
            p += sizeof heavy - 1;
        } else {
            memcpy(p, light, sizeof light - 1);
            p += sizeof light - 1;
        }
        wire_stamp(p, options->same ? 0 : r->first + i);
        p += WIRE_STAMP;
        memcpy(p, behind, sizeof behind - 1);
        p += sizeof behind - 1;
    }
    *len = (size_t)(p - requests);
    return requests;
}

/* What is wrong with the head of len bytes at p, or NULL. */
static const char *read_head(const char *p, size_t len)
{
    static const char status[] = "HTTP/1.1 200 ", field[] = "content-length:";
    static char text[128];
    long length = -1;

    if (len < sizeof status - 1 || memcmp(p, status, sizeof status - 1) != 0) {
        (void)snprintf(text, sizeof text, "a reply begins '%.*s'",
                       (int)strcspn(p, "\r\n"), p);
        return text;
    }
    for (const char *line = p; line < p + len;
         line = (const char *)memchr(line, '\n', (size_t)(p + len - line)) + 1)
        if (strncasecmp(line, field, sizeof field - 1) == 0)
            length = atol(line + sizeof field - 1);
    if (length != BODY) {
        (void)snprintf(text, sizeof text, "Content-Length is %ld, not %d",
                       length, BODY);
        return text;
    }
    memcpy(head, p, len);
    head_len = len;
    return NULL;
}

/* Keeps the beginning of a reply for when the rest comes. */
static const char *keep(struct round *r, const char *p, size_t len)
{
    r->rest_len = len;
    if (len == 0)
        return NULL;
    if (r->rest == NULL)
        r->rest = malloc(HEAD_MAX + BODY);
    if (r->rest == NULL)
        return strerror(errno);
    memcpy(r->rest, p, len);
    return NULL;
}

static const char *check_body(const struct round *r, const char *body)
{
    static const char hello[] = "hello, ";
    static char text[128];
    char name[WIRE_STAMP];

    wire_stamp(name, options->same ? 0 : r->first + r->done);
    if (memcmp(body, hello, 7) == 0 &&
        memcmp(body + 7, name, WIRE_STAMP) == 0 && body[BODY - 1] == '\n')
        return NULL;
    (void)snprintf(text, sizeof text,
                   "a body is '%.*s' instead of 'hello, %.*s'", BODY - 1, body,
                   WIRE_STAMP, name);
    return text;
}

static const char *http_reply(struct round *r, const char *data, size_t len)
{
    const char *p = data, *end = data + len, *why;

    if (r->rest_len > 0) {
        memcpy(joined, r->rest, r->rest_len);
        memcpy(joined + r->rest_len, data, len);
        p = joined;
        end = joined + r->rest_len + len;
    }
    for (; r->done < r->count && p < end; r->done++) {
        size_t left = (size_t)(end - p);

        if (head_len == 0 || left < head_len ||
            memcmp(p, head, head_len) != 0) {
            size_t most = left < HEAD_MAX ? left : HEAD_MAX;
            const char *stop = memmem(p, most, "\r\n\r\n", 4);

            if (stop == NULL && left < HEAD_MAX)
                return keep(r, p, left);
            if (stop == NULL)
                return "the head of a reply is too long";
            why = read_head(p, (size_t)(stop + 4 - p));
            if (why != NULL)
                return why;
        }
        if (left < head_len + BODY)
            return keep(r, p, left);
        why = check_body(r, p + head_len);
        if (why != NULL)
            return why;
        p += head_len + BODY;
    }
    r->rest_len = 0;
    return p < end ? "bytes behind the last reply" : NULL;
}

const struct wire wire_http = { http_open, http_request, http_reply };
