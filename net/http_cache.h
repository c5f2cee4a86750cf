/* http_cache.h - files that were served lately.
 *
 * Private to net/.  An entry is all that an answer needs to know of a file: its
 * lines of the head, and its bytes, or an open descriptor.  It never changes;
 * when the file does, another entry takes its place, and answers on their way
 * keep the old one.  Both kinds are bounded, bytes and descriptors; what was
 * not asked for lately goes first.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_CACHE_H
#define NET_HTTP_CACHE_H

#include "co/list.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct http_identity { /* of a file: is another one when that changes */
    uint64_t dev, ino; /* both 0: there is none */
    int64_t size;
    int64_t mtime, ctime; /* ns */
};

struct http_entry {
    /* Constant. */
    uint32_t hash;
    uint32_t key_len;
    const char *key;    /* the variant, one byte, and the name; then a zero */
    const char *packed; /* the name of the file with the packed bytes */
    bool may_be_packed; /* and it was looked for */
    bool in_one;        /* its bytes may be others another time: no ranges */
    struct http_identity id, packed_id;
    void *body; /* size bytes, malloc'ed; or NULL */
    int fd;     /* without a body; else -1 */
    uint64_t size;
    int64_t mtime;      /* s */
    int64_t good_until; /* http_now() when more can be said of it */
    const char *type;   /* the value of Content-Type */
    const char *etag;   /* with its quotes; NULL none */
    const char *lines;  /* of the head */
    uint32_t meta_len;  /* the first of them, that a 304 has, too */
    uint32_t lines_len; /* all */

    /* Any thread, atomic. */
    atomic_uint refs;
    atomic_bool used;       /* since the last round of eviction */
    _Atomic int64_t looked; /* http_now() when it was found unchanged */
    _Atomic uint64_t turn;  /* co_sys_turn() then; 0 unknown */

    /* Under the cache's lock. */
    struct list link; /* unlinked: not in the cache */
    struct http_entry *next;
};

struct http_cache;

void http_identity_of(struct http_identity *id, const struct stat *s);

static inline bool http_identity_same(const struct http_identity *a,
                                      const struct http_identity *b)
{
    return a->ino == b->ino && a->mtime == b->mtime && a->size == b->size &&
           a->ctime == b->ctime && a->dev == b->dev;
}

/* Up to bytes of memory, and descriptors, but all caches together keep no more
 * than a quarter of RLIMIT_NOFILE; NULL + ENOMEM.  [any] */
struct http_cache *http_cache_open(size_t bytes, unsigned descriptors);
void http_cache_close(struct http_cache *c); /* NULL is fine */

/* Whether what has so many bytes of body may stay. */
bool http_cache_takes(const struct http_cache *c, uint64_t bytes);

/* For http_entry_release(); NULL without one.  [waits] for others' turns. */
struct http_entry *http_cache_get(struct http_cache *c, uint32_t hash,
                                  const char *key, size_t len);
/* Instead of one with the same key.  Without room for it, does nothing.
 * [waits] */
void http_cache_put(struct http_cache *c, struct http_entry *e);
void http_cache_drop(struct http_cache *c, struct http_entry *e); /* [waits] */

/* Closes the descriptors that nobody uses; false when none was kept.  [waits]
 */
bool http_cache_spare(struct http_cache *c);

/* One use less; frees it after the last. */
void http_entry_release(void *entry);

#endif
