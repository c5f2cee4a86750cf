/* http_files.c - see http_files.h.
 *
 * A name leads to an entry of the cache, which is compared with what the file
 * system says now, and read anew when that differs.  For who accepts gzip a
 * file has an entry of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files.h"
#include "co/sys.h"
#include "net/http_accept.h"
#include "net/http_beneath.h"
#include "net/http_date.h"
#include "net/http_escape.h"
#include "net/http_files_answer.h"
#include "net/http_files_load.h"
#include "net/http_gzip.h"
#include "net/http_hash.h"
#include "net/http_listing.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Numbers of turns may come again when there are other schedulers. */
#define TURN_MAX CO_SECOND

/* ---- Names -----------------------------------------------------------------
 */

/* Whether a segment begins with a dot, but for the first, ".well-known". */
static bool is_hidden(const char *name)
{
    static const char known[] = ".well-known";
    const char *p = name;

    if (strncmp(name, known, sizeof known - 1) == 0 &&
        (name[sizeof known - 1] == '/' || name[sizeof known - 1] == '\0'))
        p += sizeof known - 1;
    for (; *p != '\0'; p++)
        if (*p == '.' && (p == name || p[-1] == '/'))
            return true;
    return false;
}

/* A client may write a slash as several, which would have the file read, packed
 * and kept once for each of them. */
static size_t copy_name(char *to, const char *name)
{
    size_t len = 0;

    for (const char *p = name; *p != '\0'; p++)
        if (*p != '/' || p[1] != '/')
            to[len++] = *p;
    to[len] = '\0';
    return len;
}

struct request { /* for a file */
    struct http_files *files;
    struct http_work *work;
    struct files_asked asked;
    bool shares;     /* looks that others had since it came */
    size_t name_len; /* as it was asked for */
    size_t key_len;
    char key[1 + FILES_NAME_MAX + 256]; /* the variant, the name, an index */
};

/* ---- Entries ---------------------------------------------------------------
 */

static bool is_still(int root, const char *name, const struct http_identity *id)
{
    struct http_identity now;
    struct stat s;

    if (fstatat(root, name, &s, 0) < 0)
        return id->ino == 0 && id->dev == 0;
    http_identity_of(&now, &s);
    return http_identity_same(&now, id);
}

/* Whether all that the program does for a request is to send the file, and the
 * request woke its connection: then it came before this turn of the loop, and a
 * look that another one had in this turn is late enough for it.  What came
 * behind others may have come in the middle of the turn, and what the program
 * did before may have changed the file. */
static bool may_share(const struct http_work *w)
{
    const struct http_peer *p = w->peer;

    return p->served == p->waited + 1 && p->slept != co_sys_turn() &&
           w->server->config.before == NULL &&
           w->match.route->handler == http_files;
}

/* Whether a look that was had before is late enough.  One of another scheduler
 * is, after the request came. */
static bool is_fresh(const struct request *r, const struct http_entry *e,
                     uint64_t turn)
{
    int64_t ago =
        r->work->now - atomic_load_explicit(&e->looked, memory_order_relaxed);

    if (__builtin_expect(!r->shares, 0))
        return r->files->unchecked > 0 && ago < r->files->unchecked;
    return ago < r->files->unchecked ||
           (turn == atomic_load_explicit(&e->turn, memory_order_relaxed) &&
            turn != 0 && ago < TURN_MAX);
}

static bool is_unchanged(const struct request *r, struct http_entry *e)
{
    const struct http_files *f = r->files;
    int64_t now = r->work->now;
    uint64_t turn = co_sys_turn();

    if (__builtin_expect(now >= e->good_until, 0))
        return false;
    if (is_fresh(r, e, turn))
        return true;
    if (!is_still(f->root, e->key + 1, &e->id) ||
        (e->may_be_packed && !is_still(f->root, e->packed, &e->packed_id)))
        return false;
    atomic_store_explicit(&e->looked, now, memory_order_relaxed);
    atomic_store_explicit(&e->turn, turn, memory_order_relaxed);
    return true;
}

