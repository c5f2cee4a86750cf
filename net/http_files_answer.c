/* http_files_answer.c - see http_files_answer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files_answer.h"
#include "net/http_range.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

enum {
    RANGES_MAX = 64,
    PART_MAX = 160, /* bytes of a part's head, without its type */
    BOUNDARY = 24   /* digits */
};

/* ---- What is asked ---------------------------------------------------------
 */

static const struct wanted {
    const char *name;
    size_t len, at;
} wanted[] = {
#define FIELD(name, field)                                                     \
    {                                                                          \
        name, sizeof(name) - 1, offsetof(struct files_asked, field)            \
    }
    FIELD("range", ranges),
    FIELD("if-range", when.range),
    FIELD("if-match", when.match),
    FIELD("if-none-match", when.none_match),
    FIELD("accept-encoding", encodings),
    FIELD("if-modified-since", when.modified_since),
    FIELD("if-unmodified-since", when.unmodified_since),
#undef FIELD
};

static const struct wanted *look_up(const char *name, size_t len)
{
    const struct wanted *end = wanted + sizeof wanted / sizeof *wanted;

    if ((*name | 0x20) != 'i' && (*name | 0x20) != 'a' && (*name | 0x20) != 'r')
        return NULL;
    for (const struct wanted *f = wanted; f < end; f++)
        if (f->len == len && strncasecmp(f->name, name, len) == 0)
            return f;
    return NULL;
}

/* The list that begins with first and goes on in the lines from the i-th on
 * that have its name, made at once: line by line, the copies of what is there
 * already would be many times as long as the head. */
__attribute__((noinline)) static const char *join(struct http_work *w,
                                                  const struct wanted *f,
                                                  const char *first, uint32_t i)
{
    size_t len = strlen(first), room = len + 1;
    const struct http_field *fields = w->head.fields;
    char *list;

    for (uint32_t j = i; j < w->head.count; j++)
        if (look_up(w->base + fields[j].name.at, fields[j].name.len) == f)
            room += fields[j].value.len + 2;
    list = http_alloc(&w->req, room);
    if (list == NULL)
        return NULL;
    memcpy(list, first, len + 1);
    for (uint32_t j = i; j < w->head.count; j++) {
        const char *name, *value;

        if (look_up(w->base + fields[j].name.at, fields[j].name.len) != f)
            continue;
        (void)http_header_at(&w->req, j, &name, &value);
        memcpy(list + len, ", ", 2);
        memcpy(list + len + 2, value, fields[j].value.len + 1);
        len += fields[j].value.len + 2;
    }
    return list;
}

int files_asked(struct http_work *w, struct files_asked *a)
{
    unsigned joined = 0;

    memset(a, 0, sizeof *a);
    for (uint32_t i = 0; i < w->head.count; i++) {
        const struct http_field *line = &w->head.fields[i];
        const struct wanted *f =
            look_up(w->base + line->name.at, line->name.len);
        const char *name, **value;

        if (f == NULL)
            continue;
        value = (const char **)((char *)a + f->at);
        if (*value == NULL) {
            (void)http_header_at(&w->req, i, &name, value);
        } else if ((joined & 1u << (f - wanted)) == 0) {
            joined |= 1u << (f - wanted);
            *value = join(w, f, *value, i);
            if (*value == NULL)
                return 500;
        }
    }
    return 0;
}

/* ---- The head --------------------------------------------------------------
 */

static bool is_set(const struct http_response *res, const char *name,
                   size_t len)
{
    for (const struct http_line *l = res->lines; l != NULL; l = l->next)
        if (l->name_len == len && strncasecmp(l->text, name, len) == 0)
            return true;
    return false;
}

/* Those of the lines that the handler has not set itself. */
static int put_missing(struct http_response *res, const char *lines, size_t len)
{
    char *copy = http_alloc(&http_work_of_response(res)->req, len + 1);
    const char *end = lines + len;

    if (copy == NULL)
        return -1;
    res->fixed = copy;
    res->fixed_len = 0;
    while (lines < end) {
        const char *next =
            (const char *)memchr(lines, '\n', (size_t)(end - lines)) + 1;
        const char *colon = memchr(lines, ':', (size_t)(end - lines));

        if (!is_set(res, lines, (size_t)(colon - lines))) {
            memcpy(copy + res->fixed_len, lines, (size_t)(next - lines));
            res->fixed_len += (uint32_t)(next - lines);
        }
        lines = next;
    }
    return 0;
}

/* The first len bytes of the entry's lines, which must last as long as the
 * answer does: with a part of the entry's they do, else they are copied. */
static int put_lines(struct http_response *res, const struct http_entry *e,
                     size_t len, bool lasts)
{
    res->type = HTTP_TYPE_SET;
    if (!lasts || res->lines != NULL)
        return put_missing(res, e->lines, len);
    res->fixed = e->lines;
    res->fixed_len = (uint32_t)len;
    return 0;
}

