/* slab.c - where stacks lie.
 *
 * Stack i of a slab has [base + i * stride, + stride).  Strides are an odd
 * number of pages and the top of stack i is shifted down by (i mod 16) * 64
 * bytes, because equal page offsets and power-of-two strides put the tops of
 * all stacks into the same few sets of cache and TLB.  The kernel gives memory
 * as it is touched; slabs are never unmapped before the teardown.
 *
 * Slabs are added under the lock of the depot.  Readers take no lock: a slab
 * is written before the release store of `slabs`, which pairs with the acquire
 * loads below, and what `used` counts only grows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/slab.h"

#include "co/guard.h"
#include "co/reserve.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SLABS = STACK_MAX / SLAB_STACKS,
    COLOURS = 16,
    COLOUR_BYTES = 64,
    KEEP_BYTES = 16 * 1024, /* what slab_trim() leaves at the top */
    SMALLEST_SHIFT = 16,    /* class k > 0 has 2^(SMALLEST_SHIFT + k) bytes */
};

/* A slab of large stacks holds fewer than SLAB_STACKS of them. */
static const size_t slab_bytes = (size_t)256 << 20;

struct slab { /* written once, but for `used` */
    char *base;
    size_t stride;
    unsigned stacks;
    unsigned size_class;
    _Atomic unsigned used; /* handed out, from the start */
};

static struct slab *table; /* of SLABS; reserved */
static _Atomic unsigned slabs;
static _Atomic size_t mapped; /* bytes of all slabs */
static _Atomic uint32_t top;  /* one past the highest number handed out */

static struct slab *open_slabs[SLAB_CLASSES]; /* under the depot's lock */
static char why[256];                         /* under the depot's lock */

/* Set by slab_setup(). */
static size_t page;
static size_t default_bytes;
static size_t default_stride;
static size_t room;

static size_t round_up(size_t n, size_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static size_t stride_of(unsigned size_class)
{
    if (size_class == 0)
        return default_stride;
    return ((size_t)1 << (SMALLEST_SHIFT + size_class)) + page;
}

static char *space_of(const struct slab *slab, unsigned i)
{
    return slab->base + i * slab->stride;
}

static struct stack *stack_of(const struct slab *slab, unsigned i)
{
    char *end = space_of(slab, i) + slab->stride;

    return (struct stack *)(end - i % COLOURS * COLOUR_BYTES - room);
}

size_t stack_min(void)
{
    size_t usable = KEEP_BYTES + getauxval(AT_MINSIGSTKSZ);

    return round_up(STACK_GUARD + usable + room + COLOURS * COLOUR_BYTES, page);
}

int slab_setup(size_t bytes, size_t room_bytes)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    room = round_up(room_bytes, COLOUR_BYTES);
    if (bytes < stack_min() || bytes >> (SMALLEST_SHIFT + SLAB_CLASSES - 1)) {
        errno = EINVAL;
        return -1;
    }
    default_bytes = bytes;
    default_stride = bytes / page * page;
    if (default_stride / page % 2 == 0)
        default_stride -= page;
    if (default_stride < stack_min())
        default_stride += 2 * page;
    table = reserve_open(SLABS * sizeof(*table));
    if (table == NULL)
        return -1;
    guard_setup();
    return 0;
}

void slab_forsake(void)
{
    atomic_store(&slabs, 0);
    table = NULL;
    for (unsigned i = 0; i < SLAB_CLASSES; i++)
        open_slabs[i] = NULL;
    atomic_store(&mapped, 0);
    atomic_store(&top, 0);
}

void slab_teardown(void)
{
    unsigned n = atomic_exchange(&slabs, 0);

    for (unsigned i = 0; i < n; i++)
        (void)munmap(table[i].base, table[i].stacks * table[i].stride);
    reserve_close(table, SLABS * sizeof(*table));
    slab_forsake();
}

int slab_class(size_t bytes)
{
    int k = 1;

    if (bytes == 0 || bytes == default_bytes)
        return 0;
    if (bytes < stack_min()) {
        errno = EINVAL;
        return -1;
    }
    while (k < SLAB_CLASSES && (size_t)1 << (SMALLEST_SHIFT + k) < bytes)
        k++;
    /* The default ones are the warm ones: take them unless they are larger
     * than need be. */
    if (bytes + COLOURS * COLOUR_BYTES <= default_stride &&
        (k == SLAB_CLASSES || default_stride <= stride_of((unsigned)k)))
        return 0;
    if (k == SLAB_CLASSES) {
        errno = ENOMEM;
        return -1;
    }
    return k;
}

/* The thread that failed before may be reading the text: it changes only when
 * it says something new. */
__attribute__((format(printf, 1, 2))) static void explain(const char *format,
                                                          ...)
{
    char text[sizeof(why)];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (strcmp(why, text) != 0)
        memcpy(why, text, sizeof(text));
}

static unsigned long long limit_of(int resource)
{
    struct rlimit limit = { 0 };

    (void)getrlimit(resource, &limit); /* cannot fail with a known resource */
    return limit.rlim_cur;
}

static void explain_mmap(int error, size_t bytes)
{
    if (error == EAGAIN)
        explain("no %zu KiB for stacks: memory is locked (mlockall) and "
                "RLIMIT_MEMLOCK (ulimit -l) is %llu bytes",
                bytes / 1024, limit_of(RLIMIT_MEMLOCK));
    else if (limit_of(RLIMIT_AS) != RLIM_INFINITY)
        explain("no address space for stacks (%zu KiB): RLIMIT_AS "
                "(ulimit -v) is %llu bytes",
                bytes / 1024, limit_of(RLIMIT_AS));
    else
        explain("no address space for stacks (%zu KiB): vm.max_map_count "
                "is %ld, or see vm.overcommit_memory",
                bytes / 1024, guard_map_limit());
}

