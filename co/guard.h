/* guard.h - the part of a stack's address space that faults.
 *
 * Private to stack.c and slab.c, and called under the lock of the depot.  Two
 * ways lead there: MADV_GUARD_INSTALL marks the page table and costs no
 * mapping; mprotect(2) splits one mapping into three, of which a process may
 * have vm.max_map_count.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_GUARD_H
#define CO_GUARD_H

#include <stddef.h>

/* Finds out what this kernel can do.  CO_GUARD=mprotect in the environment
 * forces that way. */
void guard_setup(void);

/* Makes [low, low + bytes) fault on every access.  -1 with errno, most often
 * ENOMEM because the process has nearly all the mappings it may have. */
int guard_add(char *low, size_t bytes);

/* What vm.max_map_count is now, or 0 when the kernel does not tell. */
long guard_map_limit(void);

#endif
