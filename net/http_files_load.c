/* http_files_load.c - makes an entry of a file.
 *
 * What is read is as old as the look at the file before it: if another look
 * afterwards finds the same, it is the whole and the only version.  The
 * kernel's time stamps move on in steps, so a file that has just been written
 * may be written again and look the same: that one is served, and not kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files_load.h"
#include "net/http_beneath.h"
#include "net/http_date.h"
#include "net/http_gzip.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3 }; /* to read a file that changes */

/* ---- Reading ---------------------------------------------------------------
 */

struct part { /* of a file */
    int fd;
    char *buf;
    size_t len;
    ssize_t n;
    int err;
};

static void read_part(void *arg)
{
    struct part *p = arg;

    do
        p->n = pread(p->fd, p->buf, p->len, 0);
    while (p->n < 0 && errno == EINTR);
    p->err = errno;
}

/* What is not in memory comes from the disk on another thread. */
static ssize_t read_some(int fd, char *buf, size_t len)
{
    struct iovec v = { buf, len };
    struct part p = { .fd = fd, .buf = buf, .len = len };

    p.n = preadv2(fd, &v, 1, 0, RWF_NOWAIT);
    if (p.n == (ssize_t)len)
        return p.n;
    if (co_offload(read_part, &p) < 0)
        read_part(&p);
    errno = p.err;
    return p.n;
}

static int look(int fd, struct http_identity *id)
{
    struct stat s;

    if (fstat(fd, &s) < 0)
        return -1;
    http_identity_of(id, &s);
    if (S_ISREG(s.st_mode))
        return 0;
    errno = S_ISDIR(s.st_mode) ? EISDIR : ENOENT;
    return -1;
}

static bool settled(const struct http_identity *id)
{
    int64_t age = http_date_now() - id->ctime;

    return age > FILES_SETTLED || age < -FILES_SETTLED;
}

/* All bytes of fd, which was found to be *id; *id is what they are of. */
static void *read_all(int fd, struct http_identity *id, bool *same)
{
    struct http_identity now;

    for (int i = 0; i < TRIES; i++) {
        char *buf = malloc((size_t)id->size + 1);
        ssize_t n;

        if (buf == NULL)
            return NULL;
        n = id->size == 0 ? 0 : read_some(fd, buf, (size_t)id->size);
        if (n >= 0 && look(fd, &now) == 0) {
            if (n == id->size) {
                *same = http_identity_same(id, &now);
                return buf;
            }
            *id = now; /* it became shorter */
            errno = EIO;
        }
        free(buf);
        if (n < 0)
            break;
    }
    return NULL;
}

/* ---- Packed bytes ----------------------------------------------------------
 */

/* Instead of the file, the one beside it that has the same packed.  What cannot
 * be sent is remembered as well, or the file would seem to have changed. */
static void take_packed(struct files_loading *l)
{
    char name[FILES_NAME_MAX + 4];
    struct http_identity id;
    struct stat s;
    int fd;

    (void)snprintf(name, sizeof name, "%s.gz", l->name);
    if (fstatat(l->files->root, name, &s, 0) < 0)
        return;
    http_identity_of(&l->packed_id, &s);
    if (!S_ISREG(s.st_mode))
        return;
    fd = http_beneath(l->files->root, name, 0);
    if (fd < 0) {
        l->settled &= errno == ENOENT || errno == EACCES;
        return;
    }
    if (look(fd, &id) < 0) {
        l->settled = false; /* it was one a moment ago */
        (void)close(fd);
        return;
    }
    l->packed_id = id;
    if (id.mtime < l->id.mtime) { /* made of what the file was before */
        (void)close(fd);
        return;
    }
    (void)close(l->fd);
    l->fd = fd;
    l->settled &= settled(&id);
    l->source = FILES_PACKED;
}

struct packing {
    const void *data;
    size_t len;
    void *out;
    size_t out_len;
    int err;
};

static void pack(void *arg)
{
    struct packing *p = arg;

    p->out = http_gzip(p->data, p->len, &p->out_len);
    p->err = errno;
}

/* False when it is sent as it is: also while it changes, since what is not kept
 * would be packed for each who asks. */
static bool compress_it(struct files_loading *l)
{
    struct packing p = { .len = (size_t)l->id.size };
    bool same = true;
    void *data;

    if (!l->settled || l->id.size < FILES_GZIP_MIN ||
        l->id.size > FILES_GZIP_MAX || !http_mime_is_text(l->type) ||
        !http_cache_takes(l->files->cache, (uint64_t)l->id.size))
        return false;
    data = read_all(l->fd, &l->id, &same);
    if (data == NULL)
        return false;
    p.len = (size_t)l->id.size;
    p.data = data;
    if (co_offload(pack, &p) < 0)
        pack(&p);
    free(data);
    if (p.out == NULL)
        return false;
    l->settled &= same;
    l->body = p.out;
    l->size = p.out_len;
    l->source = FILES_COMPRESSED;
    return true;
}

/* ---- All --------------------------------------------------------------------
 */

/* The bytes of l->fd. */
static int take_bytes(struct files_loading *l)
{
    struct http_identity *id = files_sent(l);
    bool same = true;

    l->size = (uint64_t)id->size;
    if (l->size > FILES_BODY_MAX)
        return 0;
    l->body = read_all(l->fd, id, &same);
    l->settled &= same;
    l->size = (uint64_t)id->size;
    return l->body == NULL ? -1 : 0;
}

static int take_file(struct files_loading *l)
{
    struct stat s;

    /* To open anything else is not harmless: who writes to a pipe takes us for
     * its reader, and devices do things.  Why nothing can be said of it comes
     * up again. */
    if (fstatat(l->files->root, l->name, &s, 0) == 0 && !S_ISREG(s.st_mode) &&
        !S_ISDIR(s.st_mode)) {
        errno = ENOENT;
        return -1;
    }
    l->fd = http_beneath(l->files->root, l->name, 0);
    if (l->fd < 0 || look(l->fd, &l->id) < 0)
        return -1;
    l->settled = settled(&l->id);
    l->type = http_mime_type(l->files->mime, l->name);
    if (l->gzip)
        take_packed(l);
    if (l->gzip && l->source == FILES_PLAIN && compress_it(l))
        return 0;
    return take_bytes(l);
}

struct http_entry *files_load(const struct http_files *f, const char *key,
                              size_t len, bool *keep)
{
    struct files_loading l = { .files = f,
                               .name = key + 1,
                               .gzip = *key == files_variant(true),
                               .begun = http_now(),
                               .fd = -1 };
    struct http_entry *e = NULL;
    int err;

    if (take_file(&l) == 0)
        e = files_entry(&l, key, len);
    err = errno;
    if (l.fd >= 0 && (e == NULL || e->fd < 0))
        (void)close(l.fd);
    if (e == NULL)
        free(l.body);
    *keep = l.settled;
    errno = err;
    return e;
}