static struct http_entry *look_up(struct request *r, uint32_t hash)
{
    struct http_cache *cache = r->files->cache;
    struct http_entry *e = http_cache_get(cache, hash, r->key, r->key_len);

    if (__builtin_expect(e == NULL, 0))
        return NULL;
    if (__builtin_expect(is_unchanged(r, e), 1))
        return e;
    http_cache_drop(cache, e);
    http_entry_release(e);
    return NULL;
}

/* Where descriptors run out, those that are kept for later have to go. */
static struct http_entry *read_file(struct request *r, bool *keep)
{
    struct http_files *f = r->files;
    struct http_entry *e = files_load(f, r->key, r->key_len, keep);
    int err = errno;

    if (e != NULL || (err != EMFILE && err != ENFILE))
        return e;
    if (http_cache_spare(f->cache))
        return files_load(f, r->key, r->key_len, keep);
    errno = err;
    return NULL;
}

/* Of many who ask for the same file, one reads it, and the others find it then.
 * NULL with errno. */
__attribute__((noinline)) static struct http_entry *load(struct request *r,
                                                         uint32_t hash)
{
    struct http_files *f = r->files;
    struct co_mutex *turn = &f->loading[hash % FILES_LOADS];
    struct http_entry *e;
    bool keep;
    int err;

    co_mutex_lock(turn);
    e = look_up(r, hash);
    if (e == NULL) {
        e = read_file(r, &keep);
        err = errno;
        if (e != NULL) {
            e->hash = hash;
            if (keep)
                http_cache_put(f->cache, e);
        }
        errno = err;
    }
    co_mutex_unlock(turn);
    return e;
}

static struct http_entry *find(struct request *r)
{
    uint32_t hash = http_hash(r->key, r->key_len);
    struct http_entry *e = look_up(r, hash);

    return __builtin_expect(e != NULL, 1) ? e : load(r, hash);
}

/* ---- Answers ---------------------------------------------------------------
 */

static int failed(struct request *r, int err)
{
    if (err == ENOENT || err == EISDIR)
        return 404;
    http_fault(r->work, "cannot be opened", err);
    if (err == EACCES || err == EPERM)
        return 403;
    return err == EMFILE || err == ENFILE || err == ENOMEM || err == EAGAIN
               ? 503
               : 500;
}

/* To the name with a slash, so that what the page links to is beside it.  Of
 * several slashes in front one is left: two would name another host. */
static int redirect(struct request *r)
{
    const struct http_request *req = &r->work->req;
    const char *path = req->path;
    size_t len, room, query = strlen(req->query);
    char *location;

    while (path[0] == '/' && path[1] == '/')
        path++;
    room = HTTP_ESCAPED_MAX(strlen(path)) + query + 3;
    location = http_alloc(&r->work->req, room);
    if (location == NULL)
        return 503;
    len = http_escape_path(location, path, strlen(path));
    location[len++] = '/';
    if (query > 0)
        location[len++] = '?';
    memcpy(location + len, req->query, query + 1);
    return http_set_header(&r->work->res, "Location", location) < 0 ? 404 : 301;
}

/* A folder without an index. */
static int folder(struct request *r)
{
    char *name = r->key + 1;
    int fd;

    name[r->name_len] = '\0';
    if (r->name_len > 0) /* the slash */
        name[r->name_len - 1] = '\0';
    fd = http_beneath(r->files->root, *name == '\0' ? "." : name, O_DIRECTORY);
    if (fd < 0)
        return failed(r, errno);
    if (r->files->listing)
        return http_listing(&r->work->req, &r->work->res, fd,
                            (r->files->dotfiles ? HTTP_LISTING_DOTFILES : 0u) |
                                (*name == '\0' ? HTTP_LISTING_ROOT : 0u));
    (void)close(fd);
    return 403;
}

