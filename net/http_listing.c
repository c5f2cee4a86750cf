/* http_listing.c - the page of a folder.
 *
 * All names are read and sorted on another thread; then the page leaves as fast
 * as its client takes it, a piece at a time.  Its links are relative to the
 * path, so it does not matter where the folder is served.  The names stay in
 * memory as long as the client takes, so there is a bound for those of all
 * pages.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_listing.h"
#include "co/bug.h"
#include "net/http_escape.h"
#include "net/http_folder.h"
#include "net/http_server.h"
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_PIECE = 16 * 1024, HELD_MAX = 64 * 1024 * 1024 };

static atomic_size_t held; /* bytes of folders, by pages on their way */

static const char top[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
    "<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto;\n"
    "    padding: 0 1rem; max-width: 56rem; }\n"
    "h1 { font-size: 1.4rem; overflow-wrap: anywhere; margin: 0; }\n"
    "p, th, td + td { color: #666; }\n"
    "table { border-collapse: collapse; width: 100%; }\n"
    "th, td { text-align: left; vertical-align: top; padding: .3rem 0;\n"
    "    border-bottom: 1px solid #8883; }\n"
    "th { font-weight: normal; }\n"
    "td:first-child { overflow-wrap: anywhere; }\n"
    "tr > * + * { text-align: right; white-space: nowrap;\n"
    "    padding-left: 1.5rem; font-variant-numeric: tabular-nums; }\n"
    "a { color: #1a66c2; text-decoration: none; }\n"
    "a:hover { text-decoration: underline; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "    p, th, td + td { color: #999; }\n"
    "    a { color: #7db7ff; }\n"
    "}\n"
    "@media (max-width: 36rem) { i { display: none; } }\n"
    "i { font-style: normal; }\n"
    "</style>\n";

struct page {
    struct http_response *res;
    size_t len;
    char text[PAGE_PIECE];
};

static int flush(struct page *p)
{
    size_t len = p->len;

    p->len = 0;
    return http_write(p->res, p->text, len);
}

/* No more than a piece at a time. */
__attribute__((format(printf, 2, 3))) static int put(struct page *p,
                                                     const char *format, ...)
{
    for (int tries = 0; tries < 2; tries++) {
        size_t room = sizeof p->text - p->len;
        va_list args;
        int n;

        va_start(args, format);
        n = vsnprintf(p->text + p->len, room, format, args);
        va_end(args);
        BUG_ON((size_t)n >= sizeof p->text, "a line of a page is too long");
        if ((size_t)n < room) {
            p->len += (size_t)n;
            return 0;
        }
        if (flush(p) < 0)
            return -1;
    }
    return -1;
}

/* "812 B", "1.2 KiB", "47 MiB" */
static void size_text(int64_t size, char *text, size_t room)
{
    static const char units[][4] = { "B",   "KiB", "MiB", "GiB",
                                     "TiB", "PiB", "EiB" };
    double n = (double)size;
    int unit = 0;

    for (; n >= 1023.5; unit++)
        n /= 1024;
    (void)snprintf(text, room, "%.*f %s", n < 9.95 && unit > 0, n, units[unit]);
}

/* Of a narrow page the time of day is left out. */
static void date_text(int64_t seconds, char *text, size_t room)
{
    time_t t = seconds;
    struct tm tm;

    *text = '\0';
    if (gmtime_r(&t, &tm) != NULL)
        (void)snprintf(text, room, "%04d-%02d-%02d<i> %02d:%02d</i>",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                       tm.tm_min);
}

static int put_name(struct page *p, const struct http_name *n)
{
    char link[HTTP_ESCAPED_MAX(HTTP_NAME_MAX)];
    char shown[HTTP_ESCAPED_HTML_MAX(HTTP_NAME_MAX)];
    char size[32] = "", date[64] = "";
    const char *slash = n->is_folder ? "/" : "";
    size_t len = strlen(n->name);

    (void)http_escape_path(link, n->name, len);
    (void)http_escape_html(shown, n->name, len);
    if (n->is_file)
        size_text(n->size, size, sizeof size);
    if (n->is_file || n->is_folder)
        date_text(n->mtime, date, sizeof date);
    return put(p, "<tr><td><a href=\"%s%s\">%s%s</a><td>%s<td>%s\n", link,
               slash, shown, slash, size, date);
}

/* The path may be longer than a piece. */
static int put_top(struct page *p, const char *path,
                   const struct http_folder *f)
{
    size_t files = f->count - f->folders;

    if (put(p, "%s<title>", top) < 0 || flush(p) < 0 ||
        http_text(p->res, path) < 0 || put(p, "</title>\n<h1>") < 0 ||
        flush(p) < 0 || http_text(p->res, path) < 0)
        return -1;
    return put(p,
               "</h1>\n<p>%zu folder%s, %zu file%s</p>\n<table>\n"
               "<thead><tr><th>Name<th>Size<th>Changed<i> (UTC)</i>\n<tbody>\n",
               f->folders, f->folders == 1 ? "" : "s", files,
               files == 1 ? "" : "s");
}

static int put_page(struct page *p, const char *path,
                    const struct http_folder *f, bool up)
{
    if (put_top(p, path, f) < 0)
        return -1;
    if (up && put(p, "<tr><td><a href=\"../\">../</a><td><td>\n") < 0)
        return -1;
    for (size_t i = 0; i < f->count; i++)
        if (put_name(p, f->names[i]) < 0)
            return -1;
    return put(p, "</table>\n") < 0 ? -1 : flush(p);
}

/* 0, or the status of an error. */
static int send_page(struct http_request *req, struct http_response *res,
                     const struct http_folder *f, bool up)
{
    size_t len = strlen(req->path);
    char *path = http_alloc(req, HTTP_ESCAPED_HTML_MAX(len));
    struct page *p = http_alloc(req, sizeof *p);

    if (path == NULL || p == NULL ||
        http_set_header(res, "Content-Type", "text/html; charset=utf-8") < 0 ||
        http_set_header(res, "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'") < 0)
        return 500;
    (void)http_escape_html(path, req->path, len);
    p->res = res;
    p->len = 0;
    if (http_stream(res, 200) < 0)
        return -1;
    if (http_work_of(req)->head.method_id == HTTP_HEAD)
        return 200;
    return put_page(p, path, f, up) < 0 ? -1 : 200;
}

struct reading {
    struct http_folder folder;
    int fd, err;
    bool dotfiles;
};

static void read_folder(void *arg)
{
    struct reading *r = arg;

    if (http_folder_read(&r->folder, r->fd, r->dotfiles) < 0)
        r->err = errno;
}

int http_listing(struct http_request *req, struct http_response *res, int dirfd,
                 unsigned flags)
{
    struct reading r = { .fd = dirfd,
                         .dotfiles = (flags & HTTP_LISTING_DOTFILES) != 0 };
    size_t bytes, others;
    int status;

    if (co_offload(read_folder, &r) < 0) {
        r.err = errno;
        (void)close(dirfd); /* it was only read */
    }
    if (r.err != 0) {
        http_fault(http_work_of(req), "cannot be listed", r.err);
        return r.err == EAGAIN ? 503 : 500;
    }
    bytes = r.folder.bytes;
    others = atomic_fetch_add(&held, bytes);
    if (others > 0 && others + bytes > HELD_MAX) {
        http_fault(http_work_of(req), "cannot be listed", EBUSY);
        status = 503;
    } else {
        status =
            send_page(req, res, &r.folder, (flags & HTTP_LISTING_ROOT) == 0);
    }
    http_folder_free(&r.folder);
    atomic_fetch_sub(&held, bytes);
    return status;
}
