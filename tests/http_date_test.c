/* http_date_test.c - dates, from text and to text.
 *
 * libc is the model: timegm(), gmtime_r() and strftime() in the C locale.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include "net/http_date.h"
#include "tests/test.h"

#define FIRST INT64_C(-62167219200)  /* 0000-01-01 00:00:00 */
#define BEHIND INT64_C(253402300800) /* 10000-01-01 00:00:00 */

static int64_t parse(const char *text)
{
    int64_t seconds = 0;

    if (http_date_parse(text, &seconds) < 0) {
        fprintf(stderr, "refused: '%s'\n", text);
        exit(1);
    }
    return seconds;
}

static void three_formats(void)
{
    CHECK_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
    CHECK_EQ(parse("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
    CHECK_EQ(parse("Sun Nov  6 08:49:37 1994"), 784111777);
    CHECK_EQ(parse("Wed Nov 16 08:49:37 1994"), 784975777);
    CHECK_EQ(parse("Thu, 01 Jan 1970 00:00:00 GMT"), 0);
    CHECK_EQ(parse("Wed, 31 Dec 1969 23:59:59 GMT"), -1);
    CHECK_EQ(parse("Thu, 29 Feb 2024 12:00:00 GMT"), 1709208000);
    CHECK_EQ(parse("Tue, 29 Feb 2000 00:00:00 GMT"), 951782400);
    CHECK_EQ(parse("Sat, 01 Jan 0000 00:00:00 GMT"), FIRST);
    CHECK_EQ(parse("Fri, 31 Dec 9999 23:59:59 GMT"), BEHIND - 1);
    CHECK_EQ(parse("Fri, 06 Nov 1994 08:49:37 GMT"), 784111777);
    CHECK_EQ(parse("Sat, 31 Dec 2016 23:59:60 GMT"), 1483228800);
}

static void refused(void)
{
    static const char *const texts[] = {
        "",
        "0",
        "now",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        " Sun, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 gmt",
        "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-94 08:49:37 GMT",
        "Sun, 06 Nov 1994 8:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 32 Dec 1994 08:49:37 GMT",
        "Sun, 29 Feb 2023 08:49:37 GMT",
        "Thu, 29 Feb 1900 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, +6 Nov 1994 08:49:37 GMT",
        "Sun,  6 Nov 1994 08:49:37 GMT",
        "Mon, 06 Nob 1994 08:49:37 GMT",
        "Xyz, 06 Nov 1994 08:49:37 GMT",
        "Sunda, 06-Nov-94 08:49:37 GMT",
        "Sunsday, 06-Nov-94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sunday, 06 Nov 1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov 06 08:49:37 94",
        "Sun Nov  6 08:49:37 1994 GMT",
        "Sun Nov   6 08:49:37 1994",
    };
    int64_t seconds = 7;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (http_date_parse(texts[i], &seconds) == 0)
            fprintf(stderr, "taken: '%s'\n", texts[i]);
        CHECK_EQ(http_date_parse(texts[i], &seconds), -1);
    }
    CHECK_EQ(seconds, 7);
}

/* A date that was cut off anywhere, or changed anywhere, is read within its
 * bounds: the copies are as long as the text. */
static void mangled(void)
{
    static const char *const texts[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
                                         "Sunday, 06-Nov-94 08:49:37 GMT",
                                         "Sun Nov  6 08:49:37 1994" };
    int64_t seconds;

    for (int i = 0; i < 3; i++) {
        for (size_t len = 0; len < strlen(texts[i]); len++) {
            char *copy = strndup(texts[i], len);

            CHECK(copy != NULL);
            CHECK_EQ(http_date_parse(copy, &seconds), -1);
            free(copy);
            copy = strdup(texts[i]);
            CHECK(copy != NULL);
            copy[len] = '\xff';
            CHECK_EQ(http_date_parse(copy, &seconds), -1);
            free(copy);
        }
    }
}

/* Two digits are a year that is at most 50 ahead. */
static void short_years(void)
{
    int64_t now = (http_date_now() / CO_SECOND);
    time_t t = now;
    struct tm tm;

    CHECK(gmtime_r(&t, &tm) != NULL);
    int this_year = tm.tm_year + 1900;
    for (int year = this_year - 49; year <= this_year + 50; year++) {
        char text[64];
        int64_t seconds = 0;
        struct tm first = { .tm_year = year - 1900, .tm_mday = 1 };

        snprintf(text, sizeof text, "Monday, 01-Jan-%02d 00:00:00 GMT",
                 year % 100);
        CHECK_EQ(http_date_parse(text, &seconds), 0);
        /* The year may have ended meanwhile. */
        if (seconds != timegm(&first))
            CHECK(year == this_year - 49 &&
                  (http_date_now() / CO_SECOND) / 86400 > now / 86400);
    }
}

static void check_text(int64_t seconds)
{
    char text[DATE_TEXT + 1], expected[64];
    time_t t = seconds;
    struct tm tm;
    size_t len;

    text[DATE_TEXT] = '?';
    http_date_text(seconds, text);
    CHECK(text[DATE_TEXT] == '?');
    CHECK(gmtime_r(&t, &tm) != NULL);
    len = strftime(expected, sizeof expected, "%a, %d %b ", &tm);
    len += (size_t)snprintf(expected + len, sizeof expected - len, "%04d ",
                            tm.tm_year + 1900);
    (void)strftime(expected + len, sizeof expected - len, "%H:%M:%S GMT", &tm);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "'%s', not '%s'\n", text, expected);
    CHECK(strcmp(text, expected) == 0);
    CHECK_EQ(parse(text), seconds);

    char *end = expected +
                strftime(expected, sizeof expected, "%a %b %e %H:%M:%S ", &tm);
    snprintf(end, 16, "%04d", tm.tm_year + 1900);
    CHECK_EQ(parse(expected), seconds);
}

