/* http_accept.h - which codings a client takes (RFC 9110 12.5.3).
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_ACCEPT_H
#define NET_HTTP_ACCEPT_H

#include <stdbool.h>

/* Whether it takes that coding ("gzip", "br", "identity") by its field
 * Accept-Encoding; NULL without one, which means identity alone.  What names
 * the coding decides, the first of several; then "*"; and then none but
 * identity is taken.  A part with broken syntax is as if it were not there. */
bool http_accepts(const char *accept_encoding, const char *coding);

#endif
