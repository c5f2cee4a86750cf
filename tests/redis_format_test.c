/* redis_format_test.c - commands come out as hiredis makes them, byte by byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis_format.h"
#include "tests/test.h"
#include <hiredis/hiredis.h>
#include <limits.h>

/* Appends to what is there. */
static int ours(sds *to, const char *format, ...)
{
    struct redis_command c;
    va_list args;
    int r;

    va_start(args, format);
    r = redis_command_begin(&c, format, args);
    va_end(args);
    if (r < 0)
        return -1;
    CHECK_EQ(redis_command_append(&c, to), 0);
    redis_command_end(&c);
    return 0;
}

static void is_same(sds got, const char *theirs, int len)
{
    CHECK(len > 0);
    if (sdslen(got) != (size_t)len + 1 || memcmp(got + 1, theirs, (size_t)len))
        fprintf(stderr, "    %s instead of %s\n", got + 1, theirs);
    CHECK_EQ(sdslen(got), len + 1);
    CHECK_EQ(memcmp(got, "x", 1), 0);
    CHECK_EQ(memcmp(got + 1, theirs, (size_t)len), 0);
    CHECK_EQ(got[len + 1], '\0');
}

#define SAME(...)                                                              \
    do {                                                                       \
        sds got = sdsnew("x");                                                 \
        char *theirs = NULL;                                                   \
        int len = redisFormatCommand(&theirs, __VA_ARGS__);                    \
                                                                               \
        CHECK(got != NULL);                                                    \
        CHECK_EQ(ours(&got, __VA_ARGS__), 0);                                  \
        is_same(got, theirs, len);                                             \
        redisFreeCommand(theirs);                                              \
        sdsfree(got);                                                          \
    } while (0)

static void texts(void)
{
    char large[100001];

    SAME("PING");
    SAME("  GET   key  ");
    SAME("GET %s", "");
    SAME("GET %s", "a key with spaces\r\n%s");
    SAME("SET k:%s:x%s %s", "a", "b", "");
    SAME("SET %b %b", "a\0b", (size_t)3, (char *)NULL, (size_t)0);
    SAME("%s", "");
    SAME("%s%s", "", "");
    SAME(" %s %s ", "a", "b");
    memset(large, 'y', sizeof large - 1);
    for (size_t n = 1; n < sizeof large; n *= 10) {
        large[n] = '\0';
        SAME("SET %s %s", large, large);
        large[n] = 'y';
        SAME("ECHO %b", large, n - 1);
    }
}

static void numbers(void)
{
    SAME("SET n %d", 0);
    SAME("SET n:%d %d", INT_MAX, INT_MIN);
    SAME("SET n:%i %u", -1, UINT_MAX);
    SAME("SET n:%ld %lu", LONG_MIN, ULONG_MAX);
    SAME("SET n:%lld %llu", LLONG_MIN, ULLONG_MAX);
    SAME("SET %li-%lli %d%%", 7L, -7LL, 50);
    SAME("SET n %d%s%d", 10, ",", 99);
}

/* What hiredis does for it. */
static void rare(void)
{
    SAME("SET n %f", 1.5);
    SAME("SET n %08.3f%s", -1.5, "x");
    SAME("SET n %5d %-5d| %x", 1, 2, 255);
    SAME("SET n %hhd %hd", 1, 2);
    SAME("SET 100%% %%");
    SAME("SET a %");
    SAME("a b c d e f g h i j k l m n o p");
    SAME("a b c d e f g h i j k l m n o p q r s %s", "t");
    SAME("%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s",
         "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e",
         "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s",
         "t", "u", "v", "w", "x");
    SAME("%lld %lld %lld %lld %lld %lld %lld", LLONG_MIN, LLONG_MIN, LLONG_MIN,
         LLONG_MIN, LLONG_MIN, LLONG_MIN, LLONG_MIN);
}

static void wrong(void)
{
    static const char *const formats[] = { "", "   ", "GET %y", "GET %l" };
    sds got = sdsnew("x");

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        errno = 0;
        CHECK_EQ(ours(&got, formats[i], 1), -1);
        CHECK_EQ(errno, EINVAL);
    }
    CHECK_EQ(strcmp(got, "x"), 0);
    sdsfree(got);
}

int main(void)
{
    RUN(texts);
    RUN(numbers);
    RUN(rare);
    RUN(wrong);
    return 0;
}
