/* http_range_test.c - ranges, against a model that marks bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_range.h"
#include "tests/test.h"
#include <regex.h>
#include <stdint.h>

enum { MAX = 8 };

static void check(const char *value, uint64_t size, int count,
                  const struct http_range *expected)
{
    struct http_range out[MAX];
    int n = http_range_parse(value, size, out, MAX);

    if (n != count)
        fprintf(stderr, "'%s' of %ju bytes: %d, not %d\n", value,
                (uintmax_t)size, n, count);
    CHECK_EQ(n, count);
    for (int i = 0; i < n; i++) {
        CHECK_EQ(out[i].first, expected[i].first);
        CHECK_EQ(out[i].len, expected[i].len);
    }
}

#define GIVES(value, size, ...)                                                \
    do {                                                                       \
        const struct http_range gives[] = { __VA_ARGS__ };                     \
        check(value, size, (int)(sizeof gives / sizeof *gives), gives);        \
    } while (0)

static void good(void)
{
    GIVES("bytes=0-99", 1000, { 0, 100 });
    GIVES("bytes=0-0", 1000, { 0, 1 });
    GIVES("bytes=999-", 1000, { 999, 1 });
    GIVES("bytes=0-", 1000, { 0, 1000 });
    GIVES("bytes=500-999999", 1000, { 500, 500 });
    GIVES("bytes=-1", 1000, { 999, 1 });
    GIVES("bytes=-1000", 1000, { 0, 1000 });
    GIVES("bytes=-1001", 1000, { 0, 1000 });
    GIVES("BYTES=1-2", 1000, { 1, 2 });
    GIVES("bytes=007-0009", 1000, { 7, 3 });
    GIVES("bytes=0-1,-1", 1000, { 0, 2 }, { 999, 1 });
    GIVES("bytes=5-6,0-1", 1000, { 5, 2 }, { 0, 2 });
    GIVES("bytes= 0-1\t, ,,2-3 ,", 1000, { 0, 2 }, { 2, 2 });
    GIVES("bytes=,0-1", 1000, { 0, 2 });
    GIVES("bytes=1000-,0-1,-0", 1000, { 0, 2 });
    GIVES("bytes=0-599,600-", 1000, { 0, 600 }, { 600, 400 });
    GIVES("bytes=0-9,5-14", 20, { 0, 10 }, { 5, 10 });
    GIVES("bytes=0-,-0", 10, { 0, 10 });
}

static void ignored(void)
{
    static const char *const values[] = {
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes= , ",
        "bytes=-",
        "bytes=--1",
        "bytes=1",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=1-2;3-4",
        "bytes=1 -2",
        "bytes=1- 2",
        "bytes=1-2 3-4",
        "bytes=2-1",
        "bytes=0-1,2-1",
        "bytes=0-1,x",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=1.0-2",
        "bytes:1-2",
        "bytes =1-2",
        " bytes=1-2",
        "lines=1-2",
        "byte=1-2",
        "bytes=0-1,bytes=2-3",
        "bytes=0-9,0-1",  /* 12 bytes of 10 */
        "bytes=0-8,-2",   /* 11 bytes of 10 */
        "bytes=5-,5-,5-", /* 15 bytes of 10 */
        "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8",
        "bytes=18446744073709551616-1",
    };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check(values[i], 10, 0, NULL);
    GIVES("bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,100-", 10, { 0, 1 }, { 1, 1 },
          { 2, 1 }, { 3, 1 }, { 4, 1 }, { 5, 1 }, { 6, 1 }, { 7, 1 });
}

static void not_satisfiable(void)
{
    check("bytes=1000-", 1000, -1, NULL);
    check("bytes=1000-1001", 1000, -1, NULL);
    check("bytes=-0", 1000, -1, NULL);
    check("bytes=-0,1000-,5000-6000", 1000, -1, NULL);
    check("bytes=18446744073709551615-", 1000, -1, NULL);
    check("bytes=18446744073709551616-", 1000, -1, NULL);
    check("bytes=99999999999999999999999999-99999999999999999999999999", 1000,
          -1, NULL);
}

static void empty_file(void)
{
    check("bytes=0-", 0, 0, NULL);
    check("bytes=0-99", 0, 0, NULL);
    check("bytes=-5", 0, 0, NULL);
    check("bytes=1-", 0, -1, NULL);
    check("bytes=1-2,5-", 0, -1, NULL);
    check("bytes=1-,0-0", 0, 0, NULL);
}

