/* http_precondition_test.c - conditions, alone and against each other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "net/http_date.h"
#include "net/http_precondition.h"
#include "tests/test.h"

/* The file is of noon; a text of each time around. */
#define NOON INT64_C(784123200)
#define BEFORE "Sun, 06 Nov 1994 11:59:59 GMT"
#define AT "Sun, 06 Nov 1994 12:00:00 GMT"
#define AFTER "Sun, 06 Nov 1994 12:00:01 GMT"

static const struct http_validators strong = { "\"abc\"", NOON };
static const struct http_validators weak = { "W/\"abc\"", NOON };
static const struct http_validators dated = { NULL, NOON };

static int decide(const struct http_validators *v,
                  const struct http_conditions *c)
{
    return http_precondition(c, v, true);
}

#define MATCH(v, list) decide(v, &(struct http_conditions){ .match = (list) })
#define NONE_MATCH(v, list)                                                    \
    decide(v, &(struct http_conditions){ .none_match = (list) })
#define SINCE(v, date)                                                         \
    decide(v, &(struct http_conditions){ .modified_since = (date) })
#define UNMODIFIED(v, date)                                                    \
    decide(v, &(struct http_conditions){ .unmodified_since = (date) })

static void tags(void)
{
    static const struct {
        const char *list;
        bool weakly, strongly; /* in the list */
    } cases[] = {
        { "\"abc\"", true, true },
        { "W/\"abc\"", true, false },
        { "*", true, true },
        { " * ", true, true },
        { "\"x\", \"abc\"", true, true },
        { "\"x\",\"abc\"", true, true },
        { "\"x\" ,\t\"abc\" ", true, true },
        { ",, ,\"abc\",", true, true },
        { "\"a,b\", \"abc\"", true, true },
        { "W/\"abc\", \"abc\"", true, true },
        { "\"\", \"abc\"", true, true },
        { "\"\xc3\xa4\", \"abc\"", true, true },
        { "\"x\", W/\"abc\", \"y\"", true, false },
        { "\"abc\", x", true, true },
        { "", false, false },
        { ",", false, false },
        { "abc", false, false },
        { "\"abc", false, false },
        { "abc\"", false, false },
        { "\"abcd\"", false, false },
        { "\"ab\"", false, false },
        { "\"ABC\"", false, false },
        { "w/\"abc\"", false, false },
        { "W/ \"abc\"", false, false },
        { "W\"abc\"", false, false },
        { "/\"abc\"", false, false },
        { "'abc'", false, false },
        { "\"x,\"abc\"", false, false },
        { "x, \"abc\"", false, false },
        { "\"x\" \"abc\"", false, false },
        { "\"x\"\"abc\"", false, false },
        { "\"abc\"x", false, false },
        { "\"a c\", \"abc\"", false, false },
        { "**", false, false },
        { "*, \"abc\"", false, false },
        { "\"*\"", false, false },
        { "\"x\", *", false, false },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *list = cases[i].list;

        fprintf(stderr, "    %s\n", list);
        CHECK_EQ(NONE_MATCH(&strong, list), cases[i].weakly ? 304 : 0);
        CHECK_EQ(NONE_MATCH(&weak, list), cases[i].weakly ? 304 : 0);
        CHECK_EQ(MATCH(&strong, list), cases[i].strongly ? 0 : 412);
        if (strchr(list, '*') == NULL)
            CHECK_EQ(MATCH(&weak, list), 412);
    }
    CHECK_EQ(MATCH(&weak, "*"), 0);
    CHECK_EQ(MATCH(&dated, "*"), 0);
    CHECK_EQ(MATCH(&dated, "\"abc\""), 412);
    CHECK_EQ(NONE_MATCH(&dated, "*"), 304);
    CHECK_EQ(NONE_MATCH(&dated, "\"abc\""), 0);
}

