/* http_mime.c - extensions and types.
 *
 * A hash table that is made once; each entry holds an extension, in small
 * letters, and the whole value of the field.  The table that is built in is
 * added behind the file's, as more lines of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_mime.h"
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BUCKETS = 2048, /* Debian's table has 1,500 extensions */
    EXTENSION_MAX = 31,
    LINE_BYTES = 4096
};

struct entry {
    struct entry *next;
    const char *type; /* in text, behind the extension */
    char text[];
};

struct http_mime {
    struct entry *buckets[BUCKETS];
};

static const char unknown[] = "application/octet-stream";

/* What the web is made of, where the system has no table. */
static const char *const usual[] = {
    "text/html html htm shtml",
    "text/css css",
    "text/javascript js mjs",
    "text/plain txt text log conf ini c h sh diff patch",
    "text/markdown md markdown",
    "text/csv csv",
    "text/calendar ics",
    "text/vtt vtt",
    "text/xml xml xsl xsd",
    "application/json json map",
    "application/manifest+json webmanifest",
    "application/ld+json jsonld",
    "application/geo+json geojson",
    "application/xhtml+xml xhtml xht",
    "application/atom+xml atom",
    "application/rss+xml rss",
    "application/yaml yaml yml",
    "application/toml toml",
    "application/sql sql",
    "application/wasm wasm",
    "application/pdf pdf",
    "application/postscript ps eps",
    "application/rtf rtf",
    "application/epub+zip epub",
    "application/zip zip",
    "application/gzip gz tgz",
    "application/x-tar tar",
    "application/x-bzip2 bz2",
    "application/x-xz xz",
    "application/zstd zst",
    "application/x-7z-compressed 7z",
    "application/java-archive jar war",
    "application/msword doc",
    "application/vnd.ms-excel xls",
    "application/vnd.ms-powerpoint ppt",
    "application/vnd.oasis.opendocument.text odt",
    "application/vnd.oasis.opendocument.spreadsheet ods",
    "application/vnd.oasis.opendocument.presentation odp",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document "
    "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation "
    "pptx",
    "application/vnd.apple.mpegurl m3u8",
    "image/png png",
    "image/jpeg jpg jpeg",
    "image/gif gif",
    "image/svg+xml svg",
    "image/webp webp",
    "image/avif avif",
    "image/vnd.microsoft.icon ico",
    "image/bmp bmp",
    "image/tiff tif tiff",
    "font/woff woff",
    "font/woff2 woff2",
    "font/ttf ttf",
    "font/otf otf",
    "audio/mpeg mp3",
    "audio/ogg ogg oga opus",
    "audio/flac flac",
    "audio/wav wav",
    "audio/mp4 m4a",
    "audio/midi mid midi",
    "video/mp4 mp4 m4v",
    "video/webm webm",
    "video/ogg ogv",
    "video/quicktime mov",
    "video/x-matroska mkv",
    "video/x-msvideo avi",
    "video/mp2t ts",
};

/* ---- Types -----------------------------------------------------------------
 */

static bool starts(const char *type, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && strncasecmp(type, with, n) == 0;
}

static bool ends(const char *type, size_t len, const char *with)
{
    size_t n = strlen(with);

    return len >= n && strncasecmp(type + len - n, with, n) == 0;
}

static bool among(const char *type, size_t len, const char *const *list)
{
    for (; *list != NULL; list++)
        if (len == strlen(*list) && strncasecmp(type, *list, len) == 0)
            return true;
    return false;
}

/* Whether it has characters, which are UTF-8 in our time. */
static bool has_charset(const char *type, size_t len)
{
    static const char *const others[] = {
        "application/json",         "application/xml",
        "application/javascript",   "application/ecmascript",
        "application/x-javascript", NULL
    };

    return starts(type, len, "text/") || ends(type, len, "+xml") ||
           ends(type, len, "+json") || among(type, len, others);
}

bool http_mime_is_text(const char *type)
{
    static const char *const others[] = { "application/yaml",
                                          "application/x-yaml",
                                          "application/toml",
                                          "application/sql",
                                          "application/rtf",
                                          "application/postscript",
                                          "application/wasm",
                                          "application/x-tar",
                                          "application/x-sh",
                                          "application/x-tex",
                                          "application/vnd.ms-fontobject",
                                          "font/ttf",
                                          "font/otf",
                                          "image/bmp",
                                          "image/x-ms-bmp",
                                          "image/x-icon",
                                          "image/vnd.microsoft.icon",
                                          NULL };
    size_t len = strcspn(type, "; \t");

    return has_charset(type, len) || among(type, len, others);
}

