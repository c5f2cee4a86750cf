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

enum {
    BUFFER_BYTES = 16 * 1024,
    BUFFER_KEEP = 64 /* what a thread keeps at most: 1 MiB */
};

struct buffer_pool { /* of one thread; freed with it */
    void *landing;   /* NULL when memory was out */
    unsigned count;
    void *kept[BUFFER_KEEP]; /* the warmest last */
};

/* NULL until it is needed.  One pointer, since a program has little room for
 * thread-locals that need no call to be found (initial-exec). */
extern _Thread_local struct buffer_pool *buffer_pool
    __attribute__((tls_model("initial-exec")));

/* The rare ways of the functions below. */
void *buffer_new(void);
void buffer_put_slow(void *b);
void *const *buffer_landing_slow(void);

/* A buffer of BUFFER_BYTES, or NULL + ENOMEM. */
static inline void *buffer_get(void)
{
    struct buffer_pool *p = buffer_pool;

    if (__builtin_expect(p != NULL && p->count > 0, 1))
        return p->kept[--p->count];
    return buffer_new();
}

/* Gives b back, also on another thread than it was got on. */
static inline void buffer_put(void *b)
{
    struct buffer_pool *p = buffer_pool;

    if (__builtin_expect(p != NULL && p->count < BUFFER_KEEP, 1))
        p->kept[p->count++] = b;
    else
        buffer_put_slow(b);
}

/* Where this thread's landing stands, with a buffer in it; NULL + ENOMEM. */
static inline void *const *buffer_landing(void)
{
    struct buffer_pool *p = buffer_pool;

    if (__builtin_expect(p != NULL && p->landing != NULL, 1))
        return &p->landing;
    return buffer_landing_slow();
}

/* Takes the landing's buffer and puts another one there; when memory is out,
 * NULL: reading into that fails with EFAULT and takes nothing off the
 * socket. */
static inline void *buffer_take(void)
{
    struct buffer_pool *p = buffer_pool;
    void *b = p->landing;

    p->landing = p->count > 0 ? p->kept[--p->count] : buffer_new();
    return b;
}

#endif
