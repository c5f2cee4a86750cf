/* http_date.h - the time of day, dates as text, and cheap clocks.
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
    DATE_LOG = 32,  /* bytes that hold a date of a log, zero included */
    DATE_TEXT = 30  /* the same of "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* The line of this second, now being http_now()'s; good until the thread's next
 * call. */
const char *http_date_line(int64_t now);

/* "06/Nov/1994:08:49:37 +0000", and "1994-11-06T08:49:37Z". */
void http_date_common(char *text);
void http_date_iso(char *text);

/* Seconds since 1970 as fields have them (RFC 9110 5.6.7).  A time outside the
 * years 0 to 9999, which is what the text has room for, becomes their first or
 * last second. */
void http_date_text(int64_t seconds, char *text);

/* The other way, in any of the three formats: 0, or -1 when text is no date.
 * That the day of the week fits is not looked at. */
int http_date_parse(const char *text, int64_t *seconds);

/* The time of day in ns since 1970, by the clock that stamps files. */
int64_t http_date_now(void);

/* co_now(), late by a clock tick at most (some ms), for a third of its price:
 * deadlines of seconds are made of it. */
int64_t http_now(void);

#endif
