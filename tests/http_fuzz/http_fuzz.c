/* http_fuzz.c - what must hold for any bytes.
 *
 * The entry point of libFuzzer.  The first byte says what the others are and in
 * pieces of how many bytes they come; the rest is checked to say the same in
 * pieces as at once, with every scan, and to be what the parser promises.  Each
 * piece stands in memory of its own size, so that a sanitizer sees a byte read
 * behind it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/http_kit.h"

static char *own(const char *s, size_t len)
{
    char *copy = malloc(len + (len == 0));

    CHECK(copy != NULL);
    return memcpy(copy, s, len);
}

static void check_slice(struct http_slice s, ssize_t n)
{
    CHECK((ssize_t)s.at + (ssize_t)s.len <= n);
}

/* What is complete keeps these promises. */
static void check_head(const struct kit_head *k, const char *buf, ssize_t n)
{
    const struct http_head *h = &k->h;

    CHECK(n >= 4 && memcmp(buf + n - 4, "\r\n\r\n", 4) == 0);
    check_slice(h->method, n);
    check_slice(h->target, n);
    check_slice(h->path, n);
    check_slice(h->query, n);
    check_slice(h->authority, n);
    check_slice(h->reason, n);
    CHECK(h->count <= h->fields_max);
    for (uint32_t i = 0; i < h->count; i++) {
        struct http_slice name = k->fields[i].name;
        struct http_slice value = k->fields[i].value;

        check_slice(name, n);
        check_slice(value, n);
        CHECK(name.len > 0 && buf[name.at + name.len] == ':');
        CHECK(http_scan_plain(buf + name.at, buf + name.at + name.len,
                              &http_stop_token) == buf + name.at + name.len);
        CHECK(memchr(buf + value.at, '\n', value.len) == NULL);
        CHECK(memchr(buf + value.at, '\r', value.len) == NULL);
        CHECK(memchr(buf + value.at, '\0', value.len) == NULL);
    }
    if (h->status == 0) {
        CHECK(h->minor == 0 || h->host >= 0);
        CHECK(h->body != HTTP_BODY_CLOSE && h->body != HTTP_BODY_TUNNEL);
        CHECK(http_host_valid(buf + h->authority.at, h->authority.len));
    }
    CHECK(h->body != HTTP_BODY_LENGTH || h->content_length > 0);
    CHECK(h->body != HTTP_BODY_CHUNKED || h->content_length < 0);
}

static void start(struct kit_head *k)
{
    kit_start(k);
    k->h.fields_max = 8;
    k->h.target_max = 48;
    k->h.bytes_max = 256;
}

static void check_message(const char *s, size_t len, int asked, size_t step)
{
    struct kit_head whole, pieces;
    char *buf = own(s, len);
    ssize_t m = 0;

    start(&whole);
    ssize_t n = kit_parse(&whole, buf, len, asked);
    if (n > 0)
        check_head(&whole, buf, n);
    start(&pieces);
    for (size_t given = 0; m == 0 && given < len;) {
        given = given + step < len ? given + step : len;
        char *piece = own(s, given);
        m = kit_parse(&pieces, piece, given, asked);
        free(piece);
    }
    CHECK_EQ(n, m);
    CHECK(n == 0 || kit_same(&whole, &pieces));
    free(buf);
}

struct body {
    char data[4096];
    size_t size;
    ssize_t used;
    int error;
    bool done;
};

static void decode(struct body *b, const char *s, size_t len, size_t step)
{
    struct http_chunked c = { .extension_max = 32, .trailer_max = 64 };

    memset(b, 0, sizeof *b);
    for (size_t at = 0; at < len && !c.done && c.error == 0;) {
        size_t n = step < len - at ? step : len - at;
        char *piece = own(s + at, n);
        const char *data;
        size_t size;
        ssize_t r = http_chunked_next(&c, piece, n, &data, &size);

        if (r > 0) {
            CHECK((size_t)r <= n);
            CHECK(size == 0 || (data >= piece && data + size <= piece + r));
            CHECK(b->size + size <= sizeof b->data);
            memcpy(b->data + b->size, data, size);
            b->size += size;
            at += (size_t)r;
            b->used += r;
        } else {
            CHECK_EQ(r, -1);
            CHECK(c.error != 0 && c.why != NULL);
        }
        free(piece);
    }
    b->error = c.error;
    b->done = c.done;
}

static void check_chunked(const char *s, size_t len, size_t step)
{
    static struct body whole, pieces;

    decode(&whole, s, len, len);
    decode(&pieces, s, len, step);
    CHECK_EQ(whole.error, pieces.error);
    CHECK_EQ(whole.done, pieces.done);
    if (whole.error == 0) {
        CHECK_EQ(whole.used, pieces.used);
        CHECK_EQ(whole.size, pieces.size);
        CHECK(memcmp(whole.data, pieces.data, whole.size) == 0);
    }
}

/* No path that came through climbs, however it was written. */
static void check_path(const char *s, size_t len)
{
    char *path = own(s, len);
    char *other = own(s, len);
    ssize_t n = http_percent_decode(path, path, len);

    CHECK_EQ(http_percent_decode(other, s, len), n);
    CHECK(n < 0 || memcmp(path, other, (size_t)n) == 0);
    if (n >= 0)
        n = http_path_resolve(path, (size_t)n);
    if (n >= 0) {
        CHECK(n > 0 && path[0] == '/');
        CHECK(memmem(path, (size_t)n, "/../", 4) == NULL);
        CHECK(memmem(path, (size_t)n, "/./", 3) == NULL);
        CHECK(n < 3 || memcmp(path + n - 3, "/..", 3) != 0);
        CHECK(n < 2 || memcmp(path + n - 2, "/.", 2) != 0);
        CHECK_EQ(http_path_resolve(path, (size_t)n), n);
    }
    (void)http_host_valid(other, len);
    free(other);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_scan_variant variants[4];
    unsigned count = http_scan_variants(variants);

    if (size == 0 || size > 4096)
        return 0;
    const char *s = (const char *)data + 1;
    size_t len = size - 1, step = 1 + data[0] / 8;
    for (unsigned v = 0; v < count; v++) {
        atomic_store(&http_scan_chosen, variants[v].scan);
        switch (data[0] % 8) {
        case 0:
        case 1:
            check_message(s, len, -1, step);
            break;
        case 2:
            check_message(s, len, HTTP_GET, step);
            break;
        case 3:
            check_message(s, len, HTTP_CONNECT, step);
            break;
        case 4:
        case 5:
            check_chunked(s, len, step);
            break;
        default:
            check_path(s, len);
            break;
        }
    }
    return 0;
}
