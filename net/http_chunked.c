/* http_chunked.c - the chunked coding, byte after byte.
 *
 * Only data is skipped over in one step; what is around it are a few bytes,
 * which a table of states would not read faster.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_parse.h"
#include "net/http_scan.h"

enum {
    AT_SIZE, /* its first digit */
    AT_DIGIT,
    AT_SPACE,     /* behind a size: an extension must follow */
    AT_EXTENSION, /* behind the semicolon */
    AT_EXTENSION_REST,
    AT_SIZE_LF,
    AT_DATA,
    AT_DATA_CR,
    AT_DATA_LF,
    AT_TRAILER, /* a trailer field, or the last line, begins */
    AT_NAME,
    AT_VALUE,
    AT_VALUE_LF,
    AT_LAST_LF,
};

enum { DIGITS_MAX = 16 };

static int fail(struct http_chunked *c, int error, const char *why)
{
    c->error = error;
    c->why = why;
    return -1;
}

static bool space(char b) { return b == ' ' || b == '\t'; }

/* Adds a digit, or -1 if b is none. */
static int digit(struct http_chunked *c, char b)
{
    int value = b >= '0' && b <= '9'                     ? b - '0'
                : (b | 0x20) >= 'a' && (b | 0x20) <= 'f' ? (b | 0x20) - 'a' + 10
                                                         : -1;

    if (value < 0)
        return -1;
    c->left = c->left << 4 | (unsigned)value;
    c->line++;
    c->state = AT_DIGIT;
    return 0;
}

/* Long extensions to little data would make somebody read much that counts
 * nowhere. */
static int size_end(struct http_chunked *c)
{
    if (c->line > c->left / 16)
        c->extra += c->line - (uint32_t)(c->left / 16);
    if (c->extra > c->extension_max)
        return fail(c, 400, "chunk extensions are too long");
    c->state = c->left > 0 ? AT_DATA : AT_TRAILER;
    return 0;
}

static int size_byte(struct http_chunked *c, char b)
{
    switch (c->state) {
    case AT_SIZE:
        c->line = 0;
        c->left = 0;
        return digit(c, b) < 0 ? fail(c, 400, "no chunk size") : 0;
    case AT_DIGIT:
        if (c->line < DIGITS_MAX && digit(c, b) == 0)
            return c->left > INT64_MAX ? fail(c, 400, "a chunk is too large")
                                       : 0;
        c->line = 0;
        if (b == '\r') {
            c->state = AT_SIZE_LF;
            return 0;
        }
        /* fall through */
    case AT_SPACE:
        if (b == ';')
            c->state = AT_EXTENSION;
        else if (space(b))
            c->state = AT_SPACE;
        else
            return fail(c, 400, "a chunk size is not a number");
        break;
    case AT_EXTENSION:
        if (!http_scan_has(&http_stop_token, b))
            c->state = AT_EXTENSION_REST;
        else if (!space(b))
            return fail(c, 400, "a chunk extension without a name");
        break;
    case AT_EXTENSION_REST:
        if (b == '\r')
            c->state = AT_SIZE_LF;
        else if (http_scan_has(&http_stop_text, b))
            return fail(c, 400, "a control byte in a chunk extension");
        break;
    case AT_SIZE_LF:
        return b == '\n' ? size_end(c) : fail(c, 400, "CR without LF");
    }
    if (++c->line > c->extension_max)
        return fail(c, 400, "chunk extensions are too long");
    return 0;
}

static int data_end_byte(struct http_chunked *c, char b)
{
    if (b != (c->state == AT_DATA_CR ? '\r' : '\n'))
        return fail(c, 400, "a chunk is longer than its size");
    c->state = c->state == AT_DATA_CR ? AT_DATA_LF : AT_SIZE;
    return 0;
}

static int trailer_byte(struct http_chunked *c, char b)
{
    if (++c->trailer > c->trailer_max)
        return fail(c, 431, "the trailer fields are too long");
    switch (c->state) {
    case AT_TRAILER:
        if (b == '\r') {
            c->state = AT_LAST_LF;
            return 0;
        }
        if (http_scan_has(&http_stop_token, b))
            return fail(c, 400, "a byte no name may have");
        c->state = AT_NAME;
        return 0;
    case AT_NAME:
        if (b == ':')
            c->state = AT_VALUE;
        else if (http_scan_has(&http_stop_token, b))
            return fail(c, 400, "a byte no name may have");
        return 0;
    case AT_VALUE:
        if (b == '\r')
            c->state = AT_VALUE_LF;
        else if (http_scan_has(&http_stop_text, b))
            return fail(c, 400, "a control byte in a value");
        return 0;
    default:
        if (b != '\n')
            return fail(c, 400, "CR without LF");
        c->done = c->state == AT_LAST_LF;
        c->state = AT_TRAILER;
        return 0;
    }
}

ssize_t http_chunked_next(struct http_chunked *c, const char *buf, size_t len,
                          const char **data, size_t *size)
{
    const char *p = buf;
    const char *end = buf + len;
    int r = 0;

    *data = p;
    *size = 0;
    if (c->error != 0)
        return -1;
    while (p < end && !c->done && r == 0) {
        if (c->state == AT_DATA) {
            if (*size > 0)
                break; /* the next piece, for the next call */
            size_t n = (size_t)(end - p);
            *data = p;
            *size = c->left < n ? (size_t)c->left : n;
            p += *size;
            c->left -= *size;
            if (c->left == 0)
                c->state = AT_DATA_CR;
        } else if (c->state < AT_DATA) {
            r = size_byte(c, *p++);
        } else if (c->state < AT_TRAILER) {
            r = data_end_byte(c, *p++);
        } else {
            r = trailer_byte(c, *p++);
        }
    }
    return r < 0 ? -1 : p - buf;
}
