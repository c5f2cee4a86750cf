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
    STACK_MAX = 1 << 24, /* stacks in the process */
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
};

/* Once a process, before anything else, and undone by stack_teardown(), when
 * no stack is in use: everything is unmapped.  default_bytes is the address
 * space of a stack of size 0, guard included; room is what its user needs at
 * the top.  0, or -1 with errno. */
int stack_setup(size_t default_bytes, size_t room);
void stack_teardown(void);

int stack_cache_open(struct stack_cache *cache);   /* 0, or -1 ENOMEM */
void stack_cache_close(struct stack_cache *cache); /* stacks go to the depot */

/* A guarded stack whose usable part (guard and room not counted) is at least
 * what `bytes` of address space give; 0 is the default.  cache is the calling
 * thread's, or NULL for one without.  A stack that was used before has `made`
 * and its room as its last user left them; else both are zero.  NULL with ENOMEM, and
 * then stack_why() says what ran out; EINVAL when bytes is below stack_min(). */
struct stack *stack_get(struct stack_cache *cache, size_t bytes);
void stack_put(struct stack_cache *cache, struct stack *s);
size_t stack_min(void); /* the least address space that stack_get() takes */

/* Looks at the stacks put since the last call and gives back the pages of those
 * that were used deeply.  Returns at once when there is none.  For idle
 * moments. */
void stack_trim(struct stack_cache *cache);

struct stack *stack_at(uint32_t number); /* must have been handed out */
uint32_t stack_count(void);              /* numbers handed out so far */

/* The stack whose address space holds addr, or NULL; *guard says whether addr is
 * in its guard.  Safe in a signal handler. */
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
