/* http_cookie.c - cookies: what a client sent, and what it is to keep.
 *
 * What comes is taken as it is, since browsers and scripts write anything
 * there. What goes is held to the grammar for servers (RFC 6265bis 4.1).
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_cookie.h"
#include "net/http_server.h"
#include <errno.h>
#include <stdio.h>
#include <strings.h>

enum { VALUE_MAX = 4096, ATTRIBUTE_MAX = 1024, OTHER_MAX = 160 };

/* ---- What came -------------------------------------------------------------
 */

struct slice {
    const char *p;
    size_t len;
};

static struct slice trim(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return (struct slice){ p, (size_t)(end - p) };
}

/* The next cookie in a field, from *at on. */
static bool next_in(const char **at, struct slice *name, struct slice *value)
{
    while (**at != '\0') {
        const char *p = *at, *end = p + strcspn(p, ";");
        const char *equals = memchr(p, '=', (size_t)(end - p));

        *at = *end == '\0' ? end : end + 1;
        if (equals == NULL)
            continue;
        *name = trim(p, equals);
        *value = trim(equals + 1, end);
        if (name->len > 0)
            return true;
    }
    return false;
}

/* The next field Cookie, from *i on: there may be several (RFC 9113 8.2.3). */
static const char *next_field(struct http_request *req, unsigned *i)
{
    const char *name, *value;

    while (http_header_at(req, (*i)++, &name, &value) == 0)
        if (strcasecmp(name, "Cookie") == 0)
            return value;
    return NULL;
}

static char *copy(struct http_request *req, struct slice s)
{
    char *p = http_alloc(req, s.len + 1);

    if (p == NULL)
        return NULL;
    memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return p;
}

const char *http_cookie(struct http_request *req, const char *name)
{
    size_t len = strlen(name);
    struct slice found, value;
    const char *at;
    unsigned i = 0;

    while ((at = next_field(req, &i)) != NULL)
        while (next_in(&at, &found, &value))
            if (found.len == len && memcmp(found.p, name, len) == 0)
                return copy(req, value);
    errno = ENOENT;
    return NULL;
}

const struct http_pair *http_cookies(struct http_request *req)
{
    struct http_pair *pairs;
    struct slice name, value;
    size_t count = 0;
    const char *at;
    unsigned i = 0;

    while ((at = next_field(req, &i)) != NULL)
        while (next_in(&at, &name, &value))
            count++;
    pairs = http_alloc(req, (count + 1) * sizeof *pairs);
    if (pairs == NULL)
        return NULL;
    count = i = 0;
    while ((at = next_field(req, &i)) != NULL)
        while (next_in(&at, &name, &value)) {
            struct http_pair *pair = &pairs[count++];

            pair->name = copy(req, name);
            pair->value = copy(req, value);
            if (pair->name == NULL || pair->value == NULL)
                return NULL;
        }
    pairs[count].name = NULL;
    return pairs;
}

/* ---- What goes -------------------------------------------------------------
 */

/* Whether it is made of letters, digits and these. */
static bool made_of(const char *s, const char *others)
{
    for (; *s != '\0'; s++)
        if (!((*s >= '0' && *s <= '9') ||
              ((*s | 0x20) >= 'a' && (*s | 0x20) <= 'z')) &&
            strchr(others, *s) == NULL)
            return false;
    return true;
}

static bool begins(const char *s, const char *with)
{
    return strncasecmp(s, with, strlen(with)) == 0;
}

/* Browsers look for prefixes in any case. */
static bool is_allowed(const struct http_cookie *c, const char *path)
{
    bool host = begins(c->name, "__Host-");

    if ((host || begins(c->name, "__Secure-") ||
         c->same_site == HTTP_SAME_SITE_NONE) &&
        !c->secure)
        return false;
    return !host || (c->domain == NULL && strcmp(path, "/") == 0);
}

static bool is_valid(const struct http_cookie *c, const char *value,
                     const char *path)
{
    static const char other[] = "!#$%&'()*+-./:<=>?@[]^_`{|}~";
    size_t len = c->domain == NULL ? 1 : strlen(c->domain);

    return c->name != NULL && *c->name != '\0' &&
           made_of(c->name, "!#$%&'*+-.^_`|~") && value != NULL &&
           made_of(value, other) && *path == '/' && strchr(path, ';') == NULL &&
           (c->domain == NULL || made_of(c->domain, "-.")) && len > 0 &&
           c->same_site >= HTTP_SAME_SITE_LAX &&
           c->same_site <= HTTP_SAME_SITE_NONE && is_allowed(c, path);
}

/* What stands behind the value. */
static void format_rest(const struct http_cookie *c, char *p, size_t size)
{
    static const char *const sites[] = { "Lax", "Strict", "None" };
    char age[48] = "";

    if (c->max_age > 0)
        (void)snprintf(age, sizeof age, "; Max-Age=%lld",
                       (long long)c->max_age);
    else if (c->max_age < 0)
        (void)snprintf(age, sizeof age,
                       "; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
    (void)snprintf(p, size, "%s%s%s; SameSite=%s", age,
                   c->secure ? "; Secure" : "", c->scripts ? "" : "; HttpOnly",
                   sites[c->same_site]);
}

/* The field's value; NULL without memory. */
static char *format(struct http_request *req, const struct http_cookie *c,
                    const char *value, const char *path)
{
    const char *domain = c->domain == NULL ? "" : c->domain;
    size_t size = strlen(c->name) + strlen(value) + strlen(path) +
                  strlen(domain) + OTHER_MAX;
    char *text = http_alloc(req, size);
    int n;

    if (text == NULL)
        return NULL;
    n = snprintf(text, size, "%s=%s; Path=%s%s%s", c->name, value, path,
                 *domain == '\0' ? "" : "; Domain=", domain);
    format_rest(c, text + n, size - (size_t)n);
    return text;
}

/* "name=", as the value of the field begins. */
static int replace(struct http_response *res, const struct http_cookie *c,
                   char *text)
{
    size_t len = strlen(c->name) + 1;
    char *prefix =
        copy(&http_work_of_response(res)->req, (struct slice){ text, len });

    if (prefix == NULL)
        return -1;
    return http_fields_replace(res, "Set-Cookie", prefix, text);
}

int http_set_cookie(struct http_response *res, const struct http_cookie *c)
{
    struct http_work *w = http_work_of_response(res);
    const char *path = c->path == NULL ? "/" : c->path;
    const char *value = c->max_age < 0 ? "" : c->value;
    char *text;

    if (http_response_check(res) < 0)
        return -1;
    if (!is_valid(c, value, path)) {
        errno = EINVAL;
        return -1;
    }
    if (strlen(c->name) + strlen(value) > VALUE_MAX ||
        strlen(path) > ATTRIBUTE_MAX ||
        (c->domain != NULL && strlen(c->domain) > ATTRIBUTE_MAX)) {
        errno = EMSGSIZE;
        return -1;
    }
    text = format(&w->req, c, value, path);
    return text == NULL ? -1 : replace(res, c, text);
}
