/* http_route.c - the table of routes, and which of them matches.
 *
 * Patterns are of two kinds.  Those without ":" and "*" match one path, and are
 * found by its hash.  The others are tried in turn, the more special ones
 * first, which is an order of the patterns alone: so it is made once, and the
 * first that matches is the one.  A plain one is more special than all of them
 * that match the same path.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_route.h"
#include "net/http_hash.h"
#include <errno.h>
#include <stdlib.h>

struct entry {
    const struct http_route *route;
    const char *pattern;
    const char *end;
    uint32_t fixed; /* bytes before the first ":" or "*" */
    uint16_t next;  /* of the same slot, in the order of the table; or NONE */
    uint8_t method; /* enum http_method */
    uint8_t count;
    struct http_slice *names;
};

enum { NONE = 0xffff, ROUTES_MAX = NONE - 1 };

struct http_router {
    unsigned plain, count; /* entries: the plain ones, then the others */
    uint64_t lengths;      /* bit n & 63: a plain one has n bytes */
    uint32_t mask;
    uint16_t *slots;
    struct http_slice *names; /* of all entries */
    struct entry entries[];
};

static enum http_method method_id(const char *name)
{
    static const char *const names[] = {
        [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",
        [HTTP_POST] = "POST",       [HTTP_PUT] = "PUT",
        [HTTP_DELETE] = "DELETE",   [HTTP_PATCH] = "PATCH",
        [HTTP_OPTIONS] = "OPTIONS", [HTTP_TRACE] = "TRACE",
        [HTTP_CONNECT] = "CONNECT",
    };

    for (int i = HTTP_GET; name != NULL && i <= HTTP_CONNECT; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum http_method)i;
    return HTTP_OTHER;
}

/* ---- Patterns --------------------------------------------------------------
 */

static bool is_plain(const char *pattern)
{
    return strstr(pattern, "/:") == NULL && strchr(pattern, '*') == NULL;
}

/* Adds the number of its params. */
static bool pattern_valid(const char *p, size_t *names)
{
    unsigned params = 0;

    if (*p != '/')
        return false;
    for (; *p != '\0'; p++) {
        if (p[0] == '*' && (p[-1] != '/' || p[1] != '\0'))
            return false;
        if (p[0] == '/' && p[1] == ':' && (p[2] == '\0' || p[2] == '/'))
            return false;
        params += *p == '*' || (p[0] == '/' && p[1] == ':');
    }
    *names += params;
    return params <= ROUTE_PARAMS;
}

/* What stands at the beginning of a segment: 0 a word, 1 ":", 2 "*". */
static int rank(const char *p) { return *p == ':' ? 1 : *p == '*' ? 2 : 0; }

/* Segments are short: a call would cost more. */
static inline const char *segment_end(const char *p, const char *end)
{
    while (p < end && *p != '/')
        p++;
    return p;
}

/* Below 0 when a is more special than b; an order of all, prefixes included. */
static int compare(const struct entry *a, const struct entry *b)
{
    const char *p = a->pattern, *q = b->pattern;

    while (p < a->end && q < b->end) {
        int r = rank(++p), s = rank(++q);

        if (r != s)
            return r - s;
        p = segment_end(p, a->end);
        q = segment_end(q, b->end);
    }
    return (q < b->end) - (p < a->end);
}

/* From the first ":" or "*" on. */
static bool pattern_match(const struct entry *e, const char *path, size_t len,
                          struct http_match *m)
{
    const char *p = e->pattern + e->fixed, *s = path + e->fixed;
    const char *end = path + len;
    unsigned n = 0;

