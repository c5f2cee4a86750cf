/* buffer.c - see buffer.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/buffer.h"
#include <pthread.h>
#include <stdlib.h>

enum { KEEP = 64 }; /* buffers that a thread keeps, 1 MiB */

struct pool { /* of one thread */
    void *landing;
    unsigned count;
    void *kept[KEEP]; /* the warmest last */
};

/* One pointer, since a program has little room for thread-locals that need no
 * call to be found (initial-exec). */
static _Thread_local struct pool *own
    __attribute__((tls_model("initial-exec")));

static pthread_key_t key; /* frees the pool when its thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

static void pool_free(void *arg)
{
    struct pool *p = arg;

    while (p->count > 0)
        free(p->kept[--p->count]);
    free(p->landing);
    free(p);
    own = NULL;
}

static void make_key(void) { key_error = pthread_key_create(&key, pool_free); }

/* NULL when out of memory, or of keys. */
__attribute__((noinline)) static struct pool *pool_make(void)
{
    struct pool *p;

    (void)pthread_once(&once, make_key); /* cannot fail */
    if (key_error != 0)
        return NULL;
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    if (pthread_setspecific(key, p) != 0) {
        free(p);
        return NULL;
    }
    own = p;
    return p;
}

void *buffer_get(void)
{
    struct pool *p = own;

    if (__builtin_expect(p != NULL && p->count > 0, 1))
        return p->kept[--p->count];
    return malloc(BUFFER_BYTES);
}

void buffer_put(void *b)
{
    struct pool *p = own;

    if (p == NULL)
        p = pool_make();
    if (p != NULL && p->count < KEEP)
        p->kept[p->count++] = b;
    else
        free(b);
}

void *const *buffer_landing(void)
{
    struct pool *p = own;

    if (p == NULL && (p = pool_make()) == NULL)
        return NULL;
    if (p->landing == NULL)
        p->landing = buffer_get();
    return p->landing == NULL ? NULL : &p->landing;
}

void *buffer_take(void)
{
    struct pool *p = own;
    void *b = p->landing;

    p->landing = buffer_get();
    return b;
}
