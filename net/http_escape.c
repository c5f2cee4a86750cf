/* http_escape.c - what would mean something, escaped.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_escape.h"
#include <stdbool.h>
#include <string.h>

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
           c == '-' || c == '.' || c == '_' || c == '~' || c == '/';
}

size_t http_escape_path(char *out, const char *text, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";
    char *p = out;

    for (const char *end = text + len; text < end; text++) {
        if (is_plain(*text)) {
            *p++ = *text;
        } else {
            *p++ = '%';
            *p++ = hex[(unsigned char)*text >> 4];
            *p++ = hex[*text & 15];
        }
    }
    *p = '\0';
    return (size_t)(p - out);
}

/* How many bytes the character at p has, or 0 when it is none that a page may
 * have. */
static size_t character(const unsigned char *p, size_t len)
{
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 1;

    if (n == 1)
        return p[0] >= ' ' && p[0] < 0x7f;
    if (p[0] > 0xf4 || n > len)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    /* The second byte tells what is too long, a surrogate, beyond Unicode or
     * a control. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f) ||
        (p[0] == 0xc2 && p[1] < 0xa0))
        return 0;
    return n;
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    }
    return NULL;
}

size_t http_escape_html(char *out, const char *text, size_t len)
{
    char *p = out;

    for (const char *end = text + len; text < end;) {
        size_t n = character((const unsigned char *)text, (size_t)(end - text));
        const char *from = n == 0 ? "\xef\xbf\xbd" : entity(*text);
        size_t from_len = from != NULL ? strlen(from) : n;

        memcpy(p, from != NULL ? from : text, from_len);
        p += from_len;
        text += n == 0 ? 1 : n;
    }
    *p = '\0';
    return (size_t)(p - out);
}
