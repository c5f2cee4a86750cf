/* histogram.h - counts of times, exact to 3 %: a power of two has 32 buckets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_BUCKETS = 36 * 32 };

struct histogram { /* zero is empty */
    uint64_t counts[HISTOGRAM_BUCKETS];
    uint64_t total;
};

static inline void histogram_add(struct histogram *h, int64_t ns, uint64_t n)
{
    uint64_t v = ns < 32 ? 32 : (uint64_t)ns;
    unsigned shift = 58 - (unsigned)__builtin_clzll(v);
    unsigned bucket = shift * 32 + (unsigned)(v >> shift) - 32;

    if (bucket >= HISTOGRAM_BUCKETS)
        bucket = HISTOGRAM_BUCKETS - 1;
    h->counts[bucket] += n;
    h->total += n;
}

/* What the share of all (0.99) stays below, in ns; 0 when there is nothing. */
static inline double histogram_quantile(const struct histogram *h, double share)
{
    uint64_t need = (uint64_t)((double)h->total * share);
    uint64_t seen = 0;
    unsigned i;

    for (i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += h->counts[i];
        if (seen > need)
            return (double)((UINT64_C(33) + i % 32) << i / 32);
    }
    return 0;
}

#endif
