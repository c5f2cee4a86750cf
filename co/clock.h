/* clock.h - the one clock: monotonic nanoseconds.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_CLOCK_H
#define CO_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_now(void)
{
    struct timespec t;

    /* Cannot fail: the clock exists and t is ours. */
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static inline struct timespec clock_timespec(int64_t ns)
{
    return (struct timespec){ .tv_sec = ns / INT64_C(1000000000),
                              .tv_nsec = ns % INT64_C(1000000000) };
}

/* Tells the cpu that this is a spin loop. */
static inline void clock_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

#endif