static void explain_guard(int error)
{
    if (error == ENOMEM)
        explain("no mapping left for the guard of a stack: vm.max_map_count "
                "is %ld and each guard takes two (with MADV_GUARD_INSTALL, "
                "Linux 6.13, none); raise it: sysctl -w vm.max_map_count=N",
                guard_map_limit());
    else
        explain("the kernel refuses to guard a stack: %s", strerror(error));
}

static char *map_slab(size_t bytes)
{
    char *base = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (base == MAP_FAILED) {
        explain_mmap(errno, bytes);
        errno = ENOMEM;
        return NULL;
    }
    /* A huge page would make one parked coroutine cost 2 MiB.  Fails only on
     * kernels that have none. */
    (void)madvise(base, bytes, MADV_NOHUGEPAGE);
    return base;
}

static struct slab *slab_open(unsigned size_class)
{
    unsigned n = atomic_load_explicit(&slabs, memory_order_relaxed);
    size_t stride = stride_of(size_class);
    size_t stacks = slab_bytes / stride;
    struct slab *slab = &table[n];

    if (n == SLABS) {
        explain("the process has its %d stacks, the most there can be",
                STACK_MAX);
        errno = ENOMEM;
        return NULL;
    }
    if (stacks > SLAB_STACKS)
        stacks = SLAB_STACKS;
    if (stacks == 0)
        stacks = 1;
    slab->base = map_slab(stacks * stride);
    if (slab->base == NULL)
        return NULL;
    slab->stride = stride;
    slab->stacks = (unsigned)stacks;
    slab->size_class = size_class;
    atomic_store_explicit(&slab->used, 0, memory_order_relaxed);
    atomic_fetch_add_explicit(&mapped, stacks * stride, memory_order_relaxed);
    atomic_store_explicit(&slabs, n + 1, memory_order_release);
    open_slabs[size_class] = slab;
    return slab;
}

/* How many of n stacks from number i on got their guard. */
static unsigned guard_run(const struct slab *slab, unsigned i, unsigned n)
{
    for (unsigned k = 0; k < n; k++) {
        if (guard_add(space_of(slab, i + k), STACK_GUARD) < 0) {
            explain_guard(errno);
            return k;
        }
    }
    return n;
}

int slab_grow(unsigned size_class, unsigned n, uint32_t *first)
{
    struct slab *slab = open_slabs[size_class];
    unsigned used = 0;

    if (slab != NULL)
        used = atomic_load_explicit(&slab->used, memory_order_relaxed);
    if (slab == NULL || used == slab->stacks) {
        slab = slab_open(size_class);
        used = 0;
    }
    if (slab == NULL)
        return -1;
    if (n > slab->stacks - used)
        n = slab->stacks - used;
    n = guard_run(slab, used, n);
    if (n == 0) {
        errno = ENOMEM;
        return -1;
    }
    *first = (uint32_t)(slab - table) * SLAB_STACKS + used;
    atomic_store_explicit(&slab->used, used + n, memory_order_release);
    if (*first + n > atomic_load_explicit(&top, memory_order_relaxed))
        atomic_store_explicit(&top, *first + n, memory_order_release);
    return (int)n;
}

const char *slab_why(void) { return why; }

struct stack *slab_use(uint32_t number)
{
    const struct slab *slab = &table[number / SLAB_STACKS];
    struct stack *s = stack_of(slab, number % SLAB_STACKS);

    s->low = space_of(slab, number % SLAB_STACKS) + STACK_GUARD;
    s->number = number;
    s->size_class = slab->size_class;
    return s;
}

/* On locked memory the kernel refuses, and the pages stay: `made` and the room
 * then stay too, so nobody is deceived. */
void slab_trim_below(struct stack *s, uintptr_t address)
{
    uintptr_t keep = address & ~(uintptr_t)(page - 1);

    if (keep > (uintptr_t)s->low)
        (void)madvise(s->low, keep - (uintptr_t)s->low, MADV_DONTNEED);
}

void slab_trim(struct stack *s)
{
    slab_trim_below(s, (uintptr_t)s - KEEP_BYTES);
}

void slab_clear(struct stack *s)
{
    size_t bytes = stride_of(s->size_class) - STACK_GUARD;

    (void)madvise(s->low, bytes, MADV_DONTNEED);
}

struct stack *stack_at(uint32_t number)
{
    const struct slab *slab = &table[number / SLAB_STACKS];
    unsigned i = number % SLAB_STACKS;

    if (number / SLAB_STACKS >=
            atomic_load_explicit(&slabs, memory_order_acquire) ||
        i >= atomic_load_explicit(&slab->used, memory_order_acquire))
        return NULL;
    return stack_of(slab, i);
}

uint32_t stack_count(void)
{
    return atomic_load_explicit(&top, memory_order_acquire);
}

size_t stack_bytes_mapped(void)
{
    return atomic_load_explicit(&mapped, memory_order_relaxed);
}

struct stack *stack_find(const void *addr, bool *guard)
{
    unsigned n = atomic_load_explicit(&slabs, memory_order_acquire);

    *guard = false;
    for (unsigned k = 0; k < n; k++) {
        const struct slab *slab = &table[k];
        uintptr_t offset = (uintptr_t)addr - (uintptr_t)slab->base;
        size_t i = offset / slab->stride;

        if (i >= atomic_load_explicit(&slab->used, memory_order_acquire))
            continue;
        *guard = offset % slab->stride < STACK_GUARD;
        return stack_of(slab, (unsigned)i);
    }
    return NULL;
}
