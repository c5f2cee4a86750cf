/* wire_echo.c - echo messages: a byte that says whether it is heavy ('!'), the
 * number, and letters that are always the same; in long ones the number comes
 * again every 4 KiB.
 *
 * No other byte is '!', so that a server may take any piece of a light message
 * for the beginning of one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/wire.h"
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK = 4096, LIGHT = '.', HEAVY = '!' };

static const struct options *options;
static char *expected; /* a round */

static int echo_open(const struct options *o)
{
    size_t len = (size_t)o->size * o->depth;
    uint32_t random = 1;

    options = o;
    expected = malloc(len + WIRE_STAMP);
    if (expected == NULL)
        return -1;
    for (size_t i = 0; i < len; i++) {
        random = random * 1664525 + 1013904223;
        expected[i] = (char)('a' + (random >> 16) % 26);
    }
    return 0;
}

/* The first byte of a block of message i, and as much of the number as there is
 * room for. */
static inline void make_block(const struct round *r, unsigned i, char *block,
                              size_t room)
{
    char stamp[WIRE_STAMP];

    block[0] = LIGHT;
    if (room > WIRE_STAMP) {
        wire_stamp(block + 1, r->first + i);
    } else {
        wire_stamp(stamp, r->first + i);
        memcpy(block + 1, stamp, room - 1);
    }
}

/* Makes what differs in bytes from..to-1 of message i what it is there. */
static inline void make(const struct round *r, unsigned i, size_t from,
                        size_t to)
{
    size_t size = options->size;
    char *message = expected + i * size;

    if (from < BLOCK) {
        make_block(r, i, message, size);
        if (wire_is_heavy(options, r, i))
            message[0] = HEAVY;
        from = BLOCK;
    }
    for (from -= from % BLOCK; from < to; from += BLOCK)
        make_block(r, i, message + from, size - from);
}

static const char *echo_request(const struct round *r, size_t *len)
{
    for (unsigned i = 0; i < r->count; i++)
        make(r, i, 0, options->size);
    *len = (size_t)r->count * options->size;
    return expected;
}

static const char *wrong(const struct round *r, const char *data, size_t len)
{
    static char text[128];
    size_t i = 0;

    while (i < len && data[i] == expected[r->got + i])
        i++;
    (void)snprintf(text, sizeof text,
                   "byte %zu of reply %llu is 0x%02x instead of 0x%02x",
                   (r->got + i) % options->size,
                   (unsigned long long)(r->first & 0xffffffffff) +
                       (r->got + i) / options->size,
                   (unsigned char)data[i], (unsigned char)expected[r->got + i]);
    return text;
}

static const char *echo_reply(struct round *r, const char *data, size_t len)
{
    size_t size = options->size, at = r->got, end = r->got + len;

    if (end > r->count * size)
        return "bytes behind the last reply";
    while (at < end) {
        unsigned i = (unsigned)(at / size);
        size_t stop = (i + 1) * size < end ? (i + 1) * size : end;

        make(r, i, at - i * size, stop - i * size);
        at = stop;
    }
    if (memcmp(data, expected + r->got, len) != 0)
        return wrong(r, data, len);
    r->got = end;
    r->done = (unsigned)(end / size);
    return NULL;
}

const struct wire wire_echo = { echo_open, echo_request, echo_reply };
