/* http_range.c - the field Range.
 *
 *     bytes=0-99, 500-, -20        the first 100, all from 500 on, the last 20
 *
 * Numbers that 64 bits do not hold are taken for the largest that they do: no
 * file is as long.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_range.h"
#include <stdbool.h>
#include <stddef.h>
#include <strings.h>

static bool digit(char c) { return c >= '0' && c <= '9'; }

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static const char *read_number(const char *p, uint64_t *n)
{
    for (*n = 0; digit(*p); p++)
        if (__builtin_mul_overflow(*n, 10, n) ||
            __builtin_add_overflow(*n, (uint64_t)(*p - '0'), n))
            break;
    if (digit(*p))
        *n = UINT64_MAX;
    while (digit(*p))
        p++;
    return p;
}

/* "-20": behind it, or NULL when it is broken. */
static const char *read_suffix(const char *p, uint64_t size,
                               struct http_range *r)
{
    if (!digit(p[1]))
        return NULL;
    p = read_number(p + 1, &r->len);
    if (r->len > size)
        r->len = size;
    r->first = size - r->len;
    return p;
}

/* "500-" or "0-99".  What the file does not have gets the length 0. */
static const char *read_span(const char *p, uint64_t size, struct http_range *r)
{
    uint64_t last = UINT64_MAX;

    if (!digit(*p))
        return NULL;
    p = read_number(p, &r->first);
    if (*p++ != '-')
        return NULL;
    if (digit(*p))
        p = read_number(p, &last);
    if (last < r->first)
        return NULL;
    if (last >= size)
        last = size - 1;
    r->len = r->first < size ? last - r->first + 1 : 0;
    return p;
}

/* The next range of the list: behind it, NULL when it is broken. */
static const char *read_range(const char *p, uint64_t size,
                              struct http_range *r)
{
    p = *p == '-' ? read_suffix(p, size, r) : read_span(p, size, r);
    if (p == NULL)
        return NULL;
    p = skip_space(p);
    return *p == ',' || *p == '\0' ? p : NULL;
}

int http_range_parse(const char *value, uint64_t size, struct http_range *out,
                     unsigned max)
{
    uint64_t left = size; /* of what may be asked for altogether */
    bool asked = false;
    unsigned n = 0;

    if (strncasecmp(value, "bytes=", 6) != 0)
        return 0;
    for (const char *p = value + 6;; asked = true) {
        struct http_range r;

        while (*p == ',' || *p == ' ' || *p == '\t')
            p++;
        if (*p == '\0')
            break;
        p = read_range(p, size, &r);
        if (p == NULL || (size == 0 && r.first == 0))
            return 0;
        if (r.len == 0)
            continue;
        if (n == max || r.len > left)
            return 0;
        left -= r.len;
        out[n++] = r;
    }
    if (n == 0)
        return asked ? -1 : 0;
    return (int)n;
}
