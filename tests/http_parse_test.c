/* http_parse_test.c - heads, at once and in every possible piece.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_cases.h"
#include "tests/http_kit.h"

static struct http_scan_variant variants[4];
static unsigned variant_count;
static struct kit_guarded guarded;

static void check_case(const struct http_case *c, int asked, bool print)
{
    size_t len = strlen(c->text);
    const char *buf = kit_put(&guarded, c->text, len);
    struct kit_head k;
    char tells[1024];

    if (print)
        fprintf(stderr, "    %s\n", c->name);
    kit_start(&k);
    ssize_t n = kit_parse(&k, buf, len, asked);
    if (c->tells == NULL) {
        if (n == -1 && k.h.error == c->error && k.h.why != NULL)
            return;
        fprintf(stderr, "%s: %zd, error %d, not %d\n", c->name, n, k.h.error,
                c->error);
        exit(1);
    }
    if (n != (ssize_t)len ||
        strcmp(kit_tell(&k, buf, tells, sizeof tells), c->tells) != 0) {
        fprintf(stderr, "%s: %zd of %zu, %s\n  told:   %s\n  wanted: %s\n",
                c->name, n, len, k.h.why, n > 0 ? tells : "", c->tells);
        exit(1);
    }
    CHECK_EQ(kit_parse(&k, buf, len, asked), n);
}

static void requests(void)
{
    for (size_t i = 0; i < sizeof request_cases / sizeof *request_cases; i++)
        check_case(&request_cases[i], -1, true);
}

static void responses(void)
{
    for (size_t i = 0; i < sizeof response_cases / sizeof *response_cases; i++)
        check_case(&response_cases[i], response_cases[i].asked, true);
}

/* Gives it in pieces of step bytes, each time in another place in memory and
 * with an unreadable page behind; what is said must be what is said at once,
 * and as soon as the bytes are there that decide. */
static void check_pieces(const char *text, size_t len, int asked, size_t step)
{
    struct kit_head whole, pieces, prefix;
    ssize_t n, m = 0;
    size_t given = 0;

    kit_start(&whole);
    n = kit_parse(&whole, text, len, asked);
    kit_start(&pieces);
    while (m == 0 && given < len) {
        given = given + step < len ? given + step : len;
        const char *buf = kit_put(&guarded, text, given);
        m = kit_parse(&pieces, buf, given, asked);
        kit_start(&prefix);
        CHECK_EQ(kit_parse(&prefix, buf, given, asked), m);
        CHECK_EQ(prefix.h.error, pieces.h.error);
    }
    CHECK_EQ(m, n);
    if (n > 0)
        CHECK(given >= (size_t)n && given < (size_t)n + step);
    CHECK(n == 0 || kit_same(&whole, &pieces));
}

static void each_piece(const struct http_case *c, int asked)
{
    size_t len = strlen(c->text);

    for (unsigned v = 0; v < variant_count; v++) {
        atomic_store(&http_scan_chosen, variants[v].scan);
        check_pieces(c->text, len, asked, 1);
        check_pieces(c->text, len, asked, 2);
        check_pieces(c->text, len, asked, 7);
        check_pieces(c->text, len, asked, 33);
        check_case(c, asked, false);
    }
}

static void requests_in_pieces(void)
{
    for (size_t i = 0; i < sizeof request_cases / sizeof *request_cases; i++)
        each_piece(&request_cases[i], -1);
}

static void responses_in_pieces(void)
{
    for (size_t i = 0; i < sizeof response_cases / sizeof *response_cases; i++)
        each_piece(&response_cases[i], response_cases[i].asked);
}

/* Each byte of a request replaced by each other one: nothing is read behind the
 * end, and pieces say the same. */
static void any_byte(void)
{
    static const char text[] =
        "POST /a?b HTTP/1.1\r\nHost: a:1\r\nContent-Length: 5\r\n\r\n";
    char s[sizeof text];
    size_t len = sizeof text - 1;

    for (size_t i = 0; i < len; i++)
        for (int c = 0; c < 256; c++) {
            memcpy(s, text, sizeof text);
            s[i] = (char)c;
            check_pieces(s, len, -1, 1 + (size_t)c % 9);
        }
}

static void nul_is_refused(void)
{
    static const char *const texts[] = {
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /@ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nA@: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nA: b@c\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char s[64];
        size_t len = strlen(texts[i]);
        struct kit_head k;

        memcpy(s, texts[i], len);
        *(char *)memchr(s, '@', len) = '\0';
        kit_start(&k);
        CHECK_EQ(http_parse_request(&k.h, s, len), -1);
        CHECK_EQ(k.h.error, 400);
    }
}

