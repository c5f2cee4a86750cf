/* http_multipart.h - a form that is being read: its limits, its parts, its
 * files.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_MULTIPART_H
#define NET_HTTP_MULTIPART_H

#include "net/http_form.h"

/* The config without zeros; config may be NULL. */
struct http_form_config http_form_limits(const struct http_form_config *config);

/* Whether the body is what Content-Type says: not compressed besides. */
bool http_form_plain(struct http_request *req);

/* What to answer when http_body() fails with that error. */
int http_form_status(int err);

/* For whoever wants much at once rather than soon: pieces are as large as the
 * buffer, but the last. */
void http_multipart_gather(struct http_multipart *m);

/* http_multipart_read() without a copy: what *data points to is there until the
 * next call. */
ssize_t http_multipart_piece(struct http_multipart *m, const char **data,
                             int64_t deadline);

/* http_upload.c.  A file with nothing in it; the request's end removes it.
 * NULL + errno. */
struct http_upload *http_upload_open(struct http_request *req, const char *dir,
                                     const struct http_part *part);
int http_upload_write(struct http_upload *u, const char *data, size_t len);

/* Before the request's end; it may be called again. */
void http_upload_remove(struct http_upload *u);

#endif
