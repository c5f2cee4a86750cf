/* http_cache.c - see http_cache.h.
 *
 * One table for all schedulers, so that a file stands in memory once, under a
 * lock that is held for a look-up.  Entries of a kind stand in a ring in the
 * order in which they came; to evict, the oldest goes, or to the end of the
 * ring when it was used since it came there (CLOCK).  So a hit writes one byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_cache.h"
#include "co/co.h"
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
    SLOTS_FIRST = 256,
    SHARE = 4,       /* of the bytes, that one may take */
    SHARE_OF_ALL = 4 /* of what the process may have open, for all caches alike:
                        else nobody could connect any more */
};

static atomic_ulong caches; /* of the process */

struct ring { /* the oldest first */
    struct list entries;
    size_t used, limit; /* bytes, or descriptors */
};

struct http_cache {
    struct co_mutex lock;
    /* Under it. */
    struct ring bodies, files;
    struct http_entry **slots;
    size_t mask;
    size_t count;
};

void http_identity_of(struct http_identity *id, const struct stat *s)
{
    const int64_t second = CO_SECOND;

    id->dev = s->st_dev;
    id->ino = s->st_ino;
    id->size = s->st_size;
    id->mtime = s->st_mtim.tv_sec * second + s->st_mtim.tv_nsec;
    id->ctime = s->st_ctim.tv_sec * second + s->st_ctim.tv_nsec;
}

void http_entry_release(void *entry)
{
    struct http_entry *e = entry;

    if (atomic_fetch_sub_explicit(&e->refs, 1, memory_order_acq_rel) > 1)
        return;
    if (e->fd >= 0)
        (void)close(e->fd);
    free(e->body);
    free(e);
}

/* ---- Under the lock -------------------------------------------------------
 */

static struct ring *ring_of(struct http_cache *c, const struct http_entry *e)
{
    return e->fd >= 0 ? &c->files : &c->bodies;
}

static size_t cost(const struct http_entry *e)
{
    if (e->fd >= 0)
        return 1;
    return sizeof *e + 2 * e->key_len + e->lines_len + e->size;
}

static struct http_entry **place(struct http_cache *c, uint32_t hash,
                                 const char *key, size_t len)
{
    struct http_entry **at = &c->slots[hash & c->mask];

    while (*at != NULL && !((*at)->hash == hash && (*at)->key_len == len &&
                            memcmp((*at)->key, key, len) == 0))
        at = &(*at)->next;
    return at;
}

/* Descriptors, of one cache. */
static size_t most_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return SIZE_MAX;
    return limit.rlim_cur / SHARE_OF_ALL / atomic_load(&caches);
}

static void take_out(struct http_cache *c, struct http_entry **at)
{
    struct http_entry *e = *at;

    *at = e->next;
    list_remove(&e->link);
    ring_of(c, e)->used -= cost(e);
    c->count--;
    http_entry_release(e);
}

static void make_room(struct http_cache *c, struct ring *r)
{
    size_t most = r == &c->files ? most_files() : SIZE_MAX;

    while (r->used > r->limit || r->used > most) {
        struct list *oldest = r->entries.next;
        struct http_entry *e = container_of(oldest, struct http_entry, link);

        if (atomic_exchange_explicit(&e->used, false, memory_order_relaxed)) {
            list_remove(oldest);
            list_push(&r->entries, oldest);
        } else {
            take_out(c, place(c, e->hash, e->key, e->key_len));
        }
    }
}

/* Without memory for more slots, they are shared by more. */
static void grow(struct http_cache *c)
{
    size_t count = 2 * (c->mask + 1);
    struct http_entry **slots = calloc(count, sizeof *slots), *e;

    if (slots == NULL)
        return;
    for (size_t i = 0; i <= c->mask; i++)
        while ((e = c->slots[i]) != NULL) {
            c->slots[i] = e->next;
            e->next = slots[e->hash & (count - 1)];
            slots[e->hash & (count - 1)] = e;
        }
    free(c->slots);
    c->slots = slots;
    c->mask = count - 1;
}

/* ---- Calls ----------------------------------------------------------------
 */

struct http_cache *http_cache_open(size_t bytes, unsigned descriptors)
{
    struct http_cache *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    c->slots = calloc(SLOTS_FIRST, sizeof *c->slots);
    if (c->slots == NULL) {
        free(c);
        return NULL;
    }
    (void)atomic_fetch_add(&caches, 1);
    c->mask = SLOTS_FIRST - 1;
    c->bodies.limit = bytes;
    c->files.limit = descriptors;
    return c;
}

void http_cache_close(struct http_cache *c)
{
    if (c == NULL)
        return;
    c->bodies.limit = c->files.limit = 0;
    make_room(c, &c->bodies);
    make_room(c, &c->files);
    (void)atomic_fetch_sub(&caches, 1);
    free(c->slots);
    free(c);
}

bool http_cache_takes(const struct http_cache *c, uint64_t bytes)
{
    return bytes < c->bodies.limit / SHARE;
}

struct http_entry *http_cache_get(struct http_cache *c, uint32_t hash,
                                  const char *key, size_t len)
{
    struct http_entry *e;

    co_mutex_lock(&c->lock);
    e = *place(c, hash, key, len);
    if (e != NULL)
        (void)atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    co_mutex_unlock(&c->lock);
    if (e != NULL && !atomic_load_explicit(&e->used, memory_order_relaxed))
        atomic_store_explicit(&e->used, true, memory_order_relaxed);
    return e;
}

void http_cache_put(struct http_cache *c, struct http_entry *e)
{
    struct ring *r = ring_of(c, e);
    struct http_entry **at;

    if (cost(e) > r->limit || (e->fd < 0 && !http_cache_takes(c, cost(e))))
        return;
    (void)atomic_fetch_add_explicit(&e->refs, 1, memory_order_relaxed);
    co_mutex_lock(&c->lock);
    at = place(c, e->hash, e->key, e->key_len);
    if (*at != NULL)
        take_out(c, at);
    if (c->count > c->mask)
        grow(c);
    at = &c->slots[e->hash & c->mask];
    e->next = *at;
    *at = e;
    c->count++;
    list_push(&r->entries, &e->link);
    r->used += cost(e);
    make_room(c, r);
    co_mutex_unlock(&c->lock);
}

void http_cache_drop(struct http_cache *c, struct http_entry *e)
{
    struct http_entry **at;

    co_mutex_lock(&c->lock);
    at = place(c, e->hash, e->key, e->key_len);
    if (*at == e)
        take_out(c, at);
    co_mutex_unlock(&c->lock);
}

bool http_cache_spare(struct http_cache *c)
{
    size_t limit;
    bool some;

    co_mutex_lock(&c->lock);
    some = c->files.used > 0;
    limit = c->files.limit;
    c->files.limit = 0;
    make_room(c, &c->files);
    c->files.limit = limit;
    co_mutex_unlock(&c->lock);
    return some;
}
