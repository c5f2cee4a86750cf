/* stack.h - guarded stacks out of slabs, kept warm for the next user.
 *
 * Private to co/.  A stack has a number, dense and process-wide, by which
 * timers know it, and some bytes at its top ("room") that belong to whoever
 * uses it: the coroutine's struct stands there, its first field being a struct
 * stack, so that a parked coroutine touches one page and not two.
 *
 *   low guard (64 KiB) | usable, grows down ... | room | colour shift | top
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_STACK_H
#define CO_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STACK_GUARD = 64 * 1024,
    STACK_MAX = 1 << 22, /* stacks in the process */
    STACK_CACHE = 10240, /* warm ones a thread keeps */
    STACK_MAGAZINE = 64, /* what a cache and the depot trade at a time */
};

struct stack { /* stands at the start of the room, at the stack's top */
    char *low; /* the lowest usable byte; the guard ends here */
    uint32_t number;
    uint32_t size_class; /* 0: the default size */
    bool made;           /* a context stands on it; set by the user */
};

struct stack_cache { /* one thread's warm stacks of the default size */
    struct stack **slots;
    unsigned count;
    unsigned checked; /* slots below were looked at by stack_trim() */
    unsigned spare_count;
    uint32_t spare[STACK_MAGAZINE]; /* numbers from the depot, not touched */
};

/* Once a process, before anything else, and undone by stack_teardown(), when
 * no stack is in use and every cache is closed: everything is unmapped.
 * default_bytes is the address space of a stack of size 0, guard included,
 * made an odd number of pages, at most one less; room is what its user needs
 * at the top.  0, or -1 with errno: EINVAL when default_bytes is below
 * stack_min(). */
int stack_setup(size_t default_bytes, size_t room);
void stack_teardown(void);

/* In the child of a fork, which may be standing on one of them: as if there had
 * never been any.  Their memory stays.  Safe in a signal handler. */
void stack_forsake(void);

int stack_cache_open(struct stack_cache *cache);   /* 0, or -1 ENOMEM */
void stack_cache_close(struct stack_cache *cache); /* stacks go to the depot */
void stack_cache_forsake(struct stack_cache *cache);

size_t stack_min(void); /* the least address space that stack_get() takes */

/* The rest of stack_get() and stack_put(), out of line. */
struct stack *stack_get_other(struct stack_cache *cache, size_t bytes);
void stack_put_other(struct stack_cache *cache, struct stack *s);

/* A guarded stack whose usable part (guard and room not counted) is at least
 * what `bytes` of address space give; 0 is the default.  cache is the calling
 * thread's, or NULL for one without.  A stack that was used before has `made`
 * and its room as its last user left them; else both are zero.  NULL with
 * ENOMEM or, when bytes is below stack_min(), EINVAL; stack_why() then says
 * what ran out. */
static inline struct stack *stack_get(struct stack_cache *cache, size_t bytes)
{
    unsigned n;

    if (bytes != 0 || cache == NULL || cache->count == 0)
        return stack_get_other(cache, bytes);
    n = --cache->count;
    if (n < cache->checked)
        cache->checked = n;
    __builtin_prefetch(cache->slots[(int)n - 4], 1);
    __builtin_prefetch((char *)cache->slots[(int)n - 4] + 64, 1);
    __builtin_prefetch((char *)cache->slots[(int)n - 4] + 128, 1);
    return cache->slots[n];
}

/* Takes s.  The pages of what does not fit into the cache may go back to the
 * kernel before this returns, so nobody may stand on s unless the cache has
 * room for it. */
static inline void stack_put(struct stack_cache *cache, struct stack *s)
{
    if (cache == NULL || s->size_class != 0 || cache->count == STACK_CACHE)
        stack_put_other(cache, s);
    else
        cache->slots[cache->count++] = s;
}

/* Looks at some of the stacks put since the last calls and gives back the
 * pages of those that were used deeply.  Returns at once when there is none;
 * true when there are more to look at: call again before a long sleep.  For
 * idle moments. */
bool stack_trim(struct stack_cache *cache);

/* NULL when that number was never handed out: those of the default size are
 * dense, others leave gaps. */
struct stack *stack_at(uint32_t number);
uint32_t stack_count(void); /* one past the highest number handed out */

/* The stack whose address space holds addr, or NULL; *guard says whether addr
 * is in its guard.  Safe in a signal handler. */
struct stack *stack_find(const void *addr, bool *guard);

/* Usable bytes below the room. */
static inline size_t stack_usable(const struct stack *s)
{
    return (size_t)((const char *)s - s->low);
}

size_t stack_bytes_mapped(void); /* address space of all slabs */

/* Why the last stack_get() of this thread failed: names the limit in words. */
const char *stack_why(void);

#endif
