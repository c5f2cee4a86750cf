/* http_beneath.h - opens files below a folder, and nothing else.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_BENEATH_H
#define NET_HTTP_BENEATH_H

/* The file of that name below the folder root, to be read, flags added; a
 * descriptor, or -1.  ENOENT for what leads outside, too, and for what is no
 * regular file and no folder as far as open(2) says so. */
int http_beneath(int root, const char *name, int flags);

#endif
