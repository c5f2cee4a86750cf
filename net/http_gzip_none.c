/* http_gzip_none.c - where there is no zlib, nothing is compressed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_gzip.h"
#include <errno.h>

char *http_gzip(const void *data, size_t len, size_t *out_len)
{
    (void)data;
    (void)len;
    (void)out_len;
    errno = ENOTSUP;
    return NULL;
}
