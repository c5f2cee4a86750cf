/* http_range.h - which bytes of a file a client asks for (RFC 9110 14).
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_RANGE_H
#define NET_HTTP_RANGE_H

#include <stdint.h>

struct http_range {
    uint64_t first;
    uint64_t len; /* never 0, and within the file */
};

/* The ranges of a field Range, those that the file has anything of, as they
 * were asked for: how many, or -1 when there is none (416).  0 when the field
 * has to be ignored, and the file sent as a whole: for another unit than bytes,
 * broken syntax, more than max ranges, or when they have more bytes than the
 * file, which takes overlaps and helps nobody.  So is a range from the first
 * byte on, or of the last ones, of an empty file: it is all that there is, and
 * no Content-Range could say it. */
int http_range_parse(const char *value, uint64_t size, struct http_range *out,
                     unsigned max);

#endif
