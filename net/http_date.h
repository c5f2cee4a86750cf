/* http_date.h - the time of day, and cheap clocks.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_DATE_H
#define NET_HTTP_DATE_H

#include <stdint.h>

enum {
    DATE_LINE = 37, /* bytes of "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" */
    DATE_LOG = 32   /* bytes that hold a date of a log, zero included */
};

/* The line of this second, now being http_now()'s; good until the thread's next
 * call. */
const char *http_date_line(int64_t now);

/* "06/Nov/1994:08:49:37 +0000", and "1994-11-06T08:49:37Z". */
void http_date_common(char *text);
void http_date_iso(char *text);

/* co_now(), late by a clock tick at most (some ms), for a third of its price:
 * deadlines of seconds are made of it. */
int64_t http_now(void);

#endif
