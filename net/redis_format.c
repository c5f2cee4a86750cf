/* redis_format.c - see redis_format.h.
 *
 * hiredis makes each command in memory of its own, a printf(3) for every length
 * in it, which costs as much as all else that is done for a command here.  So
 * what nearly all commands consist of (text, %s, %b, plain integers) is laid
 * out in pieces, and written right where it is wanted; the rest hiredis does.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis_format.h"
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <string.h>

enum { NUMBER_MAX = 24 }; /* bytes of one, sign included */

/* Writes its digits, the last one before end; returns where they begin. */
static char *digits_before(char *end, unsigned long long n)
{
    do
        *--end = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    return end;
}

/* ---- Laying out ------------------------------------------------------------
 */

/* Of the argument that is not finished.  False: too many. */
static bool add_piece(struct redis_command *c, const char *text, size_t len)
{
    if (c->args == REDIS_ARGS || c->pieces == REDIS_PIECES)
        return false;
    if (len == 0) /* and text perhaps NULL */
        return true;
    c->piece[c->pieces].text = text;
    c->piece[c->pieces].len = len;
    c->pieces++;
    c->arg[c->args].pieces++;
    c->arg[c->args].len += len;
    return true;
}

static bool add_number(struct redis_command *c, bool negative,
                       unsigned long long n)
{
    char text[NUMBER_MAX], *at = digits_before(text + NUMBER_MAX, n);
    char *to = c->digits + c->used;
    size_t len;

    if (negative)
        *--at = '-';
    len = (size_t)(text + NUMBER_MAX - at);
    if (len > REDIS_DIGITS - c->used)
        return false;
    memcpy(to, at, len);
    c->used += (unsigned)len;
    return add_piece(c, to, len);
}

static bool add_signed(struct redis_command *c, long long n)
{
    return add_number(c, n < 0,
                      n < 0 ? -(unsigned long long)n : (unsigned long long)n);
}

/* What %d and its kin are for, behind the %.  NULL: hiredis may know. */
static const char *add_integer(struct redis_command *c, const char *format,
                               va_list *args)
{
    bool ok = false;
    int longs = 0;

    while (longs < 2 && *format == 'l') {
        format++;
        longs++;
    }
    if (*format == 'd' || *format == 'i')
        ok = add_signed(c, longs == 0   ? va_arg(*args, int)
                           : longs == 1 ? va_arg(*args, long)
                                        : va_arg(*args, long long));
    else if (*format == 'u')
        ok = add_number(c, false,
                        longs == 0   ? va_arg(*args, unsigned)
                        : longs == 1 ? va_arg(*args, unsigned long)
                                     : va_arg(*args, unsigned long long));
    return ok ? format + 1 : NULL;
}

/* Behind the %.  NULL: hiredis may know. */
static const char *add_conversion(struct redis_command *c, const char *format,
                                  va_list *args)
{
    const char *text;
    size_t len;

    switch (*format) {
    case 's':
    case 'b':
        text = va_arg(*args, const char *);
        len = *format == 's' ? strlen(text) : va_arg(*args, size_t);
        return add_piece(c, text, len) ? format + 1 : NULL;
    case '%':
    case '\0':
        return NULL;
    default:
        return add_integer(c, format, args);
    }
}

/* False: hiredis may know. */
static bool lay_out(struct redis_command *c, const char *format, va_list *args)
{
    bool inside = false; /* an argument */

    while (format != NULL && *format != '\0') {
        if (*format == ' ') {
            c->args += inside;
            inside = false;
            format++;
            continue;
        }
        if (!inside && c->args < REDIS_ARGS)
            c->arg[c->args].len = c->arg[c->args].pieces = 0;
        inside = true;
        if (*format == '%') {
            format = add_conversion(c, format + 1, args);
        } else {
            size_t len = strcspn(format, " %");

            format = add_piece(c, format, len) ? format + len : NULL;
        }
    }
    c->args += inside;
    return format != NULL;
}

static size_t digits_in(size_t n)
{
    size_t count = 1;

    while (n >= 10) {
        n /= 10;
        count++;
    }
    return count;
}

/* "*2", and for each argument "$3", "GET", with the end of a line each. */
static size_t size_of(const struct redis_command *c)
{
    size_t size = 1 + digits_in(c->args) + 2;

    for (unsigned i = 0; i < c->args; i++)
        size += 1 + digits_in(c->arg[i].len) + 2 + c->arg[i].len + 2;
    return size;
}

static int let_hiredis(struct redis_command *c, const char *format,
                       va_list args)
{
    int n = redisvFormatCommand(&c->whole, format, args);

    if (n > 0 && c->whole[1] != '0') {
        c->len = (size_t)n;
        return 0;
    }
    if (n > 0)
        redisFreeCommand(c->whole);
    errno = n == -1 ? ENOMEM : EINVAL;
    return -1;
}

int redis_command_begin(struct redis_command *c, const char *format,
                        va_list args)
{
    va_list again;
    bool done;

    c->whole = NULL;
    c->args = c->pieces = c->used = 0;
    va_copy(again, args);
    done = lay_out(c, format, &again);
    va_end(again);
    if (!done)
        return let_hiredis(c, format, args);
    if (c->args == 0) { /* the server has no answer to nothing */
        errno = EINVAL;
        return -1;
    }
    c->len = size_of(c);
    return 0;
}

void redis_command_end(struct redis_command *c)
{
    if (c->whole != NULL)
        redisFreeCommand(c->whole);
}

/* ---- Writing ---------------------------------------------------------------
 */

static char *write_bytes(char *to, const char *text, size_t len)
{
    memcpy(to, text, len);
    return to + len;
}

static char *write_line(char *to, char kind, size_t n)
{
    char text[NUMBER_MAX], *at = digits_before(text + NUMBER_MAX, n);

    *to++ = kind;
    to = write_bytes(to, at, (size_t)(text + NUMBER_MAX - at));
    return write_bytes(to, "\r\n", 2);
}

static void write_command(const struct redis_command *c, char *to)
{
    unsigned piece = 0;

    to = write_line(to, '*', c->args);
    for (unsigned i = 0; i < c->args; i++) {
        unsigned end = piece + c->arg[i].pieces;

        to = write_line(to, '$', c->arg[i].len);
        for (; piece < end; piece++)
            to = write_bytes(to, c->piece[piece].text, c->piece[piece].len);
        to = write_bytes(to, "\r\n", 2);
    }
}

int redis_command_append(const struct redis_command *c, sds *to)
{
    sds more = sdsMakeRoomFor(*to, c->len);

    if (more == NULL) {
        errno = ENOMEM;
        return -1;
    }
    *to = more;
    if (c->whole != NULL)
        memcpy(more + sdslen(more), c->whole, c->len);
    else
        write_command(c, more + sdslen(more));
    sdsinclen(more, c->len);
    more[sdslen(more)] = '\0';
    return 0;
}
