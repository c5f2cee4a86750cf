/* http_chunked_test.c - chunked bodies, at once and in every possible piece.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_kit.h"

enum { EXTENSION_MAX = 64, TRAILER_MAX = 64 };

static const struct {
    const char *name;
    const char *text;
    const char *data; /* NULL: refused with error */
    int error;
} cases[] = {
    /* clang-format off */
    { "no_data", "0\r\n\r\n", "", 0 },
    { "one_chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", 0 },
    { "chunks", "1\r\na\r\n00b\r\nbcdefghijkl\r\nA\r\n0123456789\r\n000\r\n\r\n", "abcdefghijkl0123456789", 0 },
    { "line_ends_in_data", "6\r\n\r\n0\r\n\r\r\n0\r\n\r\n", "\r\n0\r\n\r", 0 },
    { "extension", "5;a=b;c;d=\"e;f\"\r\nhello\r\n0;x\r\n\r\n", "hello", 0 },
    { "extension_space", "5 \t;a = b\r\nhello\r\n0\r\n\r\n", "hello", 0 },
    { "trailer", "1\r\na\r\n0\r\nA: b\r\nC-d:\te\xff\r\n\r\n", "a", 0 },
    { "trailer_framing_ignored", "1\r\na\r\n0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n", "a", 0 },
    { "sixteen_digits", "0000000000000001\r\na\r\n0\r\n\r\n", "a", 0 },

    { "size_missing", "\r\n", NULL, 400 },
    { "size_word", "x\r\n", NULL, 400 },
    { "size_0x", "0x5\r\nhello\r\n", NULL, 400 },
    { "size_minus", "-5\r\nhello\r\n", NULL, 400 },
    { "size_plus", "+5\r\nhello\r\n", NULL, 400 },
    { "size_space_before", " 5\r\nhello\r\n", NULL, 400 },
    { "size_space_behind", "5 \r\nhello\r\n", NULL, 400 },
    { "size_underscore", "1_0\r\nhello\r\n", NULL, 400 },
    { "size_seventeen_digits", "00000000000000005\r\nhello\r\n", NULL, 400 },
    { "size_overflow", "10000000000000005\r\nhello\r\n", NULL, 400 },
    { "size_negative", "8000000000000000\r\nhello\r\n", NULL, 400 },
    { "size_lf_alone", "5\nhello\r\n", NULL, 400 },
    { "size_cr_alone", "5\rhello\r\n", NULL, 400 },
    { "data_too_long", "5\r\nhello!\r\n", NULL, 400 },
    { "data_lf_alone", "5\r\nhello\n0\r\n\r\n", NULL, 400 },
    { "data_cr_alone", "5\r\nhello\r0\r\n\r\n", NULL, 400 },
    { "extension_lf_alone", "5;a\nhello\r\n", NULL, 400 },
    { "extension_bare_cr", "5;a\rb\r\nhello\r\n", NULL, 400 },
    { "extension_control", "5;a\x01\r\nhello\r\n", NULL, 400 },
    { "extension_empty", "5;\r\nhello\r\n", NULL, 400 },
    { "extension_no_name", "5; =a\r\nhello\r\n", NULL, 400 },
    { "extension_long", "5;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", NULL, 400 },
    { "extensions_long", "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nh\r\n1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", NULL, 400 },
    { "trailer_fold", "0\r\nA: b\r\n c\r\n\r\n", NULL, 400 },
    { "trailer_space_before_colon", "0\r\nA : b\r\n\r\n", NULL, 400 },
    { "trailer_no_name", "0\r\n: b\r\n\r\n", NULL, 400 },
    { "trailer_no_colon", "0\r\nA\r\n\r\n", NULL, 400 },
    { "trailer_lf_alone", "0\r\nA: b\n\r\n", NULL, 400 },
    { "trailer_end_lf_alone", "0\r\n\n", NULL, 400 },
    { "trailer_end_cr_alone", "0\r\n\rX", NULL, 400 },
    { "trailer_bare_cr", "0\r\nA: b\rc\r\n\r\n", NULL, 400 },
    { "trailer_long", "0\r\nA: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\r\n", NULL, 431 },
    /* clang-format on */
};

