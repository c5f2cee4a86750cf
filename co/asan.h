/* asan.h - tells sanitizers and valgrind about stacks and switches.
 *
 * Private to co/.  All of it is nothing in an ordinary build, but for one
 * client request to valgrind per new stack and per array reserved.  ASan wants
 * to know the bounds of the stack that is switched to, TSan a "fiber" per
 * stack, valgrind the bounds of each stack once.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_ASAN_H
#define CO_ASAN_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__SANITIZE_ADDRESS__)
#define CO_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CO_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define CO_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CO_TSAN 1
#endif
#endif

struct asan_fiber { /* one per stack, and one per scheduler's own stack */
    void *fake;     /* ASan: the fake stack while switched away */
    const void *low;
    size_t size;
    void *tsan;
};

#if defined(CO_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void asan_fiber_open(struct asan_fiber *f, const void *low,
                                   size_t size)
{
    /* The stack may carry marks of frames that were dropped with its pages. */
    __asan_unpoison_memory_region(low, size);
    f->fake = NULL;
    f->low = low;
    f->size = size;
}
static inline void asan_fiber_open_thread(struct asan_fiber *f)
{
    f->low = NULL; /* learnt at the first switch away from it */
}
static inline void asan_fiber_close(struct asan_fiber *f) { (void)f; }
static inline void asan_leave(struct asan_fiber *from, struct asan_fiber *to)
{
    __sanitizer_start_switch_fiber(&from->fake, to->low, to->size);
}
/* first thing on the other side; from is where the switch came from */
static inline void asan_arrive(struct asan_fiber *self, struct asan_fiber *from)
{
    const void *low;
    size_t size;

    __sanitizer_finish_switch_fiber(self->fake, &low, &size);
    if (from != NULL && from->low == NULL) {
        from->low = low;
        from->size = size;
    }
}

#elif defined(CO_TSAN)
#include <sanitizer/tsan_interface.h>

static inline void asan_fiber_open(struct asan_fiber *f, const void *low,
                                   size_t size)
{
    (void)low, (void)size;
    f->tsan = __tsan_create_fiber(0);
}
static inline void asan_fiber_open_thread(struct asan_fiber *f)
{
    f->tsan = __tsan_get_current_fiber();
}
static inline void asan_fiber_close(struct asan_fiber *f)
{
    if (f->tsan != NULL)
        __tsan_destroy_fiber(f->tsan);
    f->tsan = NULL;
}
/* Were this a call, TSan would enter it on one fiber and leave it on another.
 */
__attribute__((always_inline)) static inline void asan_leave(
    struct asan_fiber *from, struct asan_fiber *to)
{
    (void)from;
    __tsan_switch_to_fiber(to->tsan, 0);
}
static inline void asan_arrive(struct asan_fiber *self, struct asan_fiber *from)
{
    (void)self, (void)from;
}

#else
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define CO_VALGRIND 1
#endif
#endif

static inline void asan_fiber_open(struct asan_fiber *f, const void *low,
                                   size_t size)
{
    (void)f;
#if defined(CO_VALGRIND)
    (void)VALGRIND_STACK_REGISTER(low, (const char *)low + size);
#else
    (void)low, (void)size;
#endif
}
static inline void asan_fiber_open_thread(struct asan_fiber *f) { (void)f; }
static inline void asan_fiber_close(struct asan_fiber *f) { (void)f; }
static inline void asan_leave(struct asan_fiber *from, struct asan_fiber *to)
{
    (void)from, (void)to;
}
static inline void asan_arrive(struct asan_fiber *self, struct asan_fiber *from)
{
    (void)self, (void)from;
}
#endif

static inline bool asan_valgrind(void)
{
#if defined(CO_VALGRIND)
    return RUNNING_ON_VALGRIND != 0;
#else
    return false;
#endif
}

/* Around what TSan must not take for a write that races. */
#if defined(CO_TSAN)
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

static inline void asan_ignore_begin(void)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}
static inline void asan_ignore_end(void)
{
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}
#else
static inline void asan_ignore_begin(void) {}
static inline void asan_ignore_end(void) {}
#endif

#endif
