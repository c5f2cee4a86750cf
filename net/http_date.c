/* http_date.c - the time of day as HTTP writes it.
 *
 * Each answer carries the date, which changes once a second; so each thread
 * keeps the line until the second ends.  Which clock says so is the monotonic
 * one, that is read for deadlines anyway; when somebody sets the time of day,
 * the line is right again a second later.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "co/co.h"
#include <string.h>
#include <time.h>

static _Thread_local struct {
    int64_t until; /* on http_now()'s clock */
    char text[DATE_LINE];
} line;

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char days[] = "SunMonTueWedThuFriSat";

/* The time of day, and in *left the ns until its next second. */
static struct tm now_utc(int64_t *left)
{
    struct timespec t;
    struct tm tm;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &t);
    *left = CO_SECOND - t.tv_nsec;
    if (gmtime_r(&t.tv_sec, &tm) == NULL)
        memset(&tm, 0, sizeof tm);
    return tm;
}

/* n in that many digits, with zeros in front. */
static char *put(char *p, int n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        p[i] = (char)('0' + n % 10);
    return p + digits;
}

static char *put_time(char *p, const struct tm *tm)
{
    p = put(p, tm->tm_hour, 2);
    *p++ = ':';
    p = put(p, tm->tm_min, 2);
    *p++ = ':';
    return put(p, tm->tm_sec, 2);
}

__attribute__((noinline)) static void make_line(int64_t now)
{
    int64_t left;
    struct tm tm = now_utc(&left);
    char *p = line.text;

    memcpy(p, "Date: ", 6);
    memcpy(p + 6, days + 3 * tm.tm_wday, 3);
    memcpy(p + 9, ", ", 2);
    p = put(p + 11, tm.tm_mday, 2);
    *p++ = ' ';
    memcpy(p, months + 3 * tm.tm_mon, 3);
    p[3] = ' ';
    p = put(p + 4, tm.tm_year + 1900, 4);
    *p++ = ' ';
    p = put_time(p, &tm);
    memcpy(p, " GMT\r\n", 6);
    line.until = now + left;
}

const char *http_date_line(int64_t now)
{
    if (__builtin_expect(now >= line.until, 0))
        make_line(now);
    return line.text;
}

void http_date_common(char *p)
{
    int64_t left;
    struct tm tm = now_utc(&left);

    p = put(p, tm.tm_mday, 2);
    *p++ = '/';
    memcpy(p, months + 3 * tm.tm_mon, 3);
    p[3] = '/';
    p = put(p + 4, tm.tm_year + 1900, 4);
    *p++ = ':';
    p = put_time(p, &tm);
    memcpy(p, " +0000", 7);
}

void http_date_iso(char *p)
{
    int64_t left;
    struct tm tm = now_utc(&left);

    p = put(p, tm.tm_year + 1900, 4);
    *p++ = '-';
    p = put(p, tm.tm_mon + 1, 2);
    *p++ = '-';
    p = put(p, tm.tm_mday, 2);
    *p++ = 'T';
    p = put_time(p, &tm);
    memcpy(p, "Z", 2);
}

int64_t http_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * CO_SECOND + t.tv_nsec;
}
