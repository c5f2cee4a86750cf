/* buffer.c - see buffer.h: what is not done for each byte that arrives.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/buffer.h"
#include <pthread.h>
#include <stdlib.h>

_Thread_local struct buffer_pool *buffer_pool;

static pthread_key_t key; /* frees the pool when its thread ends */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key_error;

static void pool_free(void *arg)
{
    struct buffer_pool *p = arg;

    while (p->count > 0)
        free(p->kept[--p->count]);
    free(p->landing);
    free(p);
    buffer_pool = NULL;
}

static void make_key(void) { key_error = pthread_key_create(&key, pool_free); }

/* NULL when out of memory, or of keys. */
static struct buffer_pool *pool_make(void)
{
    struct buffer_pool *p;

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
    buffer_pool = p;
    return p;
}

void *buffer_new(void) { return malloc(BUFFER_BYTES); }

void buffer_put_slow(void *b)
{
    struct buffer_pool *p = buffer_pool;

    if (p == NULL)
        p = pool_make();
    if (p != NULL && p->count < BUFFER_KEEP)
        p->kept[p->count++] = b;
    else
        free(b);
}

void *const *buffer_landing_slow(void)
{
    struct buffer_pool *p = buffer_pool;

    if (p == NULL && (p = pool_make()) == NULL)
        return NULL;
    if (p->landing == NULL)
        p->landing = buffer_get();
    return p->landing == NULL ? NULL : &p->landing;
}
