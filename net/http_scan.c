/* http_scan.c - the sets, the scan that any CPU can do, and the choice.
 *
 * Each table gives the rows that are not empty a bit; rows with the same bytes
 * share it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_scan.h"

/* Bits: 1 the whole row; 2 row 2x; 4 row 3x; 8 row 4x; 16 row 5x; 32 row 7x. */
const struct http_scan_set http_stop_token = {
    .high = { 1, 1, 2, 4, 8, 16, 0, 32, 1, 1, 1, 1, 1, 1, 1, 1 },
    .low = {
        [0x0] = 1 | 2 | 8,
        [0x1] = 1,
        [0x2] = 1 | 2,
        [0x3] = 1,
        [0x4] = 1,
        [0x5] = 1,
        [0x6] = 1,
        [0x7] = 1,
        [0x8] = 1 | 2,
        [0x9] = 1 | 2,
        [0xa] = 1 | 4,
        [0xb] = 1 | 4 | 16 | 32,
        [0xc] = 1 | 2 | 4 | 16,
        [0xd] = 1 | 4 | 16 | 32,
        [0xe] = 1 | 4,
        [0xf] = 1 | 2 | 4 | 32,
    },
};

/* Bits: 1 the whole row; 2 row 2x; 4 row 3x; 8 row 7x. */
const struct http_scan_set http_stop_path = {
    .high = { 1, 1, 2, 4, 0, 0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1 },
    .low = { 3, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 5, 1, 5, 13 },
};
const struct http_scan_set http_stop_query = {
    .high = { 1, 1, 2, 4, 0, 0, 0, 8, 1, 1, 1, 1, 1, 1, 1, 1 },
    .low = { 3, 1, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 5, 1, 5, 9 },
};

/* Bits: 1 row 0x; 2 row 1x; 4 row 7x. */
const struct http_scan_set http_stop_text = {
    .high = { 1, 2, 0, 0, 0, 0, 0, 4 },
    .low = { 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 3, 3, 3, 3, 3, 7 },
};

/* Bits: 1 the whole row; 2 row 2x; 4 row 3x; 8 rows 4x and 6x; 16 row 5x; 32
 * row 7x. */
const struct http_scan_set http_stop_host = {
    .high = { 1, 1, 2, 4, 8, 16, 8, 32, 1, 1, 1, 1, 1, 1, 1, 1 },
    .low = {
        [0x0] = 1 | 2 | 8,
        [0x1] = 1,
        [0x2] = 1 | 2,
        [0x3] = 1 | 2,
        [0x4] = 1,
        [0x5] = 1 | 2,
        [0x6] = 1,
        [0x7] = 1,
        [0x8] = 1,
        [0x9] = 1,
        [0xa] = 1 | 4,
        [0xb] = 1 | 16 | 32,
        [0xc] = 1 | 4 | 16 | 32,
        [0xd] = 1 | 16 | 32,
        [0xe] = 1 | 4 | 16,
        [0xf] = 1 | 2 | 4 | 32,
    },
};

const struct http_scan_set http_stop_escape = {
    .high = { [0x2] = 1 },
    .low = { [0x5] = 1 },
};

const char *http_scan_plain(const char *p, const char *end,
                            const struct http_scan_set *set)
{
    while (p < end && !http_scan_has(set, *p))
        p++;
    return p;
}

static const char *choose(const char *p, const char *end,
                          const struct http_scan_set *set)
{
    struct http_scan_variant variants[4];
    http_scan_fn *scan = variants[http_scan_variants(variants) - 1].scan;

    atomic_store_explicit(&http_scan_chosen, scan, memory_order_relaxed);
    return scan(p, end, set);
}

http_scan_fn *_Atomic http_scan_chosen = choose;