/* Exactly at the limit is allowed, one more is not, whatever the pieces. */
static int limited(const char *text, uint32_t target, uint32_t bytes,
                   uint32_t fields, size_t step)
{
    struct kit_head k;
    size_t len = strlen(text);
    ssize_t n = 0;

    kit_start(&k);
    k.h.target_max = target;
    k.h.bytes_max = bytes;
    k.h.fields_max = fields;
    for (size_t given = step; n == 0; given += step) {
        size_t now = given < len ? given : len;

        n = http_parse_request(&k.h, text, now);
        CHECK(n != 0 || now < len);
    }
    return n > 0 ? 0 : k.h.error;
}

static void limits(void)
{
    static const char text[] =
        "GET /abc?def HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";
    static const char other[] =
        "PUT /abc?def HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n";

    for (size_t step = 1; step < sizeof text; step++) {
        CHECK_EQ(limited(text, 8, 17, 2, step), 0);
        CHECK_EQ(limited(text, 7, 17, 2, step), 414);
        CHECK_EQ(limited(text, 3, 17, 2, step), 414);
        CHECK_EQ(limited(other, 8, 17, 2, step), 0);
        CHECK_EQ(limited(other, 7, 17, 2, step), 414);
        CHECK_EQ(limited(other, 4, 17, 2, step), 414);
        for (uint32_t bytes = 0; bytes < 17; bytes++)
            CHECK_EQ(limited(text, 8, bytes, 2, step), 431);
        CHECK_EQ(limited(text, 8, 17, 1, step), 431);
        CHECK_EQ(limited(text, 8, 17, 0, step), 431);
    }
}

/* Work for a head that comes byte by byte grows with its length, not with the
 * square: half a megabyte of it takes a moment, not minutes. */
static void bytes_are_read_once(void)
{
    size_t size = (size_t)1 << (under_valgrind() ? 14 : 19);
    char *s = malloc(size);
    static const char start[] = "GET / HTTP/1.1\r\nHost: a\r\nA: ";
    struct kit_head k;
    long long begin = test_now_ms();

    CHECK(s != NULL);
    memset(s, 'x', size);
    memcpy(s, start, sizeof start - 1);
    kit_start(&k);
    k.h.bytes_max = (uint32_t)size;
    for (size_t len = 1; len <= size; len++)
        CHECK_EQ(http_parse_request(&k.h, s, len), 0);
    CHECK(test_now_ms() - begin < 10000);
    free(s);
}

static void slices(void)
{
    static const char s[] = "\r\nDELETE http://b:8/c%20d?e HTTP/1.1\r\n"
                            "HOST:  a \t\r\nX-A: 1\r\nx-a:\t2 3\t\r\n\r\nbody";
    struct kit_head k;

    kit_start(&k);
    CHECK_EQ(http_parse_request(&k.h, s, sizeof s - 1), sizeof s - 1 - 4);
    CHECK(kit_is(s, k.h.method, "DELETE"));
    CHECK(kit_is(s, k.h.target, "http://b:8/c%20d?e"));
    CHECK(kit_is(s, k.h.path, "/c%20d"));
    CHECK(kit_is(s, k.h.query, "e"));
    CHECK(kit_is(s, k.h.authority, "b:8"));
    CHECK_EQ(k.h.method_id, HTTP_DELETE);
    CHECK_EQ(k.h.count, 3);
    CHECK_EQ(k.h.host, 0);
    CHECK(kit_is(s, k.fields[0].name, "HOST"));
    CHECK(kit_is(s, k.fields[0].value, "a"));
    CHECK(kit_is(s, k.fields[2].value, "2 3"));
    CHECK_EQ(http_field_find(&k.h, s, "x-a", 0), 1);
    CHECK_EQ(http_field_find(&k.h, s, "x-a", 2), 2);
    CHECK_EQ(http_field_find(&k.h, s, "x-a", 3), -1);
    CHECK_EQ(http_field_find(&k.h, s, "host", 0), 0);
}

static void methods(void)
{
    static const char *const names[] = {
        "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"
    };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char s[64];
        struct kit_head k;
        int len = snprintf(s, sizeof s, "%s / HTTP/1.0\r\n\r\n", names[i]);

        kit_start(&k);
        CHECK_EQ(http_parse_request(&k.h, s, (size_t)len), len);
        CHECK_EQ(k.h.method_id, HTTP_GET + i);
        s[0] |= 0x20;
        kit_start(&k);
        CHECK_EQ(http_parse_request(&k.h, s, (size_t)len), len);
        CHECK_EQ(k.h.method_id, HTTP_OTHER);
    }
}

int main(void)
{
    variant_count = http_scan_variants(variants);
    kit_guard(&guarded, 4096);
    RUN(requests);
    RUN(responses);
    RUN(requests_in_pieces);
    RUN(responses_in_pieces);
    RUN(any_byte);
    RUN(nul_is_refused);
    RUN(limits);
    RUN(bytes_are_read_once);
    RUN(slices);
    RUN(methods);
    kit_unguard(&guarded);
    return 0;
}
