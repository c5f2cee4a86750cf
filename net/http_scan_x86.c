/* http_scan_x86.c - 16 or 32 bytes at a time.
 *
 * A byte's two nibbles select from the two tables of the set (PSHUFB), and
 * where the results share a bit it belongs to the set.  That is faster than the
 * string instructions of SSE4.2, whose eight ranges also are too few for a
 * token; the CPUs that have those are the ones asked for here, since they have
 * both.
 *
 * The last bytes, too few for a load that stays below the end, are looked at
 * one by one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_scan.h"
#include <immintrin.h>

#define SSE42 __attribute__((target("sse4.2")))
#define AVX2 __attribute__((target("avx2")))

static SSE42 inline const char *by_16(const char *p, const char *end,
                                      const struct http_scan_set *set)
{
    const __m128i nibble = _mm_set1_epi8(15);
    const __m128i high = _mm_loadu_si128((const __m128i *)set->high);
    const __m128i low = _mm_loadu_si128((const __m128i *)set->low);

    for (; end - p >= 16; p += 16) {
        __m128i b = _mm_loadu_si128((const __m128i *)p);
        __m128i row = _mm_and_si128(_mm_srli_epi16(b, 4), nibble);
        __m128i both =
            _mm_and_si128(_mm_shuffle_epi8(high, row),
                          _mm_shuffle_epi8(low, _mm_and_si128(b, nibble)));
        __m128i none = _mm_cmpeq_epi8(both, _mm_setzero_si128());
        unsigned found = (unsigned)_mm_movemask_epi8(none) ^ 0xffff;

        if (found != 0)
            return p + __builtin_ctz(found);
    }
    return http_scan_plain(p, end, set);
}

static SSE42 const char *scan_sse42(const char *p, const char *end,
                                    const struct http_scan_set *set)
{
    return by_16(p, end, set);
}

static AVX2 const char *scan_avx2(const char *p, const char *end,
                                  const struct http_scan_set *set)
{
    if (end - p < 32)
        return by_16(p, end, set);

    const __m256i nibble = _mm256_set1_epi8(15);
    const __m256i high = _mm256_broadcastsi128_si256(
        _mm_loadu_si128((const __m128i *)set->high));
    const __m256i low =
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)set->low));

    for (; end - p >= 32; p += 32) {
        __m256i b = _mm256_loadu_si256((const __m256i *)p);
        __m256i row = _mm256_and_si256(_mm256_srli_epi16(b, 4), nibble);
        __m256i both = _mm256_and_si256(
            _mm256_shuffle_epi8(high, row),
            _mm256_shuffle_epi8(low, _mm256_and_si256(b, nibble)));
        __m256i none = _mm256_cmpeq_epi8(both, _mm256_setzero_si256());
        unsigned found = ~(unsigned)_mm256_movemask_epi8(none);

        if (found != 0)
            return p + __builtin_ctz(found);
    }
    return by_16(p, end, set);
}

unsigned http_scan_variants(struct http_scan_variant variants[4])
{
    unsigned n = 0;

    variants[n++] = (struct http_scan_variant){ "plain", http_scan_plain };
    if (__builtin_cpu_supports("sse4.2"))
        variants[n++] = (struct http_scan_variant){ "sse4.2", scan_sse42 };
    if (__builtin_cpu_supports("avx2"))
        variants[n++] = (struct http_scan_variant){ "avx2", scan_avx2 };
    return n;
}
