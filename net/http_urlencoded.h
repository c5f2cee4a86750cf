/* http_urlencoded.h - name=value pairs between '&', as queries and forms have
 * them.  The rules stand in http_form.h.  No I/O, no allocation.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_URLENCODED_H
#define NET_HTTP_URLENCODED_H

#include "net/http.h"

/* How many pairs there are. */
size_t http_urlencoded_count(const char *text, size_t len);

/* Takes text apart, in place, and the byte behind it.  The number of pairs, or
 * -1 when it is broken. */
ssize_t http_urlencoded_split(char *text, size_t len, struct http_pair *pairs);

/* Where the value of the first pair of that name begins, still encoded, or
 * NULL; then errno is ENOENT, or EBADMSG when any of text is broken. */
const char *http_urlencoded_find(const char *text, size_t len, const char *name,
                                 size_t *value_len);

/* Decodes what is not broken; dst may be src.  The number of bytes; a zero
 * stands behind them. */
size_t http_urlencoded_decode(char *dst, const char *src, size_t len);

#endif
