/* http_hash.h - where a string stands in a table.
 *
 * Private to net/.  Quick for paths; whoever chooses the strings can make them
 * collide, so tables of strings that clients choose stay small.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_HASH_H
#define NET_HTTP_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t http_hash(const char *s, size_t len)
{
    const uint64_t factor = 0x9e3779b97f4a7c15u;
    uint64_t h = len, word;

    for (; len >= 8; s += 8, len -= 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * factor;
        h ^= h >> 32;
    }
    for (; len > 0; len--)
        h = (h ^ (unsigned char)*s++) * factor;
    return (uint32_t)(h >> 32);
}

#endif
