/* http_print.c - http_printf().
 *
 * Most answers are printed with a few plain conversions, for which vsnprintf()
 * takes five times as long as what it prints takes to copy.  So those are made
 * here, and everything else, down to a string that is NULL, is left to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_server.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define UNUSUAL SIZE_MAX

static size_t put_signed(char *p, int64_t n)
{
    if (n >= 0)
        return http_put_number(p, (uint64_t)n);
    *p = '-';
    return 1 + http_put_number(p + 1, -(uint64_t)n);
}

/* Into size bytes, without a zero behind them.  How many it took; or UNUSUAL
 * for other conversions, and when there may not be room. */
static size_t print_usual(char *buf, size_t size, const char *format,
                          va_list args)
{
    char *p = buf, *end = buf + size;
    const char *s;

    for (;;) {
        const char *stop = strchrnul(format, '%');
        size_t n = (size_t)(stop - format);

        /* A number has room then, too. */
        if (n + HTTP_NUMBER_MAX > (size_t)(end - p))
            return UNUSUAL;
        memcpy(p, format, n);
        p += n;
        format = stop + 2;
        if (stop[0] == '\0')
            return (size_t)(p - buf);
        if (stop[1] == 's') {
            s = va_arg(args, const char *);
            if (s == NULL || (n = strlen(s)) > (size_t)(end - p))
                return UNUSUAL;
            memcpy(p, s, n);
            p += n;
        } else if (stop[1] == 'd') {
            p += put_signed(p, va_arg(args, int));
        } else if (stop[1] == 'u') {
            p += http_put_number(p, va_arg(args, unsigned));
        } else if (stop[1] == 'l' && stop[2] == 'd') {
            p += put_signed(p, va_arg(args, long));
            format++;
        } else if (stop[1] == 'z' && stop[2] == 'u') {
            p += http_put_number(p, va_arg(args, size_t));
            format++;
        } else {
            return UNUSUAL;
        }
    }
}

static int print_stream(struct http_response *res, const char *format,
                        va_list args)
{
    struct http_work *w = http_work_of_response(res);
    char some[512], *text = some;
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(some, sizeof some, format, args);
    if (n >= (int)sizeof some) {
        text = malloc((size_t)n + 1);
        if (text == NULL)
            n = -1;
        else
            n = vsnprintf(text, (size_t)n + 1, format, again);
    }
    va_end(again);
    if (n >= 0)
        n = http_stream_write(w, text, (size_t)n);
    else
        res->failed = true;
    if (text != some)
        free(text);
    return n;
}

__attribute__((noinline)) static int print_any(struct http_response *res,
                                               const char *format, va_list args)
{
    va_list again;
    int n;

    va_copy(again, args);
    n = vsnprintf(res->body + res->body_len, res->body_room - res->body_len,
                  format, args);
    if (n >= 0 && (size_t)n >= res->body_room - res->body_len) {
        if (http_response_grow(res, (size_t)n + 1) < 0)
            n = -1;
        else
            n = vsnprintf(res->body + res->body_len,
                          res->body_room - res->body_len, format, again);
    }
    va_end(again);
    if (n < 0) {
        res->failed = true;
        return -1;
    }
    res->body_len += (size_t)n;
    return 0;
}

int http_printf(struct http_response *res, const char *format, ...)
{
    va_list args;
    size_t n;
    int r;

    if (http_response_check(res) < 0)
        return -1;
    if (res->type == HTTP_TYPE_NONE)
        res->type = HTTP_TYPE_TEXT;
    va_start(args, format);
    if (__builtin_expect(res->streaming, 0)) {
        r = print_stream(res, format, args);
        va_end(args);
        return r;
    }
    n = print_usual(res->body + res->body_len, res->body_room - res->body_len,
                    format, args);
    va_end(args);
    if (__builtin_expect(n != UNUSUAL, 1)) {
        res->body_len += n;
        return 0;
    }
    va_start(args, format); /* from the first one again */
    r = print_any(res, format, args);
    va_end(args);
    return r;
}
