/* http_files_entry.c - what is said of a file: its lines of the head.
 *
 * Dates of HTTP have steps of a second, so a file that was changed in this one
 * has none yet: a client with the date would not be told of another change.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_files_load.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MAX = 512 }; /* but for what is configured */

/* The last second of a file that was changed in it; for all of a future one,
 * again a second later. */
static int64_t until_dated(const struct http_identity *id)
{
    int64_t second = id->mtime - (id->mtime % CO_SECOND);
    int64_t wait = second + CO_SECOND + FILES_SETTLED - http_date_now();

    return wait < 2 * CO_SECOND ? wait : 2 * CO_SECOND;
}

struct lines { /* of the head; text has room for all */
    char *text;
    size_t room, len;
    size_t meta;
    size_t etag, etag_len;
};

__attribute__((format(printf, 2, 3))) static void put(struct lines *to,
                                                      const char *format, ...)
{
    va_list args;

    va_start(args, format);
    to->len +=
        (size_t)vsnprintf(to->text + to->len, to->room - to->len, format, args);
    va_end(args);
}

static void put_lines(struct files_loading *l, struct lines *to)
{
    const struct http_identity *id = files_sent(l);
    const struct http_files *f = l->files;
    char date[DATE_TEXT];

    if (l->dated <= 0) {
        http_date_text(id->mtime / CO_SECOND, date);
        put(to, "Last-Modified: %s\r\n", date);
    }
    if (l->settled) {
        put(to, "ETag: ");
        to->etag = to->len;
        /* Another zlib makes other bytes of the same file. */
        put(to, "%s\"%" PRIx64 "-%" PRIx64 "%s\"",
            l->source == FILES_COMPRESSED ? "W/" : "", (uint64_t)id->mtime,
            (uint64_t)id->size, l->source != FILES_PLAIN ? "-gz" : "");
        to->etag_len = to->len - to->etag;
        put(to, "\r\n");
    }
    if (f->gzip && (l->source != FILES_PLAIN || http_mime_is_text(l->type)))
        put(to, "Vary: Accept-Encoding\r\n");
    if (f->cache_control != NULL)
        put(to, "Cache-Control: %s\r\n", f->cache_control);
    to->meta = to->len;
    put(to, "Content-Type: %s\r\n%s%s", l->type,
        l->source != FILES_COMPRESSED ? "Accept-Ranges: bytes\r\n" : "",
        l->source != FILES_PLAIN ? "Content-Encoding: gzip\r\n" : "");
}

/* Copies len bytes and a zero to *p, which moves on. */
static const char *pack_string(char **p, const char *s, size_t len)
{
    char *begin = *p;

    memcpy(begin, s, len);
    begin[len] = '\0';
    *p += len + 1;
    return begin;
}

/* One piece of memory: the entry, its lines, its tag, its key, the name of the
 * packed file. */
static struct http_entry *pack_entry(const struct files_loading *l,
                                     const char *key, size_t len,
                                     const struct lines *lines)
{
    struct http_entry *e =
        calloc(1, sizeof *e + lines->len + lines->etag_len + 2 * len + 8);
    char *p;

    if (e == NULL)
        return NULL;
    p = (char *)(e + 1);
    e->key_len = (uint32_t)len;
    e->may_be_packed = l->gzip;
    e->in_one = l->source == FILES_COMPRESSED;
    e->id = l->id;
    e->packed_id = l->packed_id;
    e->body = l->body;
    e->fd = l->body == NULL ? l->fd : -1;
    e->size = l->size;
    e->type = l->type;
    e->meta_len = (uint32_t)lines->meta;
    e->lines_len = (uint32_t)lines->len;
    e->lines = pack_string(&p, lines->text, lines->len);
    if (lines->etag_len > 0)
        e->etag = pack_string(&p, lines->text + lines->etag, lines->etag_len);
    e->key = pack_string(&p, key, len);
    e->packed = p;
    (void)pack_string(&p, key + 1, len - 1);
    p--; /* the zero */
    (void)pack_string(&p, ".gz", 3);
    return e;
}

struct http_entry *files_entry(struct files_loading *l, const char *key,
                               size_t len)
{
    const char *control = l->files->cache_control;
    struct lines lines = { .room = LINES_MAX + strlen(l->type) };
    struct http_entry *e;

    if (control != NULL)
        lines.room += strlen(control);
    lines.text = malloc(lines.room);
    if (lines.text == NULL)
        return NULL;
    l->dated = until_dated(files_sent(l));
    put_lines(l, &lines);
    e = pack_entry(l, key, len, &lines);
    free(lines.text);
    if (e == NULL)
        return NULL;
    /* What has no date is newer than any. */
    e->mtime = l->dated > 0 ? INT64_MAX : files_sent(l)->mtime / CO_SECOND;
    e->good_until = l->dated > 0 ? http_now() + l->dated : INT64_MAX;
    atomic_init(&e->refs, 1);
    atomic_init(&e->used, true);
    atomic_init(&e->looked, l->begun);
    return e;
}