/* It becomes part of a head, so it is looked at. */
static bool is_type(const char *word)
{
    const char *slash = strchr(word, '/');

    for (const char *p = word; *p != '\0'; p++)
        if (*p <= ' ' || *p >= 0x7f || strchr("()<>@,;:\\\"[]?={}", *p))
            return false;
    return slash != NULL && slash > word && slash[1] != '\0' &&
           strchr(slash + 1, '/') == NULL;
}

/* ---- Table -----------------------------------------------------------------
 */

/* The extension in small letters, in low; its bucket, or -1 when none is as
 * long. */
static int bucket(const char *extension, char low[EXTENSION_MAX + 1])
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    size_t i;

    for (i = 0; extension[i] != '\0'; i++) {
        char c = extension[i];

        if (i == EXTENSION_MAX)
            return -1;
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        low[i] = c;
        hash = (hash ^ (unsigned char)c) * 16777619u;
    }
    low[i] = '\0';
    return (int)((hash ^ hash >> 16) % BUCKETS);
}

static const struct entry *find(const struct http_mime *m,
                                const char *extension)
{
    char low[EXTENSION_MAX + 1];
    int b = bucket(extension, low);
    const struct entry *e;

    if (b < 0)
        return NULL;
    for (e = m->buckets[b]; e != NULL; e = e->next)
        if (strcmp(e->text, low) == 0)
            break;
    return e;
}

static int add(struct http_mime *m, const char *extension, const char *type)
{
    const char *charset =
        has_charset(type, strlen(type)) ? "; charset=utf-8" : "";
    size_t type_size = strlen(type) + strlen(charset) + 1;
    char low[EXTENSION_MAX + 1];
    int b = bucket(extension, low);
    struct entry *e;

    if (b < 0 || find(m, extension) != NULL)
        return 0;
    size_t low_size = strlen(low) + 1;
    e = malloc(sizeof *e + low_size + type_size);
    if (e == NULL)
        return -1;
    memcpy(e->text, low, low_size);
    (void)snprintf(e->text + low_size, type_size, "%s%s", type, charset);
    e->type = e->text + low_size;
    e->next = m->buckets[b];
    m->buckets[b] = e;
    return 0;
}

/* A line is cut into its words: a type, and extensions up to a comment. */
static int add_line(struct http_mime *m, char *line)
{
    static const char space[] = " \t\r\n\v\f";
    char *rest, *type = strtok_r(line, space, &rest), *word;

    if (type == NULL || *type == '#' || !is_type(type))
        return 0;
    while ((word = strtok_r(NULL, space, &rest)) != NULL && *word != '#')
        if (add(m, word, type) < 0)
            return -1;
    return 0;
}

static int add_usual(struct http_mime *m)
{
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        char line[128];

        (void)snprintf(line, sizeof line, "%s", usual[i]);
        if (add_line(m, line) < 0)
            return -1;
    }
    return 0;
}

static int add_file(struct http_mime *m, const char *file)
{
    FILE *f = fopen(file, "re");
    char line[LINE_BYTES];
    int r = 0;

    if (f == NULL)
        return errno == ENOENT ? 0 : -1;
    while (r == 0 && fgets(line, sizeof line, f) != NULL) {
        if (strchr(line, '\n') == NULL && !feof(f)) {
            errno = EINVAL;
            r = -1;
        } else {
            r = add_line(m, line);
        }
    }
    if (!feof(f))
        r = -1;
    int err = errno;
    (void)fclose(f); /* it was only read */
    errno = err;
    return r;
}

struct http_mime *http_mime_open(const char *file)
{
    struct http_mime *m = calloc(1, sizeof *m);

    if (m == NULL)
        return NULL;
    if ((file == NULL || add_file(m, file) == 0) && add_usual(m) == 0)
        return m;
    int err = errno;
    http_mime_close(m);
    errno = err;
    return NULL;
}

void http_mime_close(struct http_mime *m)
{
    for (int b = 0; m != NULL && b < BUCKETS; b++) {
        struct entry *next;

        for (struct entry *e = m->buckets[b]; e != NULL; e = next) {
            next = e->next;
            free(e);
        }
    }
    free(m);
}

const char *http_mime_type(const struct http_mime *m, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *base = slash != NULL ? slash + 1 : name;
    const char *dot = strrchr(base, '.');
    const struct entry *e;

    if (dot == NULL || dot == base) /* a hidden file is all name */
        return unknown;
    e = find(m, dot + 1);
    return e != NULL ? e->type : unknown;
}
