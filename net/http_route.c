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
#include <errno.h>
#include <stdlib.h>

struct entry {
    const struct http_route *route;
    size_t len;     /* of the pattern */
    uint32_t hash;  /* of a plain one */
    uint16_t next;  /* of the same slot, in the order of the table; or NONE */
    uint8_t method; /* enum http_method */
};

enum { NONE = 0xffff, ROUTES_MAX = NONE - 1 };

struct http_router {
    unsigned plain, count; /* entries: the plain ones, then the others */
    uint32_t mask;
    uint16_t *slots;
    struct entry entries[];
};

static uint32_t hash(const char *s, size_t len)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)s[i]) * 16777619u;
    return h ^ h >> 15;
}

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

static bool pattern_valid(const char *p)
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
    return params <= ROUTE_PARAMS;
}

/* What stands at the beginning of a segment: 0 a word, 1 ":", 2 "*". */
static int rank(const char *p) { return *p == ':' ? 1 : *p == '*' ? 2 : 0; }

static const char *segment_end(const char *p, const char *end)
{
    const char *slash = memchr(p, '/', (size_t)(end - p));

    return slash == NULL ? end : slash;
}

/* Below 0 when a is more special than b. */
static int compare(const struct entry *a, const struct entry *b)
{
    const char *p = a->route->pattern, *q = b->route->pattern;
    const char *p_end = p + a->len, *q_end = q + b->len;

    while (p < p_end && q < q_end) {
        int r = rank(++p), s = rank(++q);

        if (r != s)
            return r - s;
        p = segment_end(p, p_end);
        q = segment_end(q, q_end);
    }
    return 0;
}

static bool pattern_match(const struct entry *e, const char *path, size_t len,
                          struct http_match *m)
{
    const char *p = e->route->pattern, *p_end = p + e->len;
    const char *s = path, *s_end = path + len;

    m->count = 0;
    while (p < p_end && s < s_end) {
        const char *stop, *word = ++p;

        if (*s++ != '/')
            return false;
        p = segment_end(word, p_end);
        stop = rank(word) == 2 ? s_end : segment_end(s, s_end);
        if (rank(word) == 0) {
            if (p - word != stop - s || memcmp(word, s, (size_t)(p - word)))
                return false;
        } else {
            if (rank(word) == 1 && s == stop)
                return false;
            m->params[m->count].at = (uint32_t)(s - path);
            m->params[m->count++].len = (uint32_t)(stop - s);
        }
        s = stop;
    }
    return p == p_end && s == s_end;
}

/* ---- The table -------------------------------------------------------------
 */

static void link_plain(struct http_router *r, uint16_t index)
{
    struct entry *e = &r->entries[index];
    uint16_t *at;

    e->hash = hash(e->route->pattern, e->len);
    e->next = NONE;
    at = &r->slots[e->hash & r->mask];
    while (*at != NONE)
        at = &r->entries[*at].next;
    *at = index;
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
    for (; routes->pattern != NULL; routes++) {
        struct entry e = { .route = routes,
                           .len = strlen(routes->pattern),
                           .method = (uint8_t)method_id(routes->method) };

        if (is_plain(routes->pattern) != plain)
            continue;
        if (!plain) {
            insert(r, e);
            continue;
        }
        r->entries[r->count] = e;
        link_plain(r, (uint16_t)r->count++);
    }
    if (plain)
        r->plain = r->count;
}

struct http_router *http_router_new(const struct http_route *routes)
{
    static const struct http_route none;
    struct http_router *r;
    size_t count = 0, slots = 8;

    if (routes == NULL)
        routes = &none;
    for (; routes[count].pattern != NULL; count++)
        if (!pattern_valid(routes[count].pattern) ||
            routes[count].handler == NULL || count == ROUTES_MAX) {
            errno = EINVAL;
            return NULL;
        }
    while (slots < 2 * count)
        slots *= 2;
    r = calloc(1, sizeof *r + count * sizeof *r->entries);
    if (r == NULL)
        return NULL;
    r->slots = malloc(slots * sizeof *r->slots);
    if (r->slots == NULL) {
        free(r);
        return NULL;
    }
    memset(r->slots, 0xff, slots * sizeof *r->slots);
    r->mask = (uint32_t)slots - 1;
    fill(r, routes, true);
    fill(r, routes, false);
    return r;
}

void http_router_free(struct http_router *r)
{
    if (r != NULL)
        free(r->slots);
    free(r);
}

/* ---- Requests --------------------------------------------------------------
 */

static bool same_method(const struct entry *e, enum http_method id,
                        const char *method)
{
    if (e->route->method == NULL)
        return true;
    if (e->method != id)
        return false;
    return id != HTTP_OTHER || strcmp(e->route->method, method) == 0;
}

static bool is_path(const struct http_router *r, unsigned i, const char *path,
                    size_t len, struct http_match *m)
{
    const struct entry *e = &r->entries[i];

    if (i >= r->plain)
        return pattern_match(e, path, len, m);
    m->count = 0;
    return e->len == len && memcmp(e->route->pattern, path, len) == 0;
}

static bool find(const struct http_router *r, enum http_method id,
                 const char *method, const char *path, size_t len,
                 struct http_match *m)
{
    uint16_t at = r->slots[hash(path, len) & r->mask];

    for (; at != NONE; at = r->entries[at].next)
        if (is_path(r, at, path, len, m) &&
            same_method(&r->entries[at], id, method)) {
            m->route = r->entries[at].route;
            return true;
        }
    for (unsigned i = r->plain; i < r->count; i++)
        if (same_method(&r->entries[i], id, method) &&
            is_path(r, i, path, len, m)) {
            m->route = r->entries[i].route;
            return true;
        }
    m->route = NULL;
    m->count = 0;
    return false;
}

bool http_router_find(const struct http_router *r, enum http_method id,
                      const char *method, const char *path, size_t len,
                      struct http_match *m)
{
    return find(r, id, method, path, len, m) ||
           (id == HTTP_HEAD && find(r, HTTP_GET, "GET", path, len, m));
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
    const char *p = m->route == NULL ? "" : m->route->pattern;
    const char *end = p + strlen(p);
    size_t len = strlen(name);
    unsigned i = 0;

    for (; p < end && i < m->count; p = segment_end(p, end)) {
        size_t n;

        if (rank(++p) == 0)
            continue;
        n = (size_t)(segment_end(p, end) - p);
        if (*p == '*' ? strcmp(name, "*") == 0
                      : n == len + 1 && memcmp(p + 1, name, len) == 0)
            return &m->params[i];
        i++;
    }
    return NULL;
}
