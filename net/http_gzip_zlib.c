/* http_gzip_zlib.c - zlib compresses.
 *
 * Into as much memory as the result may need to be worth it, so that what does
 * not compress is given up when that is full.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_gzip.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum {
    GZIP = 16 + MAX_WBITS, /* its head and end, not zlib's */
    MEMORY = 8             /* zlib's default */
};

/* What zlib takes at a time. */
#define PIECE_MAX ((size_t)UINT32_MAX)

/* All of data, while there is room.  How many bytes it became, 0 when they do
 * not fit. */
static size_t deflate_all(z_stream *z, const void *data, size_t len, char *out,
                          size_t room)
{
    size_t left = len, free_bytes = room;
    int r = Z_OK;

    z->next_in = (z_const Bytef *)data;
    z->next_out = (Bytef *)out;
    while (r == Z_OK && free_bytes > 0) {
        size_t in = left < PIECE_MAX ? left : PIECE_MAX;
        size_t to = free_bytes < PIECE_MAX ? free_bytes : PIECE_MAX;

        z->avail_in = (uInt)in;
        z->avail_out = (uInt)to;
        r = deflate(z, in == left ? Z_FINISH : Z_NO_FLUSH);
        left -= in - z->avail_in;
        free_bytes -= to - z->avail_out;
    }
    return r == Z_STREAM_END ? room - free_bytes : 0;
}

char *http_gzip(const void *data, size_t len, size_t *out_len)
{
    size_t room = len - len / 8 - (len % 8 != 0);
    z_stream z = { 0 };
    char *out, *fit;

    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        errno = ENOMEM;
        return NULL;
    }
    out = malloc(room + 1);
    *out_len = out != NULL ? deflate_all(&z, data, len, out, room) : 0;
    (void)deflateEnd(&z); /* Z_DATA_ERROR when it was given up */
    if (out == NULL)
        return NULL;
    if (*out_len == 0) {
        free(out);
        errno = ERANGE;
        return NULL;
    }
    fit = realloc(out, *out_len);
    return fit != NULL ? fit : out;
}
