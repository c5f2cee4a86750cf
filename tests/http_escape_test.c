/* http_escape_test.c - texts in paths and pages; iconv(3) knows what UTF-8 is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_escape.h"
#include "tests/test.h"
#include <iconv.h>

typedef size_t escape_fn(char *out, const char *text, size_t len);

/* Into as much room as may be needed, and not a byte more. */
static char *escape(escape_fn *fn, const char *text, size_t len)
{
    size_t room = fn == http_escape_path ? HTTP_ESCAPED_MAX(len)
                                         : HTTP_ESCAPED_HTML_MAX(len);
    char *out = malloc(room), *copy = malloc(len + 1);

    CHECK(out != NULL && copy != NULL);
    memcpy(copy, text, len);
    size_t n = fn(out, copy, len);
    CHECK(n < room && out[n] == '\0' && strlen(out) == n);
    free(copy);
    return out;
}

static void check(escape_fn *fn, const char *text, const char *expected)
{
    char *out = escape(fn, text, strlen(text));

    if (strcmp(out, expected) != 0)
        fprintf(stderr, "'%s' became '%s', not '%s'\n", text, out, expected);
    CHECK(strcmp(out, expected) == 0);
    free(out);
}

static void paths(void)
{
    check(http_escape_path, "", "");
    check(http_escape_path, "/a/b-c_d.e~f/0189AZaz", "/a/b-c_d.e~f/0189AZaz");
    check(http_escape_path, "a b+c", "a%20b%2Bc");
    check(http_escape_path, "100%", "100%25");
    check(http_escape_path, "%41", "%2541");
    check(http_escape_path, "javascript:alert(1)", "javascript%3Aalert%281%29");
    check(http_escape_path, "a?b#c;d&e=f", "a%3Fb%23c%3Bd%26e%3Df");
    check(http_escape_path, "'\"<>\\", "%27%22%3C%3E%5C");
    check(http_escape_path, "\n\x7f\xff\xc3\xa4", "%0A%7F%FF%C3%A4");
    check(http_escape_path, "@[`{", "%40%5B%60%7B");
}

/* Each byte means itself again. */
static void every_byte(void)
{
    for (int c = 0; c < 256; c++) {
        char byte = (char)c, *out = escape(http_escape_path, &byte, 1);
        unsigned value;

        if (out[0] == '%') {
            CHECK_EQ(sscanf(out, "%%%2X", &value), 1);
            CHECK_EQ(value, c);
            CHECK_EQ(strlen(out), 3);
        } else {
            CHECK_EQ((unsigned char)out[0], c);
        }
        free(out);
    }
}

#define BAD "\xef\xbf\xbd"

static void pages(void)
{
    check(http_escape_html, "", "");
    check(http_escape_html, "plain text, ok.", "plain text, ok.");
    check(http_escape_html, "<a href=\"x\">'&'</a>",
          "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    check(http_escape_html, "&lt;", "&amp;lt;");
    check(http_escape_html, "a\nb\tc\x1b\x7f", "a" BAD "b" BAD "c" BAD BAD);
    check(http_escape_html, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
          "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
    check(http_escape_html, "\xff\xfe", BAD BAD);
    check(http_escape_html, "\xc3", BAD);
    check(http_escape_html, "\xc3<", BAD "&lt;");
    check(http_escape_html, "\xe2\x82", BAD BAD);
    check(http_escape_html, "\xc0\xbc", BAD BAD);         /* '<', 2 bytes */
    check(http_escape_html, "\xe0\x80\xbc", BAD BAD BAD); /* 3 bytes */
    check(http_escape_html, "\xf0\x80\x80\xbc", BAD BAD BAD BAD);
    check(http_escape_html, "\xed\xa0\x80", BAD BAD BAD); /* a surrogate */
    check(http_escape_html, "\xf4\x90\x80\x80", BAD BAD BAD BAD);
    check(http_escape_html, "\xc2\x85", BAD BAD); /* a control */
    check(http_escape_html, "\xc2\xa0", "\xc2\xa0");
}

/* What iconv(3) takes for one character stays as it is, but controls and what
 * has entities; all else becomes U+FFFD. */
static void as_iconv(void)
{
    iconv_t c = iconv_open("UTF-32LE", "UTF-8");
    long step = (400 / test_count(400)) | 1;

    CHECK(c != (iconv_t)-1);
    for (unsigned n = 0; n < 1u << 24; n += (unsigned)step) {
        char text[4] = { (char)(n >> 16), (char)(n >> 8), (char)n, (char)n };
        unsigned code;
        char *in = text, *to = (char *)&code;
        size_t left = 3 + ((unsigned char)text[0] >= 0xf0), room = sizeof code;
        bool whole;

        if ((unsigned char)text[0] < 0x80)
            continue;
        (void)iconv(c, NULL, NULL, NULL, NULL);
        (void)iconv(c, &in, &left, &to, &room);
        size_t len = (size_t)(in - text);
        whole = room == 0 && code >= 0xa0;
        char out[HTTP_ESCAPED_HTML_MAX(4)];
        (void)http_escape_html(out, text, 4);
        if (whole != (memcmp(out, text, len) == 0 && len > 0))
            fprintf(stderr, "%02x %02x %02x: %s\n", n >> 16, n >> 8 & 255,
                    n & 255, out);
        CHECK_EQ(whole, len > 0 && memcmp(out, text, len) == 0);
        if (!whole)
            CHECK(memcmp(out, BAD, 3) == 0);
    }
    (void)iconv_close(c);
}

int main(void)
{
    RUN(paths);
    RUN(every_byte);
    RUN(pages);
    RUN(as_iconv);
    return 0;
}
