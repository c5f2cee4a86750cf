/* http_target_test.c - hosts, escapes and dots.
 *
 * The forms of targets are in http_parse_test.c, with the requests they are in.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_kit.h"

static struct kit_guarded guarded;

static void hosts(void)
{
    static const char *const good[] = {
        "",
        "a",
        "a:",
        "a:0",
        "a:65535",
        "1.2.3.4",
        "[::1]",
        "[1:2::]:8",
        "a_b~c!$&'()",
        "%41%7a.b",
        "x.y.z:80",
        "*+,;=.com",
        "[::ffff:1.2.3.4]",
        "a-name-of-more-than-thirty-two-bytes.example.com:8080",
    };
    static const char *const bad[] = {
        " ",
        "a b",
        "a:b",
        "a:65536",
        "a:1:2",
        "a@b",
        "a/b",
        "a?b",
        "a#b",
        "a\\b",
        "%",
        "%4",
        "%4g",
        "%g4",
        "[",
        "[]",
        "[:]",
        "[::1",
        "::1",
        "[::1]a",
        "[::g]",
        "[v1.a]",
        "a\x80",
        "[::1%eth0]",
        "a[::1]",
        "<a>",
        "a:99999999999999",
        "a:-1",
        "a:+1",
        "\"a\"",
        "[1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb]",
    };

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        size_t len = strlen(good[i]);

        if (!http_host_valid(kit_put(&guarded, good[i], len), len)) {
            fprintf(stderr, "refused: '%s'\n", good[i]);
            exit(1);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t len = strlen(bad[i]);

        if (http_host_valid(kit_put(&guarded, bad[i], len), len)) {
            fprintf(stderr, "taken: '%s'\n", bad[i]);
            exit(1);
        }
    }
}

static void check_decode(const char *from, const char *to)
{
    size_t len = strlen(from);
    char dst[128], same[128];
    const char *src = kit_put(&guarded, from, len);
    ssize_t n = http_percent_decode(dst, src, len);

    memcpy(same, src, len);
    CHECK_EQ(http_percent_decode(same, same, len), n);
    if (to == NULL) {
        CHECK_EQ(n, -1);
        return;
    }
    CHECK_EQ(n, strlen(to));
    CHECK(memcmp(dst, to, (size_t)n) == 0);
    CHECK(memcmp(same, to, (size_t)n) == 0);
}

static void escapes(void)
{
    check_decode("", "");
    check_decode("abc", "abc");
    check_decode("a+b%20c", "a+b c");
    check_decode("%41%62%c3%A4%2f%25", "Ab\xc3\xa4/%");
    check_decode("%0d%0a%ff", "\r\n\xff");
    check_decode("0123456789abcdef0123456789abcdef%41x",
                 "0123456789abcdef0123456789abcdefAx");
    check_decode("%2541", "%41");
    check_decode("%", NULL);
    check_decode("a%4", NULL);
    check_decode("%4g", NULL);
    check_decode("%g4", NULL);
    check_decode("%%41", NULL);
    check_decode("% 41", NULL);
    check_decode("%+1", NULL);
    check_decode("a%00", NULL);
    check_decode("%00a", NULL);
}

static void every_escape(void)
{
    for (int c = 1; c < 256; c++) {
        char s[8], out[8];

        snprintf(s, sizeof s, c & 1 ? "%%%02x" : "%%%02X", c);
        CHECK_EQ(http_percent_decode(out, s, 3), 1);
        CHECK_EQ((unsigned char)out[0], c);
    }
}

static void check_resolve(const char *from, const char *to)
{
    char *path = kit_put(&guarded, from, strlen(from));
    ssize_t n = http_path_resolve(path, strlen(from));

    if (to == NULL
            ? n != -1
            : n != (ssize_t)strlen(to) || memcmp(path, to, strlen(to)) != 0) {
        fprintf(stderr, "'%s' became %zd '%.*s', not '%s'\n", from, n,
                n > 0 ? (int)n : 0, path, to);
        exit(1);
    }
}

static void dots(void)
{
    check_resolve("/", "/");
    check_resolve("/a/b", "/a/b");
    check_resolve("/a/./b", "/a/b");
    check_resolve("/a/../b", "/b");
    check_resolve("/a/b/../../c", "/c");
    check_resolve("/a/b/..", "/a/");
    check_resolve("/a/.", "/a/");
    check_resolve("/.", "/");
    check_resolve("/a/..", "/");
    check_resolve("/a/../", "/");
    check_resolve("/./././a/", "/a/");
    check_resolve("/.a/..b/c./...", "/.a/..b/c./...");
    check_resolve("//a//b", "//a//b");
    check_resolve("/a//../b", "/a/b");
    check_resolve("", NULL);
    check_resolve("a", NULL);
    check_resolve("/..", NULL);
    check_resolve("/../", NULL);
    check_resolve("/a/../../b", NULL);
    check_resolve("/./../b", NULL);
    check_resolve("/a/b/../../../c", NULL);
}

int main(void)
{
    kit_guard(&guarded, 4096);
    RUN(hosts);
    RUN(escapes);
    RUN(every_escape);
    RUN(dots);
    kit_unguard(&guarded);
    return 0;
}
