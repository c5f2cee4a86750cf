/* text.c - see text.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/text.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 4096, NUMBER = 64, LINE = 256 /* mostly enough */ };

static bool reserve(struct text *t, size_t more)
{
    size_t size = t->size == 0 ? FIRST : t->size;
    char *bytes;

    if (t->failed || t->size - t->len >= more)
        return !t->failed;
    while (size - t->len < more)
        size *= 2;
    bytes = malloc(size);
    if (bytes == NULL) {
        t->failed = true;
        return false;
    }
    if (t->len > 0)
        memcpy(bytes, t->bytes, t->len);
    free(t->bytes);
    t->bytes = bytes;
    t->size = size;
    return true;
}

static void put_bytes(struct text *t, const char *bytes, size_t n)
{
    if (!reserve(t, n))
        return;
    memcpy(t->bytes + t->len, bytes, n);
    t->len += n;
}

void text_free(struct text *t)
{
    free(t->bytes);
    *t = (struct text){ 0 };
}

const char *text_end(struct text *t)
{
    if (!reserve(t, 1))
        return "";
    t->bytes[t->len] = '\0';
    return t->bytes;
}

void text_put(struct text *t, const char *s) { put_bytes(t, s, strlen(s)); }

void text_format(struct text *t, const char *format, ...)
{
    va_list args, again;
    int n;

    if (!reserve(t, LINE))
        return;
    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(t->bytes + t->len, t->size - t->len, format, args);
    if (n >= 0 && (size_t)n >= t->size - t->len && reserve(t, (size_t)n + 1))
        n = vsnprintf(t->bytes + t->len, (size_t)n + 1, format, again);
    if (n >= 0 && !t->failed)
        t->len += (size_t)n;
    va_end(again);
    va_end(args);
}

void text_count(struct text *t, uint64_t n)
{
    char digits[NUMBER], out[NUMBER];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, n), at = 0;

    for (int i = 0; i < len; i++) {
        out[at++] = digits[i];
        if ((len - i - 1) % 3 == 0 && i < len - 1)
            out[at++] = ',';
    }
    put_bytes(t, out, (size_t)at);
}

void text_duration(struct text *t, int64_t ns)
{
    double s = ns < 0 ? 0 : (double)ns / 1e9;

    if (s < 1e-3)
        text_format(t, "%.0f us", s * 1e6);
    else if (s < 1)
        text_format(t, "%.0f ms", s * 1e3);
    else if (s < 100)
        text_format(t, "%.1f s", s);
    else if (s < 100 * 60)
        text_format(t, "%.0f min", s / 60);
    else if (s < 48 * 3600)
        text_format(t, "%.1f h", s / 3600);
    else
        text_format(t, "%.0f days", s / 86400);
}

void text_quoted(struct text *t, const char *s)
{
    put_bytes(t, "\"", 1);
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        put_bytes(t, c < ' ' || c == '"' || c == 127 ? "?" : s, 1);
    }
    put_bytes(t, "\"", 1);
}

/* ---- JSON -------------------------------------------------------------------
 */

/* How many bytes the character at s takes: 1 to 4; 0 when it is no UTF-8. */
static unsigned utf8(const unsigned char *s)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned n = s[0] < 0x80   ? 1
                 : s[0] < 0xc0 ? 0
                 : s[0] < 0xe0 ? 2
                 : s[0] < 0xf0 ? 3
                 : s[0] < 0xf8 ? 4
                               : 0;
    uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);

    for (unsigned i = 1; i < n; i++) { /* the final zero ends it, too */
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3f);
    }
    if (n > 0 && (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)))
        return 0;
    return n;
}

void text_json(struct text *t, const char *s)
{
    const unsigned char *c = (const unsigned char *)s;

    put_bytes(t, "\"", 1);
    while (*c != '\0') {
        unsigned n = utf8(c);

        if (n == 0)
            text_put(t, "\\ufffd");
        else if (*c < ' ' || *c == 127)
            text_format(t, "\\u%04x", *c);
        else if (*c == '"' || *c == '\\')
            text_format(t, "\\%c", *c);
        else
            put_bytes(t, (const char *)c, n);
        c += n == 0 ? 1 : n;
    }
    put_bytes(t, "\"", 1);
}
