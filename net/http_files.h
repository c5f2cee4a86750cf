/* http_files.h - files over HTTP.  Conventions as in co/co.h.
 *
 *     struct http_files *files =
 *         http_files_open(&(struct http_files_config){ .root = "/srv/www" });
 *
 *     struct http_route routes[] = {
 *         { "GET", "/static/" "*", http_files, files, 0 },
 *         { 0 },
 *     };
 *
 * Conditional requests, ranges (RFC 9110 13, 14), compression, folders.  What
 * is served is below the root and nothing else is, by no name and no symbolic
 * link (openat2(2), RESOLVE_BENEATH; before Linux 5.6 no link is followed at
 * all). Links with absolute targets lead outside.  Names that begin with a dot
 * do not exist for clients, nor do pipes, sockets and devices.
 *
 * Small files stay in memory, of larger ones the descriptor is kept.  Either is
 * looked at for each request: who replaced a file need tell nobody.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FILES_H
#define NET_HTTP_FILES_H

#include "net/http.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

struct http_files; /* a folder that is served, by any number of routes */

struct http_files_config { /* public; zero means the default */
    const char *root;      /* the folder */
    const char *index;     /* of a folder; "index.html", "" none */
    bool listing;          /* of folders without an index; else they are 403 */
    bool dotfiles;         /* names that begin with a dot; ".well-known" is
                              there always (RFC 8615) */
    bool gzip_off;         /* else text of 256 bytes to 4 MiB is compressed for
                              who accepts it, once, where that saves an eighth,
                              and a file with ".gz" behind its name and no older
                              than it is sent instead of it */
    const char *cache_control; /* the field Cache-Control of files; none */
    const char *mime_types;    /* the table; "/etc/mime.types" */
    size_t cache_bytes;        /* of what stays in memory; 64 MiB, 1 none */
    unsigned cache_files;      /* descriptors kept open; 256.  All such folders
                                  together keep no more than a quarter of
                                  RLIMIT_NOFILE */
    int64_t unchecked;         /* ns for which a file that was looked at is
                                  taken to be the same; 0: each request looks */
};

/* For http_files_close(), once nobody serves it any more.  Copies the config.
 * NULL with EINVAL (no root, a field that is none), ENOMEM, and those of
 * open(2): ENOENT, ENOTDIR, EACCES ...  [any] */
struct http_files *http_files_open(const struct http_files_config *config);
void http_files_close(struct http_files *files); /* NULL is fine.  [any] */

/* A handler, whose route has "*" (what that matched is the name) and the files
 * as its argument.  Else it answers 500. */
int http_files(struct http_request *req, struct http_response *res);

/* For handlers: answers with the file of that name, relative to the root and
 * decoded; of the folder, if it is empty or ends with a slash.  The status to
 * return: 200, 206, 301, 304, 403, 404, 405, 412, 416, 500, 503; another one,
 * such as 404 for a page that says so, may be returned instead of 200.  Fields
 * that res has already stand instead of those of the file.  What keeps a file
 * from being served, other than that there is none, goes to http_config.fault.
 * [waits] */
int http_files_send(struct http_files *files, struct http_request *req,
                    struct http_response *res, const char *name);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
