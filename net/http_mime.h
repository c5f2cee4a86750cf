/* http_mime.h - the types of files, by their names.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_MIME_H
#define NET_HTTP_MIME_H

#include <stdbool.h>

/* Any thread may look things up in it; it does not change. */
struct http_mime;

/* The table in a file as /etc/mime.types, a type and its extensions a line, and
 * for extensions that it does not have one that is built in; that alone when
 * file is NULL or not there.  The first of several lines for one extension
 * counts, what is no type is skipped.  NULL with errno; EINVAL for a line of 4
 * KiB, or with a zero in it: that is no table. */
struct http_mime *http_mime_open(const char *file);
void http_mime_close(struct http_mime *m); /* NULL does nothing */

/* The value of Content-Type for a file of that name: by what is behind its last
 * dot, in any case.  Types of text say "; charset=utf-8".  Lives as long as m.
 * application/octet-stream when nothing better is known. */
const char *http_mime_type(const struct http_mime *m, const char *name);

/* Whether such files are text, or something else that gzip makes much smaller;
 * with parameters or without. */
bool http_mime_is_text(const char *type);

#endif
