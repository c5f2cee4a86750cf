/* http_gzip.h - compressed bodies.
 *
 * Private to net/.  One of http_gzip_zlib.c and http_gzip_none.c is in the
 * library, by whether zlib is there when it is built.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_GZIP_H
#define NET_HTTP_GZIP_H

#include <stddef.h>

/* len bytes as a file of gzip's, allocated: the caller's, to free().  Takes
 * 30 to 100 ms a megabyte, without a wait: co_offload() is for more than a
 * little.  NULL with ENOTSUP without zlib, ERANGE when it would save less than
 * an eighth, ENOMEM. */
char *http_gzip(const void *data, size_t len, size_t *out_len);

#endif
