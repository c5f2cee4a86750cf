/* http_route.h - which handler a request is for.
 *
 * Private to net/.  The table is put in order once, when the server starts; a
 * request is then matched without allocating.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_ROUTE_H
#define NET_HTTP_ROUTE_H

#include "net/http.h"
#include "net/http_parse.h"

enum {
    ROUTE_PARAMS = 16,    /* of a pattern at most */
    ROUTE_ALLOW_MAX = 256 /* bytes of the field Allow, zero included */
};

struct http_router;

struct http_match {
    const struct http_route *route; /* NULL: none */
    unsigned count;
    const struct http_slice *names; /* in the pattern, without ":" */
    struct http_slice
        params[ROUTE_PARAMS]; /* of the path, from left to right */
};

/* Borrows the table, which may be NULL.  NULL with EINVAL or ENOMEM. */
struct http_router *http_router_new(const struct http_route *routes);
void http_router_free(struct http_router *r); /* NULL is fine */

/* The route for a method and a path.  False without one. */
bool http_router_find(const struct http_router *r, enum http_method id,
                      const char *method, const char *path, size_t len,
                      struct http_match *m);

/* The methods that path can be asked with, as the value of Allow; all of the
 * table for a NULL path.  Its length, 0 when there are none. */
size_t http_router_allow(const struct http_router *r, const char *path,
                         size_t len, char *allow);

/* Which of a match's params has that name; NULL without one. */
const struct http_slice *http_match_param(const struct http_match *m,
                                          const char *name);

#endif