/* With the name in r->key. */
static int serve(struct request *r)
{
    const struct http_files *f = r->files;
    bool is_folder = r->name_len == 0 || r->key[r->name_len] == '/';
    struct http_entry *e = NULL;

    r->key[0] = files_variant(f->gzip && r->asked.encodings != NULL &&
                              http_accepts(r->asked.encodings, "gzip"));
    r->key_len = 1 + r->name_len;
    if (is_folder) {
        size_t len = strlen(f->index);

        memcpy(r->key + r->key_len, f->index, len + 1);
        r->key_len += len;
    }
    errno = ENOENT;
    if (!is_folder || *f->index != '\0')
        e = find(r);
    if (__builtin_expect(e != NULL, 1))
        return files_answer(r->work, &r->asked, e);
    if (is_folder && (errno == ENOENT || errno == EISDIR))
        return folder(r);
    return errno == EISDIR ? redirect(r) : failed(r, errno);
}

int http_files_send(struct http_files *files, struct http_request *req,
                    struct http_response *res, const char *name)
{
    struct http_work *w = http_work_of(req);
    struct request r;

    if (w->head.method_id != HTTP_GET && w->head.method_id != HTTP_HEAD)
        return http_set_header(res, "Allow", "GET, HEAD") < 0 ? 500 : 405;
    while (*name == '/')
        name++;
    r.name_len = strlen(name);
    if (r.name_len > FILES_NAME_MAX || (!files->dotfiles && is_hidden(name)))
        return 404;
    if (__builtin_expect(strstr(name, "//") != NULL, 0))
        r.name_len = copy_name(r.key + 1, name);
    else
        memcpy(r.key + 1, name, r.name_len + 1);
    r.files = files;
    r.work = w;
    r.shares = may_share(w);
    if (files_asked(w, &r.asked) != 0)
        return 503;
    return serve(&r);
}

int http_files(struct http_request *req, struct http_response *res)
{
    const char *name = http_param(req, "*");

    /* const is the table's word alone. */
    return name == NULL
               ? 500
               : http_files_send((struct http_files *)req->arg, req, res, name);
}

/* ---- Folders that are served -----------------------------------------------
 */

static bool config_valid(const struct http_files_config *c)
{
    return c->root != NULL && c->unchecked >= 0 &&
           (c->index == NULL ||
            (strlen(c->index) < 256 && strchr(c->index, '/') == NULL)) &&
           (c->cache_control == NULL || (strlen(c->cache_control) < 1024 &&
                                         http_value_valid(c->cache_control)));
}

/* O_PATH asks for no permission, so the look shows that there is one. */
static int open_root(const char *path)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), err;
    struct stat s;

    if (fd < 0 || fstatat(fd, ".", &s, 0) == 0)
        return fd;
    err = errno;
    (void)close(fd);
    errno = err;
    return -1;
}

struct http_files *http_files_open(const struct http_files_config *c)
{
    struct http_files *f;
    int err;

    if (!config_valid(c)) {
        errno = EINVAL;
        return NULL;
    }
    f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->listing = c->listing;
    f->dotfiles = c->dotfiles;
    f->gzip = !c->gzip_off;
    f->unchecked = c->unchecked;
    f->root = open_root(c->root);
    f->index = strdup(c->index == NULL ? "index.html" : c->index);
    if (c->cache_control != NULL)
        f->cache_control = strdup(c->cache_control);
    if (f->root >= 0 && f->index != NULL &&
        (c->cache_control == NULL || f->cache_control != NULL)) {
        f->mime = http_mime_open(c->mime_types == NULL ? "/etc/mime.types"
                                                       : c->mime_types);
        f->cache =
            http_cache_open(c->cache_bytes == 0 ? 64 << 20 : c->cache_bytes,
                            c->cache_files == 0 ? 256 : c->cache_files);
        if (f->mime != NULL && f->cache != NULL)
            return f;
    }
    err = errno;
    http_files_close(f);
    errno = err;
    return NULL;
}

void http_files_close(struct http_files *f)
{
    if (f == NULL)
        return;
    http_cache_close(f->cache);
    http_mime_close(f->mime);
    free(f->cache_control);
    free(f->index);
    if (f->root >= 0)
        (void)close(f->root);
    free(f);
}
