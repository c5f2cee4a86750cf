/* http_parts.h - a multipart/form-data body taken apart (RFC 7578, RFC 2046).
 *
 * Private to net/.  Bytes in, slices out: the caller keeps what was not taken
 * and gives it again with more behind it, so no delimiter is ever seen in part.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_PARTS_H
#define NET_HTTP_PARTS_H

#include "net/http_form.h"

enum { HTTP_BOUNDARY_MAX = 70, HTTP_DELIMITER_MAX = 4 + HTTP_BOUNDARY_MAX };

enum http_parts_event {
    HTTP_PARTS_MORE, /* more bytes are needed */
    HTTP_PARTS_HEAD, /* a part begins; found is its head, each line with its end
                        but not the empty one */
    HTTP_PARTS_DATA, /* found are bytes of it, at least one */
    HTTP_PARTS_END,  /* it ends */
    HTTP_PARTS_LAST, /* there are no more; what follows means nothing */
    HTTP_PARTS_BROKEN
};

struct http_parts {
    uint32_t head_max; /* the caller's: bytes of a head */

    uint8_t state;
    uint8_t delimiter_len;
    char delimiter[HTTP_DELIMITER_MAX]; /* CR LF "--" and the boundary */

    /* Valid when it is broken. */
    int error;       /* 400, 413 */
    const char *why; /* in a few words; static */
};

struct http_parts_found {
    const char *data;
    size_t len;
};

/* 0, or -1 for what is no boundary. */
int http_parts_start(struct http_parts *p, const char *boundary);

/* What the len bytes at buf begin with, of which *taken are done with; end says
 * that no more will come.  Asks for more only when buf has fewer than head_max
 * bytes and those of a delimiter and an empty line. */
enum http_parts_event http_parts_next(struct http_parts *p, const char *buf,
                                      size_t len, bool end, size_t *taken,
                                      struct http_parts_found *found);

/* http_part.c.  What a head says, taken apart in place; len bytes and one more
 * are there.  0, or the status: 400, 415. */
int http_part_open(struct http_part *part, char *head, size_t len);

/* The boundary in a Content-Type, in place; NULL with *status 415 when it is
 * not multipart/form-data, 400 when it has none. */
const char *http_part_boundary(char *type, int *status);

#endif
