/* http_precondition.h - whether the client's copy is still the right one (RFC
 * 9110 13).
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_PRECONDITION_H
#define NET_HTTP_PRECONDITION_H

#include <stdbool.h>
#include <stdint.h>

struct http_validators { /* of what would be sent */
    const char *etag;    /* as the field has it: "abc" or W/"abc", with its
                            quotes; NULL none */
    int64_t mtime;       /* seconds since 1970 */
};

struct http_conditions { /* values of the fields; NULL for each without */
    const char *match;
    const char *unmodified_since;
    const char *none_match;
    const char *modified_since;
    const char *range; /* If-Range */
};

/* 0 when the request is to be carried out, or the status instead: 304, 412. get
 * is true for GET and HEAD.  What is broken in a list of tags ends the list, a
 * broken date is as none. */
int http_precondition(const struct http_conditions *c,
                      const struct http_validators *v, bool get);

/* Whether a field If-Range (value) lets Range count: it names the very same
 * bytes.  A date does so when it is that of the file, and when that second has
 * been over for another one: before, the file may change again and keep its
 * date.  A client whose copy is from within that second cannot be told from
 * others; it is the client that must not ask by date then (RFC 9110 13.1.5). */
bool http_if_range(const char *value, const struct http_validators *v);

#endif
