/* http_scan.h - finds the first byte of a set.
 *
 * Private to net/.  What a parser does most is to run over bytes until one
 * comes that ends the word or may not be in it.  A set is two tables of 16
 * bytes: byte b belongs to it when high[b >> 4] and low[b & 15] share a bit. So
 * a bit stands for a kind of row in the 16 x 16 table of ASCII, and a CPU that
 * looks up 16 or 32 nibbles at a time needs no other form of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_SCAN_H
#define NET_HTTP_SCAN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct http_scan_set {
    uint8_t high[16];
    uint8_t low[16];
};

extern const struct http_scan_set http_stop_token; /* all but RFC 9110 tchar */
extern const struct http_scan_set http_stop_path;  /* '?' and those of query */
extern const struct http_scan_set http_stop_query; /* controls, space, >= 0x7f,
                                                      and '"' '#' '<' '>' */
extern const struct http_scan_set http_stop_text;  /* controls except tab */
extern const struct http_scan_set http_stop_host;  /* all but RFC 3986 reg-name;
                                                      and '%' */
extern const struct http_scan_set http_stop_escape; /* '%' */

static inline bool http_scan_has(const struct http_scan_set *set, char c)
{
    uint8_t b = (uint8_t)c;

    return (set->high[b >> 4] & set->low[b & 15]) != 0;
}

/* The first byte from p on that belongs to the set, or end.  Nothing from end
 * on is read. */
typedef const char *http_scan_fn(const char *p, const char *end,
                                 const struct http_scan_set *set);

http_scan_fn http_scan_plain;

/* The fastest one for this CPU, and all that it can run, fastest last. */
struct http_scan_variant {
    const char *name;
    http_scan_fn *scan;
};
unsigned http_scan_variants(struct http_scan_variant variants[4]);

/* Becomes the fastest one at the first call.  Threads that come here together
 * all store the same; the function they read is complete in any case. */
extern http_scan_fn *_Atomic http_scan_chosen;

static inline const char *http_scan(const char *p, const char *end,
                                    const struct http_scan_set *set)
{
    return atomic_load_explicit(&http_scan_chosen, memory_order_relaxed)(p, end,
                                                                         set);
}

#endif
