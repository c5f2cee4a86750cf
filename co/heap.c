/* heap.c - an 8-ary min-heap of small entries.
 *
 * The children of position i are 8i+1 .. 8i+8.  The root stands 7 entries into
 * a page, so that the first child of each parent is at the start of a cache
 * line, and one step down reads one line.  Sifting moves a hole, not the entry:
 * each step is one copy and one store to `where`.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/heap.h"
#include "co/bug.h"
#include "co/reserve.h"
#include <stddef.h>

enum {
    WAYS = 8,
    ROOT_OFFSET = WAYS - 1 /* puts position 1 on a cache line */
};

_Static_assert(sizeof(struct heap_entry) * WAYS == 64,
               "eight children are one cache line");

static size_t entries_bytes(uint32_t limit)
{
    return ((size_t)limit + ROOT_OFFSET) * sizeof(struct heap_entry);
}

static size_t where_bytes(uint32_t limit)
{
    return (size_t)limit * sizeof(uint32_t);
}

/* Keys wrap, so only their difference says which comes first. */
static inline bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static inline void place(struct heap *h, size_t i, struct heap_entry e)
{
    h->entries[i] = e;
    h->where[e.id] = (uint32_t)i + 1;
}

static inline uint64_t min(uint64_t a, uint64_t b) { return a < b ? a : b; }

/* What child k weighs: how far its key lies above low, then k itself.  As one
 * number, so that choosing the least of eight needs no branch; which child wins
 * is random, and a mispredicted branch costs more than all eight. */
static inline uint64_t weight(const struct heap_entry *child, uint32_t low,
                              unsigned k)
{
    return (uint64_t)(child[k].key - low) << 3 | k;
}

static inline uint64_t least_of_8(const struct heap_entry *c, uint32_t low)
{
    uint64_t a = min(weight(c, low, 0), weight(c, low, 1));
    uint64_t b = min(weight(c, low, 2), weight(c, low, 3));
    uint64_t d = min(weight(c, low, 4), weight(c, low, 5));
    uint64_t e = min(weight(c, low, 6), weight(c, low, 7));

    return min(min(a, b), min(d, e));
}

static void sift_up(struct heap *h, size_t i, struct heap_entry e)
{
    while (i > 0) {
        size_t parent = (i - 1) / WAYS;

        if (!before(e.key, h->entries[parent].key))
            break;
        place(h, i, h->entries[parent]);
        i = parent;
    }
    place(h, i, e);
}

/* Fills the hole at i with e or with what must rise above it.  No key below the
 * hole, nor that of e, comes before low: then differences from low are
 * ordered. */
static void sift_down(struct heap *h, size_t i, struct heap_entry e,
                      uint32_t low)
{
    uint64_t moving = (uint64_t)(e.key - low) << 3;
    size_t first;

    while ((first = i * WAYS + 1) < h->count) {
        const struct heap_entry *child = &h->entries[first];
        uint64_t least;

        if (first + WAYS <= h->count) {
            least = least_of_8(child, low);
        } else {
            least = weight(child, low, 0);
            for (unsigned k = 1; first + k < h->count; k++)
                least = min(least, weight(child, low, k));
        }
        if (moving <= least)
            break;
        place(h, i, child[least % WAYS]);
        i = first + least % WAYS;
    }
    place(h, i, e);
}

/* Replaces the entry at i by e and moves it to where it belongs. */
static void replace(struct heap *h, size_t i, struct heap_entry e)
{
    uint32_t old_key = h->entries[i].key;

    if (before(e.key, old_key))
        sift_up(h, i, e);
    else
        sift_down(h, i, e, old_key);
}

/* Takes position i out and closes the gap with the last entry. */
static void take(struct heap *h, size_t i)
{
    h->where[h->entries[i].id] = 0;
    h->count--;
    if (i < h->count)
        replace(h, i, h->entries[h->count]);
}

int heap_open(struct heap *h, uint32_t limit)
{
    struct heap_entry *entries;

    BUG_ON(limit == 0, "a heap for no ids");
    *h = (struct heap){ .limit = limit };
    entries = reserve_open(entries_bytes(limit));
    if (entries == NULL)
        return -1;
    h->where = reserve_open(where_bytes(limit));
    if (h->where == NULL) {
        reserve_close(entries, entries_bytes(limit));
        return -1;
    }
    h->entries = entries + ROOT_OFFSET;
    return 0;
}

void heap_close(struct heap *h)
{
    if (h->entries != NULL) {
        reserve_close(h->entries - ROOT_OFFSET, entries_bytes(h->limit));
        reserve_close(h->where, where_bytes(h->limit));
    }
    *h = (struct heap){ 0 };
}

void heap_set(struct heap *h, uint32_t id, uint32_t key)
{
    struct heap_entry e = { .key = key, .id = id };

    BUG_ON(id >= h->limit, "heap_set with an id beyond the limit");
    if (h->where[id] != 0)
        replace(h, h->where[id] - 1, e);
    else
        sift_up(h, h->count++, e);
}

void heap_drop(struct heap *h, uint32_t id)
{
    BUG_ON(id >= h->limit, "heap_drop with an id beyond the limit");
    if (h->where[id] != 0)
        take(h, h->where[id] - 1);
}

bool heap_has(const struct heap *h, uint32_t id)
{
    return id < h->limit && h->where[id] != 0;
}

void heap_pop(struct heap *h)
{
    BUG_ON(h->count == 0, "heap_pop of an empty heap");
    take(h, 0);
}
