/* buffer.h - pooled buffers, and one for whoever reads next.
 *
 * Private to net/.  Each thread keeps a few buffers, so that getting and
 * putting one is a handful of instructions and its memory is warm.
 *
 * The landing is what makes waiting cheap: any number of coroutines of a thread
 * wait to read into the same buffer.  Whoever is woken reads into it and takes
 * it in the same breath, before anybody else can run, and another one is put
 * in its place.  So the waiting ones must look at *landing only when they
 * read: co_recv_into() does.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_BUFFER_H
#define NET_BUFFER_H

#include <stddef.h>

enum { BUFFER_BYTES = 16 * 1024 };

/* A buffer of BUFFER_BYTES, or NULL + ENOMEM. */
void *buffer_get(void);

/* Gives b back, also on another thread than it was got on. */
void buffer_put(void *b);

/* Where this thread's landing stands, with a buffer in it; NULL + ENOMEM. */
void *const *buffer_landing(void);

/* Takes the landing's buffer and puts another one there; when memory is out,
 * NULL: reading into that fails with EFAULT and takes nothing off the
 * socket. */
void *buffer_take(void);

#endif
