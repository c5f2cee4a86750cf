/* offload.h - the threads for blocking work, as the runtime sees them.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_OFFLOAD_H
#define CO_OFFLOAD_H

enum { OFFLOAD_DEFAULT = 16, OFFLOAD_MAX = 4096 };

/* threads: the bound, 0 for the default.  Makes none yet. */
void offload_open(unsigned threads);

/* Waits until all threads have ended.  No work may be queued. */
void offload_close(void);

/* In the child of a fork: there are no threads, whatever there were.  Safe in a
 * signal handler. */
void offload_forsake(void);

#endif