/* All over the years 0 to 9999, and each day around two ends of centuries. */
static void many_days(void)
{
    int64_t step = (BEHIND - FIRST) / test_count(1000000);

    for (int64_t t = FIRST; t < BEHIND; t += step)
        check_text(t);
    for (int64_t day = 0; day < 3650; day++) {
        check_text((day - 27000) * 86400 + 86399 - day);
        check_text((day + 9500) * 86400 + 7 * day);
    }
    check_text(FIRST);
    check_text(BEHIND - 1);
}

static void beyond(void)
{
    char text[DATE_TEXT];

    http_date_text(BEHIND, text);
    CHECK(strcmp(text, "Fri, 31 Dec 9999 23:59:59 GMT") == 0);
    http_date_text(INT64_MAX, text);
    CHECK(strcmp(text, "Fri, 31 Dec 9999 23:59:59 GMT") == 0);
    http_date_text(FIRST - 1, text);
    CHECK(strcmp(text, "Sat, 01 Jan 0000 00:00:00 GMT") == 0);
    http_date_text(INT64_MIN, text);
    CHECK(strcmp(text, "Sat, 01 Jan 0000 00:00:00 GMT") == 0);
}

/* What stands in each answer. */
static void now(void)
{
    int64_t before = (http_date_now() / CO_SECOND);
    const char *line = http_date_line(http_now());
    int64_t after = (http_date_now() / CO_SECOND);
    char text[DATE_TEXT];

    CHECK(strlen(line) == DATE_LINE);
    CHECK(strncmp(line, "Date: ", 6) == 0);
    memcpy(text, line + 6, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    CHECK(strcmp(line + 6 + strlen(text), "\r\n") == 0);
    CHECK(parse(text) >= before && parse(text) <= after);
    CHECK(after <= time(NULL));
}

int main(void)
{
    RUN(three_formats);
    RUN(refused);
    RUN(mangled);
    RUN(short_years);
    RUN(many_days);
    RUN(beyond);
    RUN(now);
    return 0;
}