    if (len < e->fixed || memcmp(path, e->pattern, e->fixed) != 0)
        return false;
    for (;;) {
        int kind = rank(p);
        const char *word = p, *stop = kind == 2 ? end : segment_end(s, end);

        if (kind == 0) {
            p = segment_end(p, e->end);
            if (p - word != stop - s || memcmp(word, s, (size_t)(p - word)))
                return false;
        } else {
            if (kind == 1 && s == stop)
                return false;
            p = e->pattern + e->names[n].at + e->names[n].len;
            m->params[n].at = (uint32_t)(s - path);
            m->params[n++].len = (uint32_t)(stop - s);
        }
        if (p == e->end || stop == end) {
            m->count = n;
            m->names = e->names;
            return p == e->end && stop == end;
        }
        p++;
        s = stop + 1;
    }
}

/* ---- The table -------------------------------------------------------------
 */

static size_t entry_len(const struct entry *e)
{
    return (size_t)(e->end - e->pattern);
}

static void link_plain(struct http_router *r, uint16_t index)
{
    struct entry *e = &r->entries[index];
    uint16_t *at = &r->slots[http_hash(e->pattern, entry_len(e)) & r->mask];

    e->next = NONE;
    while (*at != NONE)
        at = &r->entries[*at].next;
    *at = index;
    r->lengths |= UINT64_C(1) << (entry_len(e) & 63);
}

/* Returns what is free in the router's array behind the names found here. */
static struct http_slice *find_names(struct entry *e, struct http_slice *names)
{
    const char *p = e->pattern;

    e->names = names;
    for (; p < e->end; p = segment_end(p, e->end)) {
        if (rank(++p) == 0)
            continue;
        if (e->count++ == 0)
            e->fixed = (uint32_t)(p - e->pattern);
        names->at = (uint32_t)(p - e->pattern) + (*p == ':');
        names->len =
            (uint32_t)(segment_end(p, e->end) - e->pattern) - names->at;
        names++;
    }
    return names;
}

/* A stable sort: the table's order decides among equals. */
static void insert(struct http_router *r, struct entry e)
{
    unsigned i = r->count++;

    for (; i > r->plain && compare(&e, &r->entries[i - 1]) < 0; i--)
        r->entries[i] = r->entries[i - 1];
    r->entries[i] = e;
}

static void fill(struct http_router *r, const struct http_route *routes,
                 bool plain)
{
    struct http_slice *names = r->names;

    for (; routes->pattern != NULL; routes++) {
        const char *p = routes->pattern;
        struct entry e = { .route = routes,
                           .pattern = p,
                           .end = p + strlen(p),
                           .method = (uint8_t)method_id(routes->method) };

        if (is_plain(p) != plain)
            continue;
        if (!plain) {
            names = find_names(&e, names);
            insert(r, e);
            continue;
        }
        r->entries[r->count] = e;
        link_plain(r, (uint16_t)r->count++);
    }
    if (plain)
        r->plain = r->count;
}

void http_router_free(struct http_router *r)
{
    if (r == NULL)
        return;
    free(r->names);
    free(r->slots);
    free(r);
}

struct http_router *http_router_new(const struct http_route *routes)
{
    static const struct http_route none;
    struct http_router *r;
    size_t count = 0, slots = 8, names = 0;

