/* http_precondition.c - the fields If-*.
 *
 * Tags are compared in two ways (RFC 9110 8.8.3.2): strongly, where equal means
 * equal bytes, which no weak tag (W/"abc") promises; and weakly, where the mark
 * W/ does not count.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_precondition.h"
#include "co/co.h"
#include "net/http_date.h"
#include <stddef.h>
#include <string.h>

struct tag {
    const char *text; /* with quotes */
    size_t len;
    bool weak;
};

/* The tag at p: behind it, or NULL where none is. */
static const char *read_tag(const char *p, struct tag *t)
{
    t->weak = p[0] == 'W' && p[1] == '/';
    if (t->weak)
        p += 2;
    t->text = p;
    if (*p++ != '"')
        return NULL;
    while (*p == '!' || (unsigned char)*p > '"')
        p++;
    if (*p++ != '"')
        return NULL;
    t->len = (size_t)(p - t->text);
    return p;
}

static bool same(const struct tag *a, const struct tag *b, bool strong)
{
    if (strong && (a->weak || b->weak))
        return false;
    return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static const char *skip(const char *p, const char *what)
{
    return p + strspn(p, what);
}

/* Whether the tag is in the list, or the list is "*": any tag, and none. */
static bool listed(const char *list, const char *etag, bool strong)
{
    const char *p = skip(list, " \t");
    struct tag own, t;

    if (*p == '*' && *skip(p + 1, " \t") == '\0')
        return true;
    if (etag == NULL || read_tag(etag, &own) == NULL)
        return false;
    for (;;) {
        p = read_tag(skip(p, " \t,"), &t);
        if (p == NULL)
            return false;
        p = skip(p, " \t");
        if (*p != ',' && *p != '\0')
            return false;
        if (same(&own, &t, strong))
            return true;
    }
}

/* Whether it has changed after the date; unknown without a date. */
static bool changed_since(const char *date, int64_t mtime, bool unknown)
{
    int64_t seconds;

    if (date == NULL || http_date_parse(date, &seconds) < 0)
        return unknown;
    return mtime > seconds;
}

/* In the order of RFC 9110 13.2.2; a tag is looked at instead of a date, not
 * beside it. */
int http_precondition(const struct http_conditions *c,
                      const struct http_validators *v, bool get)
{
    if (c->match != NULL) {
        if (!listed(c->match, v->etag, true))
            return 412;
    } else if (changed_since(c->unmodified_since, v->mtime, false)) {
        return 412;
    }
    if (c->none_match != NULL) {
        if (listed(c->none_match, v->etag, false))
            return get ? 304 : 412;
    } else if (get && !changed_since(c->modified_since, v->mtime, true)) {
        return 304;
    }
    return 0;
}

bool http_if_range(const char *value, const struct http_validators *v)
{
    struct tag own, t;
    int64_t seconds;

    if (http_date_parse(value, &seconds) == 0)
        return seconds == v->mtime &&
               http_date_now() / CO_SECOND - v->mtime > 1;
    if (v->etag == NULL || read_tag(v->etag, &own) == NULL)
        return false;
    const char *end = read_tag(value, &t);
    return end != NULL && *end == '\0' && same(&own, &t, true);
}