/* An answer without a body of the file; drops the use of e. */
static int without_body(struct http_response *res, struct http_entry *e,
                        int status)
{
    if (put_lines(res, e, e->meta_len, false) < 0)
        status = 500;
    http_entry_release(e);
    return status;
}

/* ---- The body --------------------------------------------------------------
 */

/* Takes a use of e. */
static int put_bytes(struct http_response *res, struct http_entry *e,
                     uint64_t first, uint64_t len)
{
    if (e->body == NULL)
        return http_sendfile(res, e->fd, (off_t)first, len, http_entry_release,
                             e);
    return http_lend(res, (char *)e->body + first, len, http_entry_release, e);
}

static void hold(struct http_entry *e)
{
    (void)atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
}

static int one_range(struct http_response *res, struct http_entry *e,
                     const struct http_range *r)
{
    char text[80];

    (void)snprintf(text, sizeof text, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                   r->first, r->first + r->len - 1, e->size);
    if (http_set_header(res, "Content-Range", text) < 0 ||
        put_lines(res, e, e->lines_len, false) < 0) {
        http_entry_release(e);
        return 500;
    }
    return put_bytes(res, e, r->first, r->len) < 0 ? 500 : 206;
}

/* RFC 9110 14.6: each part has its own head. */
static int put_parts(struct http_work *w, struct http_entry *e,
                     const struct http_range *ranges, int count,
                     const char *boundary)
{
    size_t room = PART_MAX + strlen(e->type);
    int i, n;
    char *text;

    for (i = 0; i < count; i++) {
        const struct http_range *r = &ranges[i];

        text = http_alloc(&w->req, room);
        if (text == NULL)
            return -1;
        n = snprintf(text, room,
                     "%s--%s\r\nContent-Type: %s\r\nContent-Range: bytes "
                     "%" PRIu64 "-%" PRIu64 "/%" PRIu64 "\r\n\r\n",
                     i == 0 ? "" : "\r\n", boundary, e->type, r->first,
                     r->first + r->len - 1, e->size);
        if (http_lend(&w->res, text, (size_t)n, NULL, NULL) < 0)
            return -1;
        hold(e);
        if (put_bytes(&w->res, e, r->first, r->len) < 0)
            return -1;
    }
    text = http_alloc(&w->req, BOUNDARY + 16);
    if (text == NULL)
        return -1;
    n = snprintf(text, BOUNDARY + 16, "\r\n--%s--\r\n", boundary);
    return http_lend(&w->res, text, (size_t)n, NULL, NULL);
}

/* A boundary that nobody can have foreseen stands in no file. */
static int make_boundary(char *text)
{
    uint32_t random[BOUNDARY / 8];

    if (getrandom(random, sizeof random, GRND_NONBLOCK) != sizeof random)
        return -1;
    for (int i = 0; i < BOUNDARY / 8; i++)
        (void)snprintf(text + 8 * i, 9, "%08" PRIx32, random[i]);
    return 0;
}

static int several_ranges(struct http_work *w, struct http_entry *e,
                          const struct http_range *ranges, int count)
{
    char boundary[BOUNDARY + 1], type[80];
    int status = 500;

    if (make_boundary(boundary) == 0) {
        (void)snprintf(type, sizeof type, "multipart/byteranges; boundary=%s",
                       boundary);
        if (http_set_header(&w->res, "Content-Type", type) == 0 &&
            put_lines(&w->res, e, e->lines_len, false) == 0 &&
            put_parts(w, e, ranges, count, boundary) == 0)
            status = 206;
    }
    http_entry_release(e);
    return status;
}

static int unsatisfiable(struct http_response *res, struct http_entry *e)
{
    char text[48];

    (void)snprintf(text, sizeof text, "bytes */%" PRIu64, e->size);
    http_entry_release(e);
    return http_set_header(res, "Content-Range", text) < 0 ? 500 : 416;
}

static int whole(struct http_response *res, struct http_entry *e)
{
    if (put_lines(res, e, e->lines_len, true) < 0) {
        http_entry_release(e);
        return 500;
    }
    return put_bytes(res, e, 0, e->size) < 0 ? 500 : 200;
}

/* ---- The answer ------------------------------------------------------------
 */

int files_answer(struct http_work *w, const struct files_asked *a,
                 struct http_entry *e)
{
    const struct http_validators v = { .etag = e->etag, .mtime = e->mtime };
    struct http_range ranges[RANGES_MAX];
    int status = http_precondition(&a->when, &v, true);
    int n = 0;

    if (status == 304)
        return without_body(&w->res, e, 304);
    if (status != 0) {
        http_entry_release(e);
        return status;
    }
    if (__builtin_expect(a->ranges != NULL, 0) &&
        w->head.method_id == HTTP_GET && !e->in_one &&
        (a->when.range == NULL || http_if_range(a->when.range, &v)))
        n = http_range_parse(a->ranges, e->size, ranges, RANGES_MAX);
    if (n < 0)
        return unsatisfiable(&w->res, e);
    if (n == 1)
        return one_range(&w->res, e, ranges);
    if (n > 1)
        return several_ranges(w, e, ranges, n);
    return whole(&w->res, e);
}
