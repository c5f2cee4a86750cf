/* stack.c - who holds stacks that nobody uses.
 *
 * A cache belongs to one thread and is an array of warm stacks, last in first
 * out; stack.h has its usual case inline.  Behind it is a magazine of numbers
 * taken from the process-wide depot and not looked at yet, so that a page of
 * an unused stack is not touched before its time.  The depot is under one
 * lock, which caches take once a magazine.
 *
 * The depot links numbers, not stacks: the pages of most of its stacks were
 * given back, and a link in them would fetch them again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/stack.h"

#include "co/bug.h"
#include "co/reserve.h"
#include "co/slab.h"

#include <errno.h>
#include <pthread.h>

enum {
    RUN = 16,          /* new stacks guarded at a time */
    DEPOT_WARM = 1024, /* stacks of a class that keep their pages there */
    TRIM_AT_ONCE = 64, /* some 50 us */
    SLOTS_BELOW = 4,   /* what stack_get() prefetches from, when few are left */
};

struct depot { /* of one class; lists of number + 1, 0 ends them */
    uint32_t warm;
    uint32_t cold;
    unsigned warm_count; /* those on their way into the list included */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct depot depots[SLAB_CLASSES]; /* under lock */
static uint32_t *links;                   /* by number; under lock; reserved */

static _Thread_local const char *why = "";

static void list_push(uint32_t *list, uint32_t number)
{
    links[number] = *list;
    *list = number + 1;
}

static uint32_t list_pop(uint32_t *list)
{
    uint32_t number = *list - 1;

    *list = links[number];
    return number;
}

/* Puts new stacks into the cold list, the lowest number on top. */
static int depot_grow(unsigned size_class)
{
    uint32_t first;
    int n = slab_grow(size_class, size_class == 0 ? RUN : 1, &first);

    if (n < 0) {
        why = slab_why();
        return -1;
    }
    while (n-- > 0)
        list_push(&depots[size_class].cold, first + (uint32_t)n);
    return 0;
}

/* Between 1 and n stacks, the next one to use last; -1 with ENOMEM. */
static int depot_take(unsigned size_class, uint32_t *numbers, unsigned n)
{
    struct depot *d = &depots[size_class];
    unsigned taken = 0;

    pthread_mutex_lock(&lock);
    if (d->warm == 0 && d->cold == 0 && depot_grow(size_class) < 0) {
        pthread_mutex_unlock(&lock);
        errno = ENOMEM;
        return -1;
    }
    while (taken < n && (d->warm != 0 || d->cold != 0)) {
        if (d->warm != 0)
            d->warm_count--;
        numbers[taken++] = list_pop(d->warm != 0 ? &d->warm : &d->cold);
    }
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < taken / 2; i++) {
        uint32_t number = numbers[i];

        numbers[i] = numbers[taken - 1 - i];
        numbers[taken - 1 - i] = number;
    }
    return (int)taken;
}

/* n stacks of one class.  Which of them stay warm is decided first and their
 * number reserved, so that the calls into the kernel need no lock. */
static void depot_give(unsigned size_class, struct stack **stacks, unsigned n)
{
    struct depot *d = &depots[size_class];
    uint32_t numbers[STACK_MAGAZINE];
    unsigned warm;

    pthread_mutex_lock(&lock);
    warm = DEPOT_WARM - d->warm_count;
    if (warm > n)
        warm = n;
    d->warm_count += warm;
    pthread_mutex_unlock(&lock);

    for (unsigned i = 0; i < n; i++) {
        numbers[i] = stacks[i]->number;
        if (i < warm)
            slab_trim(stacks[i]);
        else
            slab_clear(stacks[i]);
    }

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < n; i++)
        list_push(i < warm ? &d->warm : &d->cold, numbers[i]);
    pthread_mutex_unlock(&lock);
}

int stack_setup(size_t default_bytes, size_t room)
{
    BUG_ON(links != NULL, "stack_setup() called twice");
    BUG_ON(room < sizeof(struct stack), "no room for a struct stack");
    if (slab_setup(default_bytes, room) < 0)
        return -1;
    links = reserve_open(STACK_MAX * sizeof(*links));
    if (links != NULL)
        return 0;
    slab_teardown();
    errno = ENOMEM;
    return -1;
}

void stack_forsake(void)
{
    slab_forsake();
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    links = NULL;
    for (unsigned i = 0; i < SLAB_CLASSES; i++)
        depots[i] = (struct depot){ 0 };
}

void stack_teardown(void)
{
    slab_teardown();
    reserve_close(links, STACK_MAX * sizeof(*links));
    stack_forsake();
}

static const size_t slots_bytes =
    (SLOTS_BELOW + STACK_CACHE) * sizeof(struct stack *);

int stack_cache_open(struct stack_cache *cache)
{
    struct stack **slots = reserve_open(slots_bytes);

    if (slots == NULL)
        return -1;
    /* Something to prefetch that can be, when fewer than four are left. */
    for (unsigned i = 0; i < SLOTS_BELOW; i++)
        slots[i] = (struct stack *)(void *)slots;
    *cache = (struct stack_cache){ .slots = slots + SLOTS_BELOW };
    return 0;
}

void stack_cache_close(struct stack_cache *cache)
{
    while (cache->count > 0) {
        unsigned n =
            cache->count < STACK_MAGAZINE ? cache->count : STACK_MAGAZINE;

        cache->count -= n;
        depot_give(0, cache->slots + cache->count, n);
    }
    pthread_mutex_lock(&lock);
    while (cache->spare_count > 0)
        list_push(&depots[0].cold, cache->spare[--cache->spare_count]);
    pthread_mutex_unlock(&lock);
    reserve_close(cache->slots - SLOTS_BELOW, slots_bytes);
    *cache = (struct stack_cache){ 0 };
}

void stack_cache_forsake(struct stack_cache *cache)
{
    cache->count = cache->checked = cache->spare_count = 0;
}

struct stack *stack_get_other(struct stack_cache *cache, size_t bytes)
{
    int size_class = slab_class(bytes);
    uint32_t number;
    int n;

    if (size_class < 0) {
        why = errno == ENOMEM ? "a stack can have 1 TiB at most"
                              : "less than the smallest stack";
        return NULL;
    }
    if (size_class != 0 || cache == NULL) {
        if (depot_take((unsigned)size_class, &number, 1) < 0)
            return NULL;
        return slab_use(number);
    }
    if (cache->count > 0) /* the default size, asked for by its number */
        return stack_get(cache, 0);
    if (cache->spare_count == 0) {
        n = depot_take(0, cache->spare, STACK_MAGAZINE);
        if (n < 0)
            return NULL;
        cache->spare_count = (unsigned)n;
    }
    return slab_use(cache->spare[--cache->spare_count]);
}

void stack_put_other(struct stack_cache *cache, struct stack *s)
{
    if (s->size_class != 0 || cache == NULL) {
        depot_give(s->size_class, &s, 1);
        return;
    }
    cache->count -= STACK_MAGAZINE;
    if (cache->checked > cache->count)
        cache->checked = cache->count;
    depot_give(0, cache->slots + cache->count, STACK_MAGAZINE);
    stack_put(cache, s);
}

bool stack_trim(struct stack_cache *cache)
{
    unsigned end = cache->checked + TRIM_AT_ONCE;

    if (end > cache->count)
        end = cache->count;
    while (cache->checked < end)
        slab_trim(cache->slots[cache->checked++]);
    return cache->checked < cache->count;
}

const char *stack_why(void) { return why; }