static void large(void)
{
    const uint64_t gib4 = UINT64_C(1) << 32, top = UINT64_MAX;

    GIVES("bytes=4294967296-", gib4 + 7, { gib4, 7 });
    GIVES("bytes=-4294967297", gib4 + 7, { 6, gib4 + 1 });
    GIVES("bytes=0-18446744073709551615", 10, { 0, 10 });
    GIVES("bytes=0-18446744073709551616", 10, { 0, 10 });
    GIVES("bytes=1-99999999999999999999999999999", 10, { 1, 9 });
    GIVES("bytes=-99999999999999999999999999999", 10, { 0, 10 });
    GIVES("bytes=-18446744073709551615", top, { 0, top });
    GIVES("bytes=0-18446744073709551614", top, { 0, top });
    GIVES("bytes=18446744073709551614-", top, { top - 1, 1 });
    GIVES("bytes=-1,0-18446744073709551613", top, { top - 1, 1 },
          { 0, top - 1 });
    check("bytes=-1,0-", top, 0, NULL);
    check("bytes=0-,0-", top, 0, NULL);
}

/* ---- Model -----------------------------------------------------------------
 */

static regex_t span, suffix;

static long number(const char *text, const regmatch_t *m)
{
    return m->rm_so == m->rm_eo ? -1 : atol(text + m->rm_so);
}

/* The bytes of one range of a small file, one after the other.  -1: broken. */
static int model_one(const char *text, long size, struct http_range *r)
{
    regmatch_t m[3];
    long first, last;

    *r = (struct http_range){ 0, 0 };
    if (regexec(&suffix, text, 3, m, 0) == 0) {
        first = size - number(text, &m[1]);
        last = size - 1;
    } else if (regexec(&span, text, 3, m, 0) == 0) {
        first = number(text, &m[1]);
        last = number(text, &m[2]);
        if (last >= 0 && last < first)
            return -1;
        if (last < 0)
            last = size;
    } else {
        return -1;
    }
    for (long byte = 0; byte < size; byte++)
        if (byte >= first && byte <= last && r->len++ == 0)
            r->first = (uint64_t)byte;
    if (size == 0 && first <= 0)
        return 1;
    return 0;
}

static int model(const char *value, long size, struct http_range *out)
{
    char copy[256], *rest = copy, *word;
    uint64_t total = 0;
    int n = 0, whole = 0, words = 0;

    snprintf(copy, sizeof copy, "%s", value + strlen("bytes="));
    while ((word = strsep(&rest, ",")) != NULL) {
        struct http_range r;
        char *end = word + strlen(word);

        word += strspn(word, " \t");
        while (end > word && (end[-1] == ' ' || end[-1] == '\t'))
            *--end = '\0';
        if (*word == '\0')
            continue;
        int one = model_one(word, size, &r);
        if (one < 0)
            return 0;
        words++;
        whole += one;
        total += r.len;
        if (r.len > 0 && n++ < MAX)
            out[n - 1] = r;
    }
    if (whole > 0 || words == 0 || n > MAX || total > (uint64_t)size)
        return 0;
    return n > 0 ? n : -1;
}

static uint64_t seed = 88172645463325252u;

static unsigned roll(unsigned n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % n;
}

static void make(char *value, size_t room)
{
    static const char *const odd[] = { " ", "\t", ",", "-", "", "x", "0" };
    size_t len = (size_t)snprintf(value, room, "bytes=");
    unsigned words = 1 + roll(10);

    while (words-- > 0 && len < room - 64) {
        char *p = value + len;

        switch (roll(8)) {
        case 0:
            len += (size_t)sprintf(p, "-%u", roll(30));
            break;
        case 1:
            len += (size_t)sprintf(p, "%u-", roll(30));
            break;
        case 2:
            len += (size_t)sprintf(p, "%s%u%s-%u", odd[roll(7)], roll(30),
                                   odd[roll(4)], roll(30));
            break;
        default:
            len += (size_t)sprintf(p, "%u-%u", roll(12), 10 + roll(20));
        }
        if (words > 0 || roll(4) == 0)
            len += (size_t)sprintf(value + len, "%s,%s", odd[roll(3)],
                                   odd[roll(40) < 39 ? 4 : roll(7)]);
    }
}

static void as_the_model(void)
{
    long counts[3] = { 0, 0, 0 };

    CHECK(regcomp(&span, "^([0-9]+)-([0-9]*)$", REG_EXTENDED) == 0);
    CHECK(regcomp(&suffix, "^-([0-9]+)$", REG_EXTENDED) == 0);
    for (long i = test_count(1000000); i > 0; i--) {
        struct http_range expected[MAX];
        char value[256];
        long size = roll(4) == 0 ? roll(4) : roll(300);
        int n;

        make(value, sizeof value);
        n = model(value, size, expected);
        check(value, (uint64_t)size, n, expected);
        counts[n < 0 ? 0 : n == 0 ? 1 : 2]++;
    }
    /* It asked questions of all kinds. */
    CHECK(counts[0] > 0 && counts[1] > counts[0] && counts[2] > counts[0]);
    regfree(&span);
    regfree(&suffix);
}

int main(void)
{
    RUN(good);
    RUN(ignored);
    RUN(not_satisfiable);
    RUN(empty_file);
    RUN(large);
    RUN(as_the_model);
    return 0;
}
