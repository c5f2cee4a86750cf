/* heap.h - an 8-ary min-heap of small entries.
 *
 * Private to co/.  An entry is 8 bytes, so that eight children are one cache
 * line; where each id stands is kept in a dense array beside it, so that
 * sifting touches nothing else.  Keys are 32-bit ticks that wrap: they compare
 * by their difference, so all keys in the heap must lie within 2^31 of each
 * other.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_HEAP_H
#define CO_HEAP_H

#include <stdbool.h>
#include <stdint.h>

struct heap_entry {
    uint32_t key;
    uint32_t id; /* below the limit given to heap_open() */
};

struct heap {
    struct heap_entry *entries; /* children of one parent share a cache line */
    uint32_t *where;            /* by id: position + 1, 0 when absent */
    uint32_t count;
    uint32_t limit;
};

/* Reserves address space for ids below limit; no later call can fail, since an
 * id stands in the heap at most once.  0, or -1 ENOMEM. */
int heap_open(struct heap *h, uint32_t limit);
void heap_close(struct heap *h);

void heap_set(struct heap *h, uint32_t id, uint32_t key); /* adds or moves */
void heap_drop(struct heap *h, uint32_t id);              /* absent is fine */
bool heap_has(const struct heap *h, uint32_t id);
/* The earliest; count must be above 0. */
static inline struct heap_entry heap_top(const struct heap *h)
{
    return h->entries[0];
}
void heap_pop(struct heap *h); /* drops the top */

#endif
