/* http_escape.h - texts in paths, and in pages.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_ESCAPE_H
#define NET_HTTP_ESCAPE_H

#include <stddef.h>

/* Bytes that hold what becomes of len, and a zero. */
#define HTTP_ESCAPED_MAX(len) (3 * (len) + 1)
#define HTTP_ESCAPED_HTML_MAX(len) (6 * (len) + 1)

/* The text as a path of a URL, which may also stand in a page as it is: what is
 * neither unreserved (RFC 3986 2.3) nor a slash becomes "%41".  So no first
 * segment looks like a scheme.  Its length, without the zero behind it. */
size_t http_escape_path(char *out, const char *text, size_t len);

/* The text as text of a page, or as a value in quotes there.  Always UTF-8:
 * bytes that are not, and controls, become U+FFFD, one for each byte. */
size_t http_escape_html(char *out, const char *text, size_t len);

#endif
