/* http_form.h - what browsers send: queries, forms, files.
 *
 *     static int add_photo(struct http_request *req, struct http_response *res)
 *     {
 *         struct http_form_config config = { .dir = "/var/photos" };
 *         const struct http_upload *photo;
 *         struct http_form *form;
 *         int status = http_form_read(req, &config, &form, CO_FOREVER);
 *
 *         if (status != 0)
 *             return status;
 *         photo = http_form_upload(form, "photo");
 *         if (photo == NULL)
 *             return 400;
 *         if (http_upload_keep(photo, "/var/photos/new.jpg") < 0)
 *             return errno == EEXIST ? 409 : 500;
 *         http_printf(res, "%s: thanks\n", photo->filename);
 *         return 201;
 *     }
 *
 *     { "POST", "/photos", add_photo, NULL, 100 * 1024 * 1024 },
 *
 * The last number is body_max: without it, a route takes no more than the
 * config's, 1 MiB.
 *
 * Queries, and forms of the type application/x-www-form-urlencoded, are pairs
 * name=value between '&' (not ';').  In both, '+' is a space and %XX a byte.  A
 * pair without '=' has an empty value; nothing between two '&' is no pair.  A
 * '%' with other than two hexadecimal digits behind it, and a zero byte, are
 * refused, the whole with them.  Other bytes stay as they are, also those that
 * are no UTF-8.  What has a name more than once keeps the order it came in, and
 * the first is what a look-up finds.  Strings live as long as the request.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_FORM_H
#define NET_HTTP_FORM_H

#include "net/http.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* ---- Queries ---------------------------------------------------------------
 */

/* The value of that name in the query.  NULL with ENOENT without one, EBADMSG
 * when the query is broken, ENOMEM. */
const char *http_query(struct http_request *req, const char *name);

/* All of its pairs; the array ends with a name that is NULL.  NULL with EBADMSG
 * or ENOMEM. */
const struct http_pair *http_query_pairs(struct http_request *req);

/* ---- Forms -----------------------------------------------------------------
 */

/* A form that was read. */
struct http_form;

/* What a form may be; beyond it is 413. */
struct http_form_config { /* public; zero means the default */
    size_t bytes;         /* all names and values of fields; 64 KiB */
    unsigned fields;      /* 1,000 */
    const char *dir;      /* where the bytes of files go; without it a form
                             that has a file is refused: 415 */
    unsigned files;       /* 20 */
    uint64_t file_max;    /* bytes of each; as many as files_max */
    uint64_t files_max;   /* bytes of all; as many as the route's body_max */
    unsigned head_bytes;  /* before the bytes of a field or file in a multipart
                             form; 4 KiB, at most 16 KiB */
};

/* Reads the body as a form, urlencoded or multipart/form-data, by deadline.  0,
 * or the status to return: 400 for what is broken or ends too early, 408, 413,
 * 415 for another type (no body at all is an empty form), 507 when there is no
 * room for files, 503 when there are no descriptors for them or the server
 * stops, 500.  Then there is no form, errno says more, and all files are gone.
 * config may be NULL.  [waits] */
int http_form_read(struct http_request *req,
                   const struct http_form_config *config,
                   struct http_form **form, int64_t deadline);

/* The value of the first field of that name, or NULL. */
const char *http_form_value(const struct http_form *form, const char *name);

/* All fields that are no files; the array ends with a name that is NULL. */
const struct http_pair *http_form_pairs(const struct http_form *form);

/* ---- Files -----------------------------------------------------------------
 *
 * A file is written as it comes, so that it costs no memory, where nobody sees
 * it: into one without a name in config.dir, or where the file system has none
 * such, one named ".upload-" and six more.  When the request is over, however
 * it ended, it is gone, unless it was kept.
 */

struct http_upload {      /* public */
    const char *name;     /* of the field */
    const char *filename; /* what the client calls it, without a path: no slash
                             nor backslash, not "." nor "..".  It may be empty,
                             begin with a dot, or be anyone else's, and what is
                             in it is what the client likes */
    const char *type;     /* as the client says; never NULL */
    uint64_t size;
    int fd; /* to read, write, fstat; closed by the server */
};

/* The first file of that field, or NULL.  A field in which no file was chosen
 * has none. */
const struct http_upload *http_form_upload(const struct http_form *form,
                                           const char *name);

/* The i-th file of all, or NULL behind the last. */
const struct http_upload *http_form_upload_at(const struct http_form *form,
                                              unsigned i);

/* Gives it a name that it keeps, on the file system of config.dir.  Its mode is
 * 0600 until fchmod(2); its bytes are as durable as those of any file that was
 * written and not synced.  EEXIST when there is something of that name already;
 * EXDEV, and what else link(2) says. */
int http_upload_keep(const struct http_upload *u, const char *path);

/* ---- Part by part ----------------------------------------------------------
 *
 * For whoever wants the bytes elsewhere than in a file:
 *
 *     status = http_multipart_open(req, NULL, &m);
 *     if (status != 0)
 *         return status;
 *     while ((more = http_multipart_next(m, &part, deadline)) > 0)
 *         while ((n = http_multipart_read(m, buf, sizeof buf, deadline)) > 0)
 *             use(part.name, buf, n);
 *     return more < 0 || n < 0 ? http_multipart_status(m) : 200;
 */

/* A multipart body on its way; of the request. */
struct http_multipart;

struct http_part { /* public */
    const char *name;
    const char *filename; /* NULL: a field.  As in struct http_upload */
    const char *type;     /* Content-Type; "text/plain" when it has none */
};

/* Of config, head_bytes holds, and the sum of fields and files.  0 or a status
 * as http_form_read() returns it. */
int http_multipart_open(struct http_request *req,
                        const struct http_form_config *config,
                        struct http_multipart **m);

/* Goes on to the next part, past what was not read of this one.  1, 0 behind
 * the last when the body is read to its end, or -1.  [waits] */
int http_multipart_next(struct http_multipart *m, struct http_part *part,
                        int64_t deadline);

/* What has come of the part, len bytes at most; 0 at its end, or -1.  [waits]
 */
ssize_t http_multipart_read(struct http_multipart *m, void *buf, size_t len,
                            int64_t deadline);

/* What to return after -1. */
int http_multipart_status(const struct http_multipart *m);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
