/* http_listing.h - a folder as a page.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_LISTING_H
#define NET_HTTP_LISTING_H

#include "net/http.h"

enum {
    HTTP_LISTING_DOTFILES = 1, /* show names that begin with a dot */
    HTTP_LISTING_ROOT = 2      /* there is no folder above it */
};

/* For a handler: sends what is in the folder dirfd, which it takes, to a GET or
 * HEAD whose path ends with a slash.  The status to return; 503 also when
 * clients that read slowly hold more than 64 MiB of names.  [waits] */
int http_listing(struct http_request *req, struct http_response *res, int dirfd,
                 unsigned flags);

#endif
