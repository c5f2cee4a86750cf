/* http_kit.h - what the tests of the HTTP parser share.
 *
 * Memory that ends at an unreadable page, so that a byte read behind the end is
 * a crash; heads with limits; and ways to give a message to the parser.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

#include "net/http_parse.h"
#include "net/http_scan.h"
#include "tests/test.h"
#include <sys/mman.h>

enum { KIT_FIELDS = 100, KIT_TARGET = 8192, KIT_BYTES = 16384 };

struct kit_head {
    struct http_head h;
    struct http_field fields[KIT_FIELDS];
};

static inline void kit_start(struct kit_head *k)
{
    memset(k, 0, sizeof *k);
    k->h.fields = k->fields;
    k->h.fields_max = KIT_FIELDS;
    k->h.target_max = KIT_TARGET;
    k->h.bytes_max = KIT_BYTES;
    http_head_start(&k->h);
}

/* A copy whose last byte is the last of its page; the next page is a guard. */
struct kit_guarded {
    char *map;
    char *end;
    size_t size;
};

static inline void kit_guard(struct kit_guarded *g, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    g->size = (size + 2 * page - 1) & ~(page - 1);
    g->map = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(g->map != MAP_FAILED);
    g->end = g->map + g->size - page;
    CHECK(mprotect(g->end, page, PROT_NONE) == 0);
}

static inline char *kit_put(struct kit_guarded *g, const char *s, size_t len)
{
    CHECK(len <= (size_t)(g->end - g->map));
    return memcpy(g->end - len, s, len);
}

static inline void kit_unguard(struct kit_guarded *g)
{
    CHECK(munmap(g->map, g->size) == 0);
}

/* Asked is -1 for a request. */
static inline ssize_t kit_parse(struct kit_head *k, const char *buf, size_t len,
                                int asked)
{
    return asked < 0
               ? http_parse_request(&k->h, buf, len)
               : http_parse_response(&k->h, buf, len, (enum http_method)asked);
}

/* Whether both heads say the same. */
static inline bool kit_same(const struct kit_head *a, const struct kit_head *b)
{
    struct http_head x = a->h, y = b->h;

    if (x.error != 0 || y.error != 0)
        return x.error == y.error && strcmp(x.why, y.why) == 0;
    x.fields = y.fields = NULL;
    return memcmp(&x, &y, sizeof x) == 0 &&
           memcmp(a->fields, b->fields, x.count * sizeof a->fields[0]) == 0;
}

/* What a complete head says, in one line. */
static inline const char *kit_tell(const struct kit_head *k, const char *buf,
                                   char *text, size_t size)
{
    static const char *const forms[] = { "origin", "absolute", "authority",
                                         "asterisk" };
    static const char *const bodies[] = { "none", "length", "chunked", "close",
                                          "tunnel" };
    const struct http_head *h = &k->h;
    char first[512];

    if (h->status != 0)
        snprintf(first, sizeof first, "%d '%.*s'", h->status,
                 (int)h->reason.len, buf + h->reason.at);
    else
        snprintf(first, sizeof first, "%.*s %s path=%.*s query=%.*s host=%.*s",
                 (int)h->method.len, buf + h->method.at, forms[h->form],
                 (int)h->path.len, buf + h->path.at, (int)h->query.len,
                 buf + h->query.at, (int)h->authority.len,
                 buf + h->authority.at);
    snprintf(text, size, "%s 1.%d fields=%u %s=%lld%s%s%s%s", first, h->minor,
             h->count, bodies[h->body], (long long)h->content_length,
             h->keep_alive ? " keep" : "",
             h->expect == HTTP_EXPECT_CONTINUE ? " continue" : "",
             h->expect == HTTP_EXPECT_UNKNOWN ? " expect?" : "",
             h->upgrade >= 0 ? " upgrade" : "");
    return text;
}

static inline bool kit_is(const char *buf, struct http_slice s,
                          const char *text)
{
    return s.len == strlen(text) && memcmp(buf + s.at, text, s.len) == 0;
}

#endif
