/* http_parts.c - where the parts of a multipart body begin and end.
 *
 * A delimiter is the CR LF before the boundary, the boundary, and what is left
 * of its line: nothing but blanks, or the "--" of the last one.  The search
 * looks for its CR.  At the start of the body, and right behind a head, the
 * CR LF before it may be missing: it is the one of the line before.
 *
 * RFC 2046 leaves open what a line is that begins with the boundary and goes on
 * with something else.  Programs differ there, so it is refused: nobody can
 * show one of them other parts than us.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parts.h"
#include <string.h>

enum state {
    START,     /* of the body */
    PREAMBLE,  /* before the first delimiter */
    DELIMITER, /* behind a boundary */
    HEAD,
    FIRST, /* behind a head */
    DATA,
    DONE
};

/* What a turn found, for the loop: an event, or go on. */
enum { GO_ON = -1 };

static bool is_boundary(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           (c != '\0' && strchr("'()+_,-./:=? ", c) != NULL);
}

int http_parts_start(struct http_parts *p, const char *boundary)
{
    size_t len = strlen(boundary);

    if (len < 1 || len > HTTP_BOUNDARY_MAX || boundary[len - 1] == ' ')
        return -1;
    for (size_t i = 0; i < len; i++)
        if (!is_boundary(boundary[i]))
            return -1;
    memcpy(p->delimiter, "\r\n--", 4);
    memcpy(p->delimiter + 4, boundary, len);
    p->delimiter_len = (uint8_t)(len + 4);
    p->state = START;
    return 0;
}

static int fail(struct http_parts *p, int status, const char *why)
{
    p->error = status;
    p->why = why;
    return HTTP_PARTS_BROKEN;
}

static int need_more(struct http_parts *p, bool end)
{
    if (end)
        return fail(p, 400, "the body ends within a part");
    return HTTP_PARTS_MORE;
}

/* Where the delimiter begins, whole or as much of it as there is; len if
 * nowhere. */
static size_t find_delimiter(const struct http_parts *p, const char *buf,
                             size_t len)
{
    const char *s = buf, *end = buf + len;

    while ((s = memchr(s, '\r', (size_t)(end - s))) != NULL) {
        size_t n = (size_t)(end - s);

        if (memcmp(s, p->delimiter,
                   n < p->delimiter_len ? n : p->delimiter_len) == 0)
            return (size_t)(s - buf);
        s++;
    }
    return len;
}

/* Without the CR LF before it. */
static int at_start(struct http_parts *p, const char *buf, size_t len, bool end,
                    size_t *taken)
{
    bool in_part = p->state == FIRST;
    size_t need = p->delimiter_len - 2;
    size_t n = len < need ? len : need;

    if (memcmp(buf, p->delimiter + 2, n) != 0) {
        p->state = in_part ? DATA : PREAMBLE;
        return GO_ON;
    }
    if (n < need)
        return need_more(p, end);
    *taken = need;
    p->state = DELIMITER;
    return in_part ? HTTP_PARTS_END : GO_ON;
}

static int in_data(struct http_parts *p, const char *buf, size_t len, bool end,
                   size_t *taken, struct http_parts_found *found)
{
    bool in_part = p->state == DATA;
    size_t n = find_delimiter(p, buf, len);

    if (n > 0) {
        *taken = n;
        *found = (struct http_parts_found){ buf, n };
        return in_part ? HTTP_PARTS_DATA : GO_ON;
    }
    if (len < p->delimiter_len)
        return need_more(p, end);
    *taken = p->delimiter_len;
    p->state = DELIMITER;
    return in_part ? HTTP_PARTS_END : GO_ON;
}

/* The rest of a delimiter's line. */
static int behind_boundary(struct http_parts *p, const char *buf, size_t len,
                           bool end, size_t *taken)
{
    bool last = len >= 2 && memcmp(buf, "--", 2) == 0;
    size_t n = last ? 2 : 0;

    if (len == 1 && *buf == '-')
        return need_more(p, end);
    while (n < len && (buf[n] == ' ' || buf[n] == '\t'))
        n++;
    if (n > p->head_max)
        return fail(p, 413, "too many blanks behind a boundary");
    if (n == len && last && end) {
        p->state = DONE;
        return GO_ON;
    }
    if (n == len || (n + 1 == len && buf[n] == '\r'))
        return need_more(p, end);
    if (n + 1 == len || memcmp(buf + n, "\r\n", 2) != 0)
        return fail(p, 400, "there is something behind a boundary");
    *taken = n + 2;
    p->state = last ? DONE : HEAD;
    return GO_ON;
}

static int in_head(struct http_parts *p, const char *buf, size_t len, bool end,
                   size_t *taken, struct http_parts_found *found)
{
    size_t limit = (size_t)p->head_max + 2;
    const char *blank;

    if (len >= 2 && memcmp(buf, "\r\n", 2) == 0)
        return fail(p, 400, "a part without a head");
    blank = memmem(buf, len < limit ? len : limit, "\r\n\r\n", 4);
    if (blank == NULL && len >= limit)
        return fail(p, 413, "the head of a part is too long");
    if (blank == NULL)
        return need_more(p, end);
    *found = (struct http_parts_found){ buf, (size_t)(blank - buf) + 2 };
    *taken = found->len + 2;
    p->state = FIRST;
    return HTTP_PARTS_HEAD;
}

enum http_parts_event http_parts_next(struct http_parts *p, const char *buf,
                                      size_t len, bool end, size_t *taken,
                                      struct http_parts_found *found)
{
    int event = GO_ON;
    size_t n;

    for (*taken = 0; event == GO_ON; *taken += n) {
        const char *at = buf + *taken;
        size_t left = len - *taken;

        n = 0;
        if (p->state == DONE)
            return HTTP_PARTS_LAST;
        if (left == 0)
            event = need_more(p, end);
        else if (p->state == START || p->state == FIRST)
            event = at_start(p, at, left, end, &n);
        else if (p->state == DELIMITER)
            event = behind_boundary(p, at, left, end, &n);
        else if (p->state == HEAD)
            event = in_head(p, at, left, end, &n, found);
        else
            event = in_data(p, at, left, end, &n, found);
    }
    return (enum http_parts_event)event;
}