static struct kit_guarded guarded;

/* Decodes text given in pieces, with other bytes behind its end; the data goes
 * to out.  How many bytes the body had, or -1. */
static ssize_t decode(struct http_chunked *c, const char *text, size_t len,
                      size_t step, char *out, size_t *size)
{
    size_t at = 0;

    *size = 0;
    memset(c, 0, sizeof *c);
    c->extension_max = EXTENSION_MAX;
    c->trailer_max = TRAILER_MAX;
    http_chunked_start(c);
    while (at < len && !c->done) {
        size_t piece = step < len - at ? step : len - at;
        const char *buf = kit_put(&guarded, text + at, piece);
        size_t used = 0;

        while (used < piece && !c->done) {
            const char *data;
            size_t n;
            ssize_t r =
                http_chunked_next(c, buf + used, piece - used, &data, &n);

            if (r < 0)
                return -1;
            CHECK(r > 0);
            CHECK(n == 0 || (data >= buf + used && data + n <= buf + piece));
            memcpy(out + *size, data, n);
            *size += n;
            used += (size_t)r;
        }
        at += used;
    }
    return (ssize_t)at;
}

static void bodies(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256], out[256];
        size_t len = strlen(cases[i].text), size;
        struct http_chunked c;

        fprintf(stderr, "    %s\n", cases[i].name);
        /* A decoder that took a wrong one would come to an end. */
        snprintf(text, sizeof text, "%s%s", cases[i].text,
                 cases[i].data != NULL ? "GET / HTTP" : "0\r\n\r\n");
        for (size_t step = 1; step <= len + 10; step++) {
            ssize_t n = decode(&c, text, strlen(text), step, out, &size);

            if (cases[i].data == NULL) {
                CHECK_EQ(n, -1);
                CHECK_EQ(c.error, cases[i].error);
                CHECK(c.why != NULL);
                continue;
            }
            CHECK_EQ(n, len);
            CHECK(c.done);
            CHECK_EQ(size, strlen(cases[i].data));
            CHECK(memcmp(out, cases[i].data, size) == 0);
        }
    }
}

static void an_error_stays(void)
{
    struct http_chunked c = { .extension_max = 1, .trailer_max = 1 };
    const char *data;
    size_t size;

    CHECK_EQ(http_chunked_next(&c, "x", 1, &data, &size), -1);
    CHECK_EQ(http_chunked_next(&c, "5", 1, &data, &size), -1);
    http_chunked_start(&c);
    CHECK_EQ(http_chunked_next(&c, "5", 1, &data, &size), 1);
}

/* A long body of tiny chunks without extensions meets no limit. */
static void tiny_chunks(void)
{
    struct http_chunked c = { .extension_max = 16, .trailer_max = 16 };
    const char *data;
    size_t size;

    for (int i = 0; i < 100000; i++) {
        CHECK_EQ(http_chunked_next(&c, "1\r\nx\r\n", 6, &data, &size), 6);
        CHECK_EQ(size, 1);
    }
    CHECK_EQ(http_chunked_next(&c, "0\r\n\r\nx", 6, &data, &size), 5);
    CHECK(c.done);
}

/* An extension that is small beside its data is not counted: signatures. */
static void signed_chunks(void)
{
    struct http_chunked c = { .extension_max = 64, .trailer_max = 16 };
    static char chunk[4096 + 64];
    int len = snprintf(chunk, sizeof chunk, "1000;signature=0123456789abcdef");
    const char *data;
    size_t size;

    memcpy(chunk + len, "\r\n", 2);
    memcpy(chunk + len + 2 + 4096, "\r\n", 2);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(http_chunked_next(&c, chunk, (size_t)len + 4100, &data, &size),
                 len + 4100);
        CHECK_EQ(size, 4096);
    }
}

int main(void)
{
    kit_guard(&guarded, 4096);
    RUN(bodies);
    RUN(an_error_stays);
    RUN(tiny_chunks);
    RUN(signed_chunks);
    kit_unguard(&guarded);
    return 0;
}
