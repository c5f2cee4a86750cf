/* http_query.c - the query of a request.
 *
 * It stays as it came: whoever asks gets a copy, in the request's memory.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_form.h"
#include "net/http_urlencoded.h"
#include <errno.h>
#include <string.h>

const char *http_query(struct http_request *req, const char *name)
{
    size_t len;
    const char *found =
        http_urlencoded_find(req->query, strlen(req->query), name, &len);
    char *value;

    if (found == NULL)
        return NULL;
    value = http_alloc(req, len + 1);
    if (value != NULL)
        (void)http_urlencoded_decode(value, found, len);
    return value;
}

const struct http_pair *http_query_pairs(struct http_request *req)
{
    size_t len = strlen(req->query);
    size_t count = http_urlencoded_count(req->query, len);
    struct http_pair *pairs = http_alloc(req, (count + 1) * sizeof *pairs);
    char *text = http_alloc(req, len + 1);
    ssize_t n;

    if (pairs == NULL || text == NULL)
        return NULL;
    memcpy(text, req->query, len + 1);
    n = http_urlencoded_split(text, len, pairs);
    if (n < 0) {
        errno = EBADMSG;
        return NULL;
    }
    pairs[n].name = NULL;
    return pairs;
}