    if (routes == NULL)
        routes = &none;
    for (; routes[count].pattern != NULL; count++) {
        if (!pattern_valid(routes[count].pattern, &names) ||
            routes[count].handler == NULL || count == ROUTES_MAX) {
            errno = EINVAL;
            return NULL;
        }
    }
    while (slots < 2 * count)
        slots *= 2;
    r = calloc(1, sizeof *r + count * sizeof *r->entries);
    if (r == NULL)
        return NULL;
    r->slots = malloc(slots * sizeof *r->slots);
    r->names = calloc(names + 1, sizeof *r->names);
    if (r->slots == NULL || r->names == NULL) {
        http_router_free(r);
        return NULL;
    }
    memset(r->slots, 0xff, slots * sizeof *r->slots);
    r->mask = (uint32_t)slots - 1;
    fill(r, routes, true);
    fill(r, routes, false);
    return r;
}

/* ---- Requests --------------------------------------------------------------
 */

static bool same_method(const struct entry *e, enum http_method id,
                        const char *method)
{
    if (e->route->method == NULL)
        return true;
    if (e->method != id)
        return id == HTTP_HEAD && e->method == HTTP_GET;
    return id != HTTP_OTHER || strcmp(e->route->method, method) == 0;
}

static bool is_path(const struct http_router *r, unsigned i, const char *path,
                    size_t len, struct http_match *m)
{
    const struct entry *e = &r->entries[i];

    if (i >= r->plain)
        return pattern_match(e, path, len, m);
    m->count = 0;
    return entry_len(e) == len && memcmp(e->pattern, path, len) == 0;
}

static uint16_t first_plain(const struct http_router *r, const char *path,
                            size_t len)
{
    if ((r->lengths >> (len & 63) & 1) == 0)
        return NONE;
    return r->slots[http_hash(path, len) & r->mask];
}

/* Instead of the i-th entry, a GET, takes one for HEAD with the same pattern:
 * as special as that, behind it, and a match of the same path. */
__attribute__((noinline)) static void prefer_head(const struct http_router *r,
                                                  unsigned i, const char *path,
                                                  size_t len,
                                                  struct http_match *m)
{
    const struct entry *e = &r->entries[i], *h;
    struct http_match other;

    for (; i < r->count; i = i < r->plain ? h->next : i + 1) {
        h = &r->entries[i];
        if (h->method == HTTP_HEAD && compare(e, h) == 0 &&
            is_path(r, i, path, len, &other)) {
            other.route = h->route;
            *m = other;
            return;
        }
    }
}

bool http_router_find(const struct http_router *r, enum http_method id,
                      const char *method, const char *path, size_t len,
                      struct http_match *m)
{
    unsigned i = first_plain(r, path, len);

    while (i != NONE && !(is_path(r, i, path, len, m) &&
                          same_method(&r->entries[i], id, method)))
        i = r->entries[i].next;
    if (i == NONE)
        for (i = r->plain; i < r->count; i++)
            if (same_method(&r->entries[i], id, method) &&
                is_path(r, i, path, len, m))
                break;
    m->route = i < r->count ? r->entries[i].route : NULL;
    if (m->route == NULL)
        m->count = 0;
    else if (__builtin_expect(id == HTTP_HEAD, 0) &&
             r->entries[i].method == HTTP_GET)
        prefer_head(r, i, path, len, m);
    return m->route != NULL;
}

/* Adds a word to a list that does not have it yet, if there is room. */
static size_t add_word(char *list, size_t len, const char *word)
{
    size_t n = strlen(word);
    const char *p = list;

    while ((p = strstr(p, word)) != NULL) {
        if ((p == list || p[-1] == ' ') && (p[n] == ',' || p[n] == '\0'))
            return len;
        p += n;
    }
    if (len + n + 3 > ROUTE_ALLOW_MAX)
        return len;
    if (len > 0) {
        memcpy(list + len, ", ", 2);
        len += 2;
    }
    memcpy(list + len, word, n + 1);
    return len + n;
}

size_t http_router_allow(const struct http_router *r, const char *path,
                         size_t len, char *allow)
{
    struct http_match m;
    size_t n = 0;

    allow[0] = '\0';
    for (unsigned i = 0; i < r->count; i++) {
        const char *method = r->entries[i].route->method;

        if (method == NULL || (path != NULL && !is_path(r, i, path, len, &m)))
            continue;
        n = add_word(allow, n, method);
        if (strcmp(method, "GET") == 0)
            n = add_word(allow, n, "HEAD");
    }
    return n == 0 && path != NULL ? 0 : add_word(allow, n, "OPTIONS");
}

const struct http_slice *http_match_param(const struct http_match *m,
                                          const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < m->count; i++)
        if (m->names[i].len == len &&
            memcmp(m->route->pattern + m->names[i].at, name, len) == 0)
            return &m->params[i];
    return NULL;
}
