/* fd_info.h - what a descriptor is, in words.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FD_INFO_H
#define CO_FD_INFO_H

#include <stdbool.h>

enum { FD_INFO_TEXT = 128 };

struct fd_info {
    char what[FD_INFO_TEXT]; /* "tcp", "unix", "pipe:[4711]"; "closed" */
    char local[FD_INFO_TEXT], peer[FD_INFO_TEXT]; /* addresses; "": none */
    bool listens;
    bool stream; /* a socket that has, or could have, a peer */
};

/* Of the number as it is now, which may have been closed meanwhile. */
void fd_info_get(int fd, struct fd_info *info);

#endif
