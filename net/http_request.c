/* http_request.c - what a handler sees of a request.
 *
 * Strings are made in place: behind each slice of a parsed head stands a
 * separator that nobody needs any more, and becomes its zero.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_server.h"
#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* ---- Memory ----------------------------------------------------------------
 */

static void *alloc_block(struct http_work *w, size_t size)
{
    struct http_block *b;

    if (size > SIZE_MAX - sizeof *b) {
        errno = ENOMEM;
        return NULL;
    }
    b = malloc(sizeof *b + size);
    if (b == NULL)
        return NULL;
    b->next = w->blocks;
    w->blocks = b;
    return b->data;
}

void *http_alloc(struct http_request *req, size_t size)
{
    struct http_work *w = http_work_of(req);
    size_t used = w->room - w->arena;
    size_t low = w->out + HTTP_GAP;

    if (w->res.big == NULL) /* sending moves what is before the body alone */
        low = (size_t)(w->res.body - w->area) + w->res.body_len;
    if (size > HTTP_ARENA_MAX - used || low + size + 16 > w->arena)
        return alloc_block(w, size);
    w->arena = (w->arena - (uint32_t)size) & ~15u;
    /* The body may grow up to here, unless it left the area. */
    if (w->res.big == NULL)
        http_response_fit(w);
    return w->area + w->arena;
}

int http_on_end(struct http_request *req, void (*fn)(void *arg), void *arg)
{
    struct http_work *w = http_work_of(req);
    struct http_end *e = http_alloc(req, sizeof *e);

    if (e == NULL)
        return -1;
    *e = (struct http_end){ w->ends, fn, arg };
    w->ends = e;
    return 0;
}

/* They clean up, whatever was cancelled. */
__attribute__((noinline)) static void run_ends(struct http_work *w)
{
    bool held = co_hold_cancel(true);

    while (w->ends != NULL) {
        struct http_end *e = w->ends;

        w->ends = e->next;
        e->fn(e->arg);
    }
    (void)co_hold_cancel(held);
}

void http_request_close(struct http_work *w)
{
    if (__builtin_expect(w->ends != NULL, 0))
        run_ends(w);
    while (w->blocks != NULL) {
        struct http_block *b = w->blocks;

        w->blocks = b->next;
        free(b);
    }
    w->arena = w->room;
}

/* ---- Strings ---------------------------------------------------------------
 */

/* In place: what stands behind it is no longer needed. */
static char *string(struct http_work *w, struct http_slice s)
{
    w->base[s.at + s.len] = '\0';
    return w->base + s.at;
}

static char *copy(struct http_work *w, const char *s, size_t len)
{
    char *p = http_alloc(&w->req, len + 1);

    if (p == NULL)
        return NULL;
    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

/* Whether a byte of the word is c, or may be one behind such a byte. */
static inline uint64_t has_byte(uint64_t word, char c)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t x = word ^ ones * (unsigned char)c;

    return (x - ones) & ~x & ones << 7;
}

/* Most paths need neither decoding nor resolving. */
static bool is_simple(const char *p, size_t len)
{
    const char *end = p + len;
    uint64_t word;

    if (len < 8) {
        for (; p < end; p++)
            if (*p == '%' || *p == '.')
                return false;
        return true;
    }
    do {
        if (end - p < 8)
            p = end - 8;
        memcpy(&word, p, 8);
        if ((has_byte(word, '%') | has_byte(word, '.')) != 0)
            return false;
        p += 8;
    } while (p < end);
    return true;
}

/* Decoded, and without "." and ".."; 0 or the status. */
static int open_path(struct http_work *w)
{
    struct http_slice s = w->head.path;
    char *path = w->base + s.at;
    ssize_t n = s.len;

    if (__builtin_expect(!is_simple(path, s.len), 0)) {
        n = http_percent_decode(path, path, s.len);
        if (n > 0)
            n = http_path_resolve(path, (size_t)n);
        if (n < 0)
            return 400;
        w->head.path.len = (uint32_t)n;
    }
    path[n] = '\0';
    w->req.path = path;
    return 0;
}

int http_request_open(struct http_work *w)
{
    struct http_head *h = &w->head;
    const char *empty = "";

    w->req.method = string(w, h->method);
    w->req.minor = h->minor;
    w->req.content_length = h->body == HTTP_BODY_CHUNKED  ? -1
                            : h->body == HTTP_BODY_LENGTH ? h->content_length
                                                          : 0;
    w->req.arg = NULL;
    w->target = empty;
    if (w->server->config.log_form != HTTP_LOG_OFF) {
        const char *target = copy(w, w->base + h->target.at, h->target.len);

        if (target == NULL)
            return 500;
        w->target = target;
    }
    /* A target with an authority has its path right behind that. */
    if (h->form == HTTP_ABSOLUTE) {
        const char *host = copy(w, w->base + h->authority.at, h->authority.len);

        if (host == NULL)
            return 500;
        w->req.host = host;
    } else {
        w->req.host = h->authority.len == 0 ? empty : string(w, h->authority);
    }
    w->req.query = h->query.len == 0 ? empty : string(w, h->query);
    if (h->path.len > 0)
        return open_path(w);
    w->req.path = h->form == HTTP_ABSOLUTE   ? "/"
                  : h->form == HTTP_ASTERISK ? "*"
                                             : empty;
    h->path.len = (uint32_t)strlen(w->req.path);
    /* Nothing here makes tunnels, and what comes behind CONNECT may be meant
     * for one already: it is no request. */
    w->res.close |= h->form == HTTP_AUTHORITY;
    return 0;
}

int http_header_at(struct http_request *req, unsigned i, const char **name,
                   const char **value)
{
    struct http_work *w = http_work_of(req);

    if (i >= w->head.count)
        return -1;
    *name = string(w, w->head.fields[i].name);
    *value = string(w, w->head.fields[i].value);
    return 0;
}

const char *http_header(struct http_request *req, const char *name)
{
    struct http_work *w = http_work_of(req);
    size_t len = strlen(name);

    for (uint32_t i = 0; i < w->head.count; i++) {
        struct http_field *f = &w->head.fields[i];

        if (f->name.len == len &&
            strncasecmp(w->base + f->name.at, name, len) == 0)
            return string(w, f->value);
    }
    return NULL;
}

const char *http_param(struct http_request *req, const char *name)
{
    struct http_work *w = http_work_of(req);
    const struct http_slice *s = http_match_param(&w->match, name);

    if (s == NULL)
        return NULL;
    /* The last part of a path ends where that does. */
    if (req->path[s->at + s->len] == '\0')
        return req->path + s->at;
    return copy(w, req->path + s->at, s->len);
}
