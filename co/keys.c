/* keys.c - coroutine-local storage.
 *
 * A coroutine gets its array of values when it first sets one.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/bug.h"
#include "co/coro.h"
#include <errno.h>
#include <stdlib.h>

enum { KEYS = 64, ROUNDS = 4 }; /* rounds: PTHREAD_DESTRUCTOR_ITERATIONS */

typedef void destroy_fn(void *value);

static atomic_int key_count;
static _Atomic(destroy_fn *) destroyers[KEYS];

int co_key_create(void (*destroy)(void *value))
{
    int key = atomic_fetch_add(&key_count, 1);

    if (key >= KEYS) {
        atomic_store(&key_count, KEYS);
        errno = EAGAIN;
        return -1;
    }
    atomic_store(&destroyers[key], destroy);
    return key;
}

int co_key_set(int key, void *value)
{
    struct co *co = co_running();

    BUG_ON(co == NULL, "co_key_set: called outside a coroutine");
    if (key < 0 || key >= KEYS || key >= atomic_load(&key_count)) {
        errno = EINVAL;
        return -1;
    }
    if (co->keys == NULL) {
        co->keys = (void **)calloc(KEYS, sizeof *co->keys);
        if (co->keys == NULL)
            return -1;
    }
    co->keys[key] = value;
    return 0;
}

void *co_key_get(int key)
{
    struct co *co = co_running();

    BUG_ON(co == NULL, "co_key_get: called outside a coroutine");
    if (co->keys == NULL || key < 0 || key >= KEYS)
        return NULL;
    return co->keys[key];
}

/* Calls each destructor once; whether there was any value. */
static bool destroy_round(void **keys)
{
    bool any = false;

    for (int key = 0; key < KEYS; key++) {
        destroy_fn *destroy = atomic_load(&destroyers[key]);
        void *value = keys[key];

        if (value == NULL)
            continue;
        keys[key] = NULL;
        any = true;
        if (destroy != NULL)
            destroy(value);
    }
    return any;
}

void coro_keys_end(struct co *co)
{
    for (int i = 0; i < ROUNDS && destroy_round(co->keys); i++)
        continue;
    free((void *)co->keys);
    co->keys = NULL;
}
