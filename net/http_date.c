/* http_date.c - the time of day as HTTP writes it, and dates that it reads.
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
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Days from the year 0; and the first seconds of the years 0 and 10000. */
#define DAYS_TO_1970 719528
#define YEAR_0 INT64_C(-62167219200)
#define YEAR_10000 INT64_C(253402300800)

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

/* "Sun, 06 Nov 1994 08:49:37 GMT"; behind it. */
static char *put_fixdate(char *p, const struct tm *tm)
{
    memcpy(p, days + 3 * tm->tm_wday, 3);
    memcpy(p + 3, ", ", 2);
    p = put(p + 5, tm->tm_mday, 2);
    *p++ = ' ';
    memcpy(p, months + 3 * tm->tm_mon, 3);
    p[3] = ' ';
    p = put(p + 4, tm->tm_year + 1900, 4);
    *p++ = ' ';
    p = put_time(p, tm);
    memcpy(p, " GMT", 4);
    return p + 4;
}

__attribute__((noinline)) static void make_line(int64_t now)
{
    int64_t left;
    struct tm tm = now_utc(&left);

    memcpy(line.text, "Date: ", 6);
    memcpy(put_fixdate(line.text + 6, &tm), "\r\n", 3);
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

void http_date_text(int64_t seconds, char *text)
{
    time_t t = seconds < YEAR_0       ? YEAR_0
               : seconds < YEAR_10000 ? (time_t)seconds
                                      : YEAR_10000 - 1;
    struct tm tm;

    if (gmtime_r(&t, &tm) == NULL)
        memset(&tm, 0, sizeof tm);
    *put_fixdate(text, &tm) = '\0';
}

int64_t http_date_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (int64_t)t.tv_sec * CO_SECOND + t.tv_nsec;
}

/* ---- Reading ---------------------------------------------------------------
 *
 * Each of these takes something off the text at p, and returns what is behind
 * it, or NULL; and NULL for NULL, so that only the last one is looked at.
 */

static const char *take(const char *p, const char *word)
{
    size_t len = strlen(word);

    return p != NULL && strncmp(p, word, len) == 0 ? p + len : NULL;
}

static const char *take_number(const char *p, int digits, int *n)
{
    *n = 0;
    for (; p != NULL && digits > 0; digits--, p++) {
        if (*p < '0' || *p > '9')
            return NULL;
        *n = 10 * *n + (*p - '0');
    }
    return p;
}

/* One of the names in a table of three letters each; *i is its number. */
static const char *take_name(const char *p, const char *table, int *i)
{
    for (*i = 0; p != NULL && table[3 * *i] != '\0'; ++*i)
        if (strncmp(p, table + 3 * *i, 3) == 0)
            return p + 3;
    return NULL;
}

static const char *take_time(const char *p, struct tm *tm)
{
    p = take_number(p, 2, &tm->tm_hour);
    p = take_number(take(p, ":"), 2, &tm->tm_min);
    return take_number(take(p, ":"), 2, &tm->tm_sec);
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static const char *take_fixdate(const char *p, struct tm *tm)
{
    p = take_name(p, days, &tm->tm_wday);
    p = take_number(take(p, ", "), 2, &tm->tm_mday);
    p = take_name(take(p, " "), months, &tm->tm_mon);
    p = take_number(take(p, " "), 4, &tm->tm_year);
    return take(take_time(take(p, " "), tm), " GMT");
}

/* "Sunday, 06-Nov-94 08:49:37 GMT": the year is not more than 50 ahead. */
static const char *take_rfc850(const char *p, struct tm *tm)
{
    static const char rests[7][8] = { "day",   "day", "sday", "nesday",
                                      "rsday", "day", "urday" };
    int64_t left;
    int this_year = now_utc(&left).tm_year + 1900;

    p = take_name(p, days, &tm->tm_wday);
    p = take(p, rests[tm->tm_wday % 7]);
    p = take_number(take(p, ", "), 2, &tm->tm_mday);
    p = take_name(take(p, "-"), months, &tm->tm_mon);
    p = take_number(take(p, "-"), 2, &tm->tm_year);
    tm->tm_year += this_year - this_year % 100;
    if (tm->tm_year > this_year + 50)
        tm->tm_year -= 100;
    return take(take_time(take(p, " "), tm), " GMT");
}

/* "Sun Nov  6 08:49:37 1994" */
static const char *take_asctime(const char *p, struct tm *tm)
{
    const char *one;

    p = take_name(p, days, &tm->tm_wday);
    p = take(take_name(take(p, " "), months, &tm->tm_mon), " ");
    one = take(p, " ");
    p = take_number(one != NULL ? one : p, one != NULL ? 1 : 2, &tm->tm_mday);
    p = take_time(take(p, " "), tm);
    return take_number(take(p, " "), 4, &tm->tm_year);
}

/* Days from 1970 to the first of that month (0 is January); those of the years
 * before are counted from the year 0, which is a leap year. */
static int64_t days_until(int64_t year, int month)
{
    static const short before[12] = { 0,   31,  59,  90,  120, 151,
                                      181, 212, 243, 273, 304, 334 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return 365 * year + (year + 3) / 4 - (year + 99) / 100 +
           (year + 399) / 400 + before[month] + (leap && month > 1) -
           DAYS_TO_1970;
}

int http_date_parse(const char *text, int64_t *seconds)
{
    struct tm tm;
    const char *end = take_fixdate(text, &tm);

    if (end == NULL)
        end = take_rfc850(text, &tm);
    if (end == NULL)
        end = take_asctime(text, &tm);
    if (end == NULL || *end != '\0' || tm.tm_hour > 23 || tm.tm_min > 59 ||
        tm.tm_sec > 60)
        return -1; /* a 60th second is a leap second */
    int64_t day = days_until(tm.tm_year, tm.tm_mon) + tm.tm_mday - 1;
    int64_t next = tm.tm_mon < 11 ? days_until(tm.tm_year, tm.tm_mon + 1)
                                  : days_until(tm.tm_year + 1, 0);
    if (tm.tm_mday < 1 || day >= next)
        return -1;
    *seconds = day * 86400 + tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec;
    return 0;
}

int64_t http_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * CO_SECOND + t.tv_nsec;
}
