/* redis_format.h - commands in hiredis's format become bytes.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_REDIS_FORMAT_H
#define NET_REDIS_FORMAT_H

#include <hiredis/sds.h>
#include <stdarg.h>

enum { REDIS_ARGS = 16, REDIS_PIECES = 32, REDIS_DIGITS = 128 };

struct redis_command {
    char *whole; /* by hiredis, or NULL: */
    unsigned args, pieces;
    struct {
        size_t len;
        unsigned pieces;
    } arg[REDIS_ARGS];
    struct {
        const char *text; /* borrowed from the caller, or of digits */
        size_t len;
    } piece[REDIS_PIECES];
    unsigned used; /* of digits */
    char digits[REDIS_DIGITS];
    size_t len; /* as bytes */
};

/* Borrows what args point to until redis_command_end(), which is due after 0
 * only.  -1 with EINVAL, also for a command without a name, or ENOMEM. */
int redis_command_begin(struct redis_command *c, const char *format,
                        va_list args);
void redis_command_end(struct redis_command *c);

/* 0, or -1 + ENOMEM with *to as it was. */
int redis_command_append(const struct redis_command *c, sds *to);

#endif
