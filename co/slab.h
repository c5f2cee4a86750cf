/* slab.h - where stacks lie.
 *
 * Private to stack.c.  A slab is one mapping that holds up to SLAB_STACKS
 * stacks of one size class; stack number n lies in slab n / SLAB_STACKS, so
 * that number and address follow from each other by arithmetic.  Also defines
 * what stack.h says of addresses: stack_at(), stack_count(), stack_find(),
 * stack_min() and stack_bytes_mapped().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SLAB_H
#define CO_SLAB_H

#include "co/stack.h"

enum {
    SLAB_STACKS = 256,
    SLAB_CLASSES = 26, /* the default, and powers of two up to 1 TiB */
};

/* As stack_setup() and stack_teardown(). */
int slab_setup(size_t default_bytes, size_t room);
void slab_teardown(void);
void slab_forsake(void); /* see stack_forsake() */

/* The class of stacks that gives at least bytes; -1 with EINVAL when that is
 * below stack_min(), with ENOMEM when it is beyond the largest class. */
int slab_class(size_t bytes);

/* Guards between 1 and n stacks that were never used, with numbers in a row
 * from *first, and returns how many; -1 with ENOMEM, and then slab_why() says
 * what ran out.  Both under the lock of the depot. */
int slab_grow(unsigned size_class, unsigned n, uint32_t *first);
const char *slab_why(void);

/* The stack of that number with its own fields written, room and `made` left
 * as they are. */
struct stack *slab_use(uint32_t number);

/* Gives pages back to the kernel: those below the topmost few KiB, those below
 * an address, or all. */
void slab_trim(struct stack *s);
void slab_trim_below(struct stack *s, uintptr_t address);
void slab_clear(struct stack *s);

#endif
