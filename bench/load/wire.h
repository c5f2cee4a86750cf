/* wire.h - what requests look like, and whether the replies are right.
 *
 * Every message has a number that no other has, written in letters: so a reply
 * that belongs to somebody else, or to the request before, is wrong.  Requests
 * are made in one buffer for all connections, and made again to be compared
 * with, which costs less than to fetch a copy from memory.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_WIRE_H
#define BENCH_LOAD_WIRE_H

#include "bench/load/options.h"
#include <string.h>

enum { WIRE_STAMP = 16 };

/* The requests that a connection has sent at once. */
struct round {
    uint64_t first; /* number of the first: the connection's << 40, and on */
    unsigned count;
    unsigned done;   /* whose replies are complete, and right */
    bool light;      /* none of them is heavy */
    size_t got;      /* echo: bytes that came back */
    size_t rest_len; /* http: the beginning of a reply, */
    char *rest;      /* from malloc(), to be freed by who owns the round */
};

struct wire {
    /* First of all.  0, or -1 with errno. */
    int (*open)(const struct options *o);

    /* All requests of the round, in a buffer that is good until the next call
     * of any of these. */
    const char *(*request)(const struct round *r, size_t *len);

    /* Takes len bytes that arrived.  NULL, or what is wrong with them. */
    const char *(*reply)(struct round *r, const char *data, size_t len);
};

extern const struct wire wire_echo;
extern const struct wire wire_http;

static inline bool wire_is_heavy(const struct options *o, const struct round *r,
                                 unsigned i)
{
    return !r->light && options_is_heavy(o, r->first + i);
}

/* Four bits a byte, the lowest first, as letters from A to P. */
static inline uint64_t wire_letters(uint32_t n)
{
    uint64_t x = n;

    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return x + UINT64_C(0x4141414141414141);
}

/* Writes WIRE_STAMP bytes. */
static inline void wire_stamp(char *to, uint64_t number)
{
    uint64_t text[2] = { wire_letters((uint32_t)number),
                         wire_letters((uint32_t)(number >> 32)) };

    memcpy(to, text, WIRE_STAMP);
}

#endif
