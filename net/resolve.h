/* resolve.h - from a name to addresses.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "net/addr.h"

enum { RESOLVE_MAX = 16 }; /* addresses of one name; more are left out */

/* Looks name up as getaddrinfo(3) does, for stream sockets, and writes the
 * addresses in the order in which they should be tried.  How many (at least
 * 1), or -1 with ENOENT (there is no such name, or it has no address), EAGAIN
 * (the name servers do not answer now), EIO (they answered with a failure),
 * ENOMEM, EMFILE and the like, ETIMEDOUT, ECANCELED.  [waits] */
int resolve(const struct addr_name *name, struct addr out[RESOLVE_MAX],
            int64_t deadline);

/* Text to addresses: one for a number or a path, those of a name.  ADDR_ALL is
 * reported in *all unless that is NULL, when it is EINVAL.  As resolve(). */
int resolve_text(const char *text, struct addr out[RESOLVE_MAX], bool *all,
                 int64_t deadline);

#endif
