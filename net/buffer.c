/* buffer.c - see buffer.h: what is not done for each byte that arrives.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/buffer.h"
#include "net/net.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

_Thread_local struct buffer_pool *buffer_pool;

/* The key + 1: it frees the pool when its thread ends. */
static atomic_uint key_made;

static void pool_free(void *arg)
{
    struct buffer_pool *p = arg;

    while (p->count > 0)
        free(p->kept[--p->count]);
    free(p->landing);
    free(p);
    buffer_pool = NULL;
}

/* Not by pthread_once(), which would keep a failure for ever.  Of two threads
 * that come at once one has made a key too many. */
static int make_key(pthread_key_t *key)
{
    unsigned made = atomic_load(&key_made);

    if (made == 0) {
        if (pthread_key_create(key, pool_free) != 0) {
            errno = ENOMEM;
            return -1;
        }
        if (atomic_compare_exchange_strong(&key_made, &made, *key + 1))
            return 0;
        (void)pthread_key_delete(*key);
    }
    *key = made - 1;
    return 0;
}

/* NULL when out of memory, or of keys: ENOMEM. */
static struct buffer_pool *pool_make(void)
{
    struct buffer_pool *p;
    pthread_key_t key;

    if (make_key(&key) < 0)
        return NULL;
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    if (pthread_setspecific(key, p) != 0) {
        free(p);
        errno = ENOMEM;
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

_Static_assert((int)NET_BUFFER_BYTES == (int)BUFFER_BYTES, "net.h tells it");

void *net_buffer_get(void) { return buffer_get(); }

void net_buffer_put(void *b)
{
    if (b != NULL)
        buffer_put(b);
}
