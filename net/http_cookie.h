/* http_cookie.h - cookies (RFC 6265bis).
 *
 *     const char *theme = http_cookie(req, "theme");
 *
 *     http_set_cookie(res, &(struct http_cookie){ .name = "theme",
 *                                                 .value = "dark",
 *                                                 .max_age = 86400 });
 *
 * Whatever a client sends in a cookie is what the client likes.  http_sign.h
 * (library corten-http-sign) makes values that only the server can.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_COOKIE_H
#define NET_HTTP_COOKIE_H

#include "net/http.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {                     /* of http_cookie.same_site */
       HTTP_SAME_SITE_LAX, /* sent with links from elsewhere, but no forms */
       HTTP_SAME_SITE_STRICT,
       HTTP_SAME_SITE_NONE /* with anything; only when secure */
};

/* A cookie to set.  Zeros make one that is kept as close as can be without TLS:
 * for this host and all of its paths, until the browser ends, out of reach of
 * scripts, not sent with the requests that other sites make. */
struct http_cookie {    /* public */
    const char *name;   /* a token, as the names of fields */
    const char *value;  /* ASCII without control bytes, space, '"', ',', ';',
                           and '\' */
    const char *path;   /* it is sent to those below; "/" */
    const char *domain; /* and to the hosts below this one; none */
    int64_t max_age;    /* seconds; 0: until the browser ends; below: remove it,
                           the value does not matter */
    int same_site;
    bool secure;  /* over TLS alone */
    bool scripts; /* may see it: not HttpOnly */
};

/* The value of the cookie of that name that stands first, as it came: quotation
 * marks around it are a part of it.  NULL with ENOENT without one, ENOMEM. */
const char *http_cookie(struct http_request *req, const char *name);

/* All that came, in order; the array ends with a name that is NULL.  What has
 * no name is left out.  NULL with ENOMEM. */
const struct http_pair *http_cookies(struct http_request *req);

/* Adds the field Set-Cookie, in the place of one for the same name.  To remove
 * a cookie from the browser, path and domain have to be as they were.  EINVAL
 * for what cannot be sent so that every browser understands the same, and what
 * browsers refuse: same_site NONE that is not secure, a name that begins with
 * __Secure- and is not, with __Host- and is not or has a domain or another path
 * than "/".  EMSGSIZE for name and value beyond 4,096 bytes together, path or
 * domain beyond 1,024; and those of http_add_header(). */
int http_set_cookie(struct http_response *res,
                    const struct http_cookie *cookie);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
