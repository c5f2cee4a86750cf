/* http_files_load.h - what a folder is served with, and how its files are read.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FILES_LOAD_H
#define NET_HTTP_FILES_LOAD_H

#include "net/http_cache.h"
#include "net/http_files.h"
#include "net/http_mime.h"

enum {
    FILES_NAME_MAX = 4000,      /* bytes of a name below the root */
    FILES_BODY_MAX = 32 * 1024, /* of a file, that is kept in memory */
    FILES_GZIP_MIN = 256,
    FILES_GZIP_MAX = 4 * 1024 * 1024,
    FILES_LOADS = 16 /* files that are read or packed at the same time */
};

struct http_files {
    int root;
    char *index;
    char *cache_control; /* or NULL */
    bool listing, dotfiles, gzip;
    int64_t unchecked;
    struct http_mime *mime;
    struct http_cache *cache;
    struct co_mutex loading[FILES_LOADS]; /* by the hash of what is loaded */
};

/* The key of a file, for whom accepts gzip or for the others. */
static inline char files_variant(bool gzip) { return gzip ? 'z' : '-'; }

/* Longer than a step of the clock that stamps files. */
#define FILES_SETTLED (50 * CO_MSEC)

enum files_source { FILES_PLAIN, FILES_PACKED, FILES_COMPRESSED };

struct files_loading {
    const struct http_files *files;
    const char *name;
    bool gzip;                /* is accepted */
    bool settled;             /* so far */
    int64_t begun;            /* http_now() before the first look */
    int64_t dated;            /* ns until the bytes may have a date; or <= 0 */
    enum files_source source; /* of the bytes */
    const char *type;         /* of the file */
    struct http_identity id, packed_id;
    int fd; /* of the bytes, while there are no others */
    void *body;
    uint64_t size;
};

static inline struct http_identity *files_sent(struct files_loading *l)
{
    return l->source == FILES_PACKED ? &l->packed_id : &l->id;
}

/* http_files_entry.c: takes what l has; NULL + ENOMEM. */
struct http_entry *files_entry(struct files_loading *l, const char *key,
                               size_t len);

/* Reads the file of a key, or opens it, for http_entry_release().  NULL with
 * EISDIR, ENOENT, EACCES, EIO, ENOMEM, EMFILE, ENFILE ...  *keep says whether
 * what was read stands for the file until that changes visibly.  [waits] */
struct http_entry *files_load(const struct http_files *f, const char *key,
                              size_t len, bool *keep);

#endif