static void dates(void)
{
    CHECK_EQ(SINCE(&strong, BEFORE), 0);
    CHECK_EQ(SINCE(&strong, AT), 304);
    CHECK_EQ(SINCE(&strong, AFTER), 304);
    CHECK_EQ(SINCE(&strong, "yesterday"), 0);
    CHECK_EQ(SINCE(&strong, ""), 0);
    CHECK_EQ(SINCE(&strong, "Sunday, 06-Nov-94 12:00:00 GMT"), 304);
    CHECK_EQ(SINCE(&strong, "Sun Nov  6 12:00:00 1994"), 304);
    CHECK_EQ(SINCE(&strong, AT ", " AT), 0);
    CHECK_EQ(UNMODIFIED(&strong, BEFORE), 412);
    CHECK_EQ(UNMODIFIED(&strong, AT), 0);
    CHECK_EQ(UNMODIFIED(&strong, AFTER), 0);
    CHECK_EQ(UNMODIFIED(&strong, "yesterday"), 0);
}

/* What each field says alone, and RFC 9110 13.2.2 about them together, for all
 * that can be: none, one that holds, one that does not, one that is broken. */
static void together(void)
{
    static const char *const lists[] = { NULL, "\"abc\"", "\"x\"", "x" };
    static const char *const times[] = { NULL, AT, BEFORE, "never" };

    for (int i = 0; i < 512; i++) {
        int match = i & 3, unmodified = i >> 2 & 3, none = i >> 4 & 3,
            modified = i >> 6 & 3, expected = 0;
        bool get = i >> 8;
        const struct http_conditions c = { lists[match], times[unmodified],
                                           lists[none], times[modified], NULL };

        if (match != 0 ? match != 1 : unmodified == 2)
            expected = 412;
        else if (none != 0)
            expected = none != 1 ? 0 : get ? 304 : 412;
        else if (get && modified == 1)
            expected = 304;
        if (http_precondition(&c, &strong, get) != expected)
            fprintf(stderr, "    %d %d %d %d %d\n", match, unmodified, none,
                    modified, get);
        CHECK_EQ(http_precondition(&c, &strong, get), expected);
    }
}

static void if_range(void)
{
    CHECK(http_if_range("\"abc\"", &strong));
    CHECK(!http_if_range("W/\"abc\"", &strong));
    CHECK(!http_if_range("\"abc\"", &weak));
    CHECK(!http_if_range("W/\"abc\"", &weak));
    CHECK(!http_if_range("\"abc\"", &dated));
    CHECK(!http_if_range("\"x\"", &strong));
    CHECK(!http_if_range("\"x\", \"abc\"", &strong));
    CHECK(!http_if_range("\"abc\", \"abc\"", &strong));
    CHECK(!http_if_range("*", &strong));
    CHECK(!http_if_range("", &strong));
    CHECK(!http_if_range("abc", &strong));
    CHECK(http_if_range(AT, &strong));
    CHECK(http_if_range(AT, &dated));
    CHECK(http_if_range("Sun Nov  6 12:00:00 1994", &dated));
    CHECK(!http_if_range(BEFORE, &strong));
    CHECK(!http_if_range(AFTER, &strong));
    CHECK(!http_if_range("yesterday", &dated));
}

/* A file that has just changed may change again within its second. */
static void if_range_of_new(void)
{
    for (int64_t age = -5; age <= 5; age++) {
        int64_t before = (http_date_now() / CO_SECOND);
        struct http_validators v = { "\"abc\"", before - age };
        char text[DATE_TEXT];

        http_date_text(v.mtime, text);
        bool counts = http_if_range(text, &v);
        if (age > 1)
            CHECK(counts);
        else if ((http_date_now() / CO_SECOND) == before)
            CHECK(!counts);
        CHECK(http_if_range("\"abc\"", &v));
    }
}

int main(void)
{
    RUN(tags);
    RUN(dates);
    RUN(together);
    RUN(if_range);
    RUN(if_range_of_new);
    return 0;
}
