/* http_urlencoded.c - name=value pairs between '&'.
 *
 * Each byte is decoded by one function, so that finding a name, checking and
 * decoding cannot disagree.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_urlencoded.h"
#include <errno.h>
#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that stands at *s, and *s behind it; -1 for what is none. */
static inline int take(const char **s, const char *end)
{
    const char *p = (*s)++;

    if (*p == '+')
        return ' ';
    if (*p != '%')
        return *p == '\0' ? -1 : (unsigned char)*p;
    if (end - p < 3 || hex(p[1]) < 0 || hex(p[2]) < 0)
        return -1;
    *s = p + 3;
    return p[1] == '0' && p[2] == '0' ? -1 : hex(p[1]) << 4 | hex(p[2]);
}

static const char *find(const char *s, const char *end, char c)
{
    const char *found = memchr(s, c, (size_t)(end - s));

    return found == NULL ? end : found;
}

size_t http_urlencoded_count(const char *text, size_t len)
{
    const char *end = text + len, *next;
    size_t n = 0;

    for (; text < end; text = next + 1) {
        next = find(text, end, '&');
        n += next > text;
    }
    return n;
}

static bool valid(const char *text, size_t len)
{
    const char *end = text + len;

    while (text < end)
        if (take(&text, end) < 0)
            return false;
    return true;
}

size_t http_urlencoded_decode(char *dst, const char *src, size_t len)
{
    const char *end = src + len;
    char *out = dst;

    while (src < end)
        *out++ = (char)take(&src, end);
    *out = '\0';
    return (size_t)(out - dst);
}

ssize_t http_urlencoded_split(char *text, size_t len, struct http_pair *pairs)
{
    char *end = text + len, *next;
    struct http_pair *pair = pairs;

    if (!valid(text, len))
        return -1;
    for (char *s = text; s < end; s = next + 1) {
        next = (char *)find(s, end, '&');
        char *equals = (char *)find(s, next, '=');

        if (next == s)
            continue;
        pair->name = s;
        pair->value = "";
        if (equals < next) {
            pair->value = equals + 1;
            (void)http_urlencoded_decode(equals + 1, equals + 1,
                                         (size_t)(next - equals) - 1);
        }
        (void)http_urlencoded_decode(s, s, (size_t)(equals - s));
        pair++;
    }
    return pair - pairs;
}

/* Whether s, decoded, is name. */
static bool is_name(const char *s, const char *end, const char *name)
{
    while (s < end)
        if (take(&s, end) != (unsigned char)*name++)
            return false;
    return *name == '\0';
}

const char *http_urlencoded_find(const char *text, size_t len, const char *name,
                                 size_t *value_len)
{
    const char *end = text + len, *next;

    errno = EBADMSG;
    if (!valid(text, len))
        return NULL;
    for (const char *s = text; s < end; s = next + 1) {
        next = find(s, end, '&');
        const char *equals = find(s, next, '=');

        if (next == s || !is_name(s, equals, name))
            continue;
        *value_len = equals < next ? (size_t)(next - equals) - 1 : 0;
        return equals < next ? equals + 1 : next;
    }
    errno = ENOENT;
    return NULL;
}
