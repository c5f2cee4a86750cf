/* http_urlencoded_test.c - name=value pairs: taken apart, found, refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_urlencoded.h"
#include "tests/http_kit.h"

/* Each name=value, with a bar behind it; "!" when it is broken. */
static const struct {
    const char *text, *told;
} texts[] = {
    { "", "" },
    { "a=b", "a=b|" },
    { "a=b&c=d", "a=b|c=d|" },
    { "a=b&a=c&a=b", "a=b|a=c|a=b|" },
    { "a", "a=|" },
    { "a=", "a=|" },
    { "=", "=|" },
    { "=a", "=a|" },
    { "a&b&", "a=|b=|" },
    { "&&a=b&&", "a=b|" },
    { "&", "" },
    { "a=b=c", "a=b=c|" },
    { "a;b=c;d", "a;b=c;d|" },
    { "a+b=c+d+", "a b=c d |" },
    { "%61=%62", "a=b|" },
    { "a%3Db=c%26d", "a=b=c&d|" },
    { "a=%2B%2b", "a=++|" },
    { "a=%25", "a=%|" },
    { "a=%2541", "a=%41|" },
    { "a=%ff\xff", "a=\xff\xff|" },
    { "a=%c3%a4", "a=\xc3\xa4|" },
    { "a=%0a%0D", "a=\n\r|" },
    { "%", "!" },
    { "a=%", "!" },
    { "a=%4", "!" },
    { "a=%4&b", "!" },
    { "a=%4g", "!" },
    { "a=%g4", "!" },
    { "a=%%41", "!" },
    { "a=%+1", "!" },
    { "a=%00", "!" },
    { "%00", "!" },
    { "a=b&c=%u0041", "!" },
    { "%=b&c=d", "!" },
};

static void taken_apart(void)
{
    struct kit_guarded g;
    char told[200];

    kit_guard(&g, 200);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t len = strlen(texts[i].text), at = 0;
        size_t count =
            http_urlencoded_count(kit_put(&g, texts[i].text, len), len);
        struct http_pair pairs[8];
        ssize_t n = http_urlencoded_split(kit_put(&g, texts[i].text, len + 1),
                                          len, pairs);

        told[0] = '\0';
        if (n < 0)
            strcpy(told, "!");
        else
            CHECK_EQ(n, count);
        for (ssize_t k = 0; k < n; k++)
            at += (size_t)snprintf(told + at, sizeof told - at, "%s=%s|",
                                   pairs[k].name, pairs[k].value);
        if (strcmp(told, texts[i].told) == 0)
            continue;
        fprintf(stderr, "'%s': '%s', not '%s'\n", texts[i].text, told,
                texts[i].told);
        exit(1);
    }
    kit_unguard(&g);
}

static void zero_byte(void)
{
    char text[] = "a=b\0c";
    struct http_pair pairs[2];

    CHECK_EQ(http_urlencoded_split(text, sizeof text - 1, pairs), -1);
}

/* What is found is what stands first among the pairs, and all that is broken
 * is found to be. */
static void found(void)
{
    static const char alphabet[] = "ab==&&%2+1g4";
    unsigned seed = 1, good = 0;

    for (long i = test_count(1000000); i > 0; i--) {
        char text[16], copy[16], value[16];
        struct http_pair pairs[8];
        const char *wanted = NULL, *at;
        size_t len, value_len = 0;
        ssize_t n;

        seed = seed * 1103515245 + 12345;
        len = (seed >> 16) % sizeof text;
        for (size_t k = 0; k < len; k++) {
            seed = seed * 1103515245 + 12345;
            text[k] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        memcpy(copy, text, len);
        n = http_urlencoded_split(copy, len, pairs);
        for (ssize_t k = n - 1; k >= 0; k--)
            if (strcmp(pairs[k].name, "a") == 0)
                wanted = pairs[k].value;
        at = http_urlencoded_find(text, len, "a", &value_len);
        CHECK_EQ(at == NULL, wanted == NULL);
        if (at == NULL) {
            CHECK_EQ(errno, n < 0 ? EBADMSG : ENOENT);
            continue;
        }
        CHECK_EQ(http_urlencoded_decode(value, at, value_len), strlen(wanted));
        CHECK(strcmp(value, wanted) == 0);
        good++;
    }
    CHECK(good > 0);
}

int main(void)
{
    RUN(taken_apart);
    RUN(zero_byte);
    RUN(found);
    return 0;
}
