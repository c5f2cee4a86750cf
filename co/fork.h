/* fork.h - what the child of fork(2) finds.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_FORK_H
#define CO_FORK_H

/* Sees to it that children find no runtime.  Once a process; -1 with errno. */
int fork_prepare(void);

/* Frees what a child inherited of its parent's runtime, before it starts one of
 * its own. */
void fork_clean(void);

#endif
