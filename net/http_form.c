/* http_form.c - a form, whichever way it is encoded.
 *
 * Names and values stand in one block of memory, which grows as they come; so
 * where each is is known at the end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_multipart.h"
#include "net/http_urlencoded.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct item { /* a file */
    struct item *next;
    struct http_upload *upload;
};

struct http_form {
    struct http_request *req;
    struct http_form_config limits;
    struct http_pair *pairs;
    char *text; /* allocated */
    size_t len, room;
    unsigned fields, files; /* that came */
    uint64_t files_size;
    struct item *first, **last;
};

/* ---- Limits and statuses ---------------------------------------------------
 */

struct http_form_config http_form_limits(const struct http_form_config *config)
{
    struct http_form_config c = { 0 };

    if (config != NULL)
        c = *config;
#define DEFAULT(field, value) c.field = c.field == 0 ? (value) : c.field
    DEFAULT(bytes, 64 * 1024);
    DEFAULT(fields, 1000);
    DEFAULT(files, 20);
    DEFAULT(files_max, UINT64_MAX);
    DEFAULT(file_max, c.files_max);
    DEFAULT(head_bytes, 4096);
#undef DEFAULT
    if (c.bytes > SIZE_MAX / 4)
        c.bytes = SIZE_MAX / 4;
    if (c.head_bytes > 16 * 1024)
        c.head_bytes = 16 * 1024;
    return c;
}

bool http_form_plain(struct http_request *req)
{
    const char *coding = http_header(req, "Content-Encoding");

    return coding == NULL || strcasecmp(coding, "identity") == 0;
}

int http_form_status(int err)
{
    switch (err) {
    case EMSGSIZE:
        return 413;
    case ETIMEDOUT:
        return 408;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return 507;
    case EMFILE:
    case ENFILE:
    case ECANCELED:
        return 503;
    case EBADMSG:
    case ECONNRESET:
    case EPIPE:
        return 400;
    default:
        return 500;
    }
}

static int fail(int status, int err)
{
    errno = err;
    return status;
}

/* ---- Memory ----------------------------------------------------------------
 */

static void drop_text(void *arg)
{
    struct http_form *form = arg;

    free(form->text);
}

/* Room for len bytes more and a zero, or for what the limit leaves and one
 * byte, which shows that it was passed.  0 or the status. */
static int reserve(struct http_form *form, size_t len)
{
    size_t max = form->limits.bytes + 1, room = 2 * form->room;
    char *text;

    if (len > max - form->len)
        len = max - form->len;
    if (len <= form->room - form->len)
        return 0;
    room = room < 4096 ? 4096 : room;
    room = room < form->len + len ? form->len + len : room;
    room = room < max ? room : max;
    text = realloc(form->text, room + 1);
    if (text == NULL)
        return 500;
    form->text = text;
    form->room = room;
    return 0;
}

static int append(struct http_form *form, const char *data, size_t len)
{
    int status = reserve(form, len);

    if (status != 0)
        return status;
    if (len > form->limits.bytes - form->len)
        return fail(413, EMSGSIZE);
    memcpy(form->text + form->len, data, len);
    form->len += len;
    return 0;
}

static int alloc_pairs(struct http_form *form)
{
    form->pairs =
        http_alloc(form->req, (form->fields + 1) * sizeof *form->pairs);
    if (form->pairs == NULL)
        return 500;
    form->pairs[form->fields].name = NULL;
    return 0;
}

/* ---- Urlencoded ------------------------------------------------------------
 */

static int read_text(struct http_form *form, int64_t deadline)
{
    ssize_t n;

    if (form->req->content_length > 0 &&
        (uint64_t)form->req->content_length > form->limits.bytes)
        return fail(413, EMSGSIZE);
    do {
        int status = reserve(form, 1);

        if (status != 0)
            return status;
        n = http_body(form->req, form->text + form->len, form->room - form->len,
                      deadline);
        if (n < 0)
            return http_form_status(errno);
        form->len += (size_t)n;
        if (form->len > form->limits.bytes)
            return fail(413, EMSGSIZE);
    } while (n > 0);
    return 0;
}

static int read_urlencoded(struct http_form *form, int64_t deadline)
{
    int status = read_text(form, deadline);
    size_t count;

    if (status != 0)
        return status;
    count = http_urlencoded_count(form->text, form->len);
    if (count > form->limits.fields)
        return fail(413, EMSGSIZE);
    form->fields = (unsigned)count;
    status = alloc_pairs(form);
    if (status == 0 &&
        http_urlencoded_split(form->text, form->len, form->pairs) < 0)
        status = fail(400, EBADMSG);
    return status;
}

/* ---- Multipart -------------------------------------------------------------
 */

/* Name and value become two strings behind those that are there. */
static int read_field(struct http_form *form, struct http_multipart *m,
                      const struct http_part *part, int64_t deadline)
{
    int status = append(form, part->name, strlen(part->name) + 1);
    const char *data;
    ssize_t n;

    if (form->fields++ == form->limits.fields)
        return fail(413, EMSGSIZE);
    while (status == 0 && (n = http_multipart_piece(m, &data, deadline)) != 0) {
        if (n < 0)
            return http_multipart_status(m);
        if (memchr(data, '\0', (size_t)n) != NULL)
            return fail(400, EBADMSG);
        status = append(form, data, (size_t)n);
    }
    return status != 0 ? status : append(form, "", 1);
}

/* In the list, so that it is found, and removed if another one fails. */
static int add_file(struct http_form *form, const struct http_part *part,
                    struct http_upload **u)
{
    struct item *item;

    if (form->limits.dir == NULL)
        return fail(415, EBADMSG);
    if (form->files == form->limits.files)
        return fail(413, EMSGSIZE);
    item = http_alloc(form->req, sizeof *item);
    if (item == NULL)
        return 500;
    *u = http_upload_open(form->req, form->limits.dir, part);
    if (*u == NULL)
        return http_form_status(errno);
    *item = (struct item){ .upload = *u };
    *form->last = item;
    form->last = &item->next;
    form->files++;
    return 0;
}

static int write_file(struct http_form *form, struct http_upload *u,
                      const char *data, size_t len)
{
    if (len > form->limits.file_max - u->size ||
        len > form->limits.files_max - form->files_size)
        return fail(413, EMSGSIZE);
    form->files_size += len;
    return http_upload_write(u, data, len) < 0 ? http_form_status(errno) : 0;
}

/* Where no file was chosen, browsers send one without name and bytes. */
static int read_file(struct http_form *form, struct http_multipart *m,
                     const struct http_part *part, int64_t deadline)
{
    const char *data;
    ssize_t n = http_multipart_piece(m, &data, deadline);
    struct http_upload *u;
    int status;

    if (n < 0)
        return http_multipart_status(m);
    if (n == 0 && *part->filename == '\0')
        return 0;
    status = add_file(form, part, &u);
    if (status != 0)
        return status;
    for (; n > 0; n = http_multipart_piece(m, &data, deadline)) {
        status = write_file(form, u, data, (size_t)n);
        if (status != 0)
            return status;
    }
    return n < 0 ? http_multipart_status(m) : 0;
}

static int find_pairs(struct http_form *form)
{
    int status = alloc_pairs(form);
    const char *s = form->text;

    for (unsigned i = 0; status == 0 && i < form->fields; i++) {
        form->pairs[i].name = s;
        s += strlen(s) + 1;
        form->pairs[i].value = s;
        s += strlen(s) + 1;
    }
    return status;
}

static int read_multipart(struct http_form *form, int64_t deadline)
{
    struct http_multipart *m;
    struct http_part part;
    int status = http_multipart_open(form->req, &form->limits, &m);
    int more;

    if (status != 0)
        return status;
    http_multipart_gather(m);
    while ((more = http_multipart_next(m, &part, deadline)) > 0) {
        status = part.filename == NULL ? read_field(form, m, &part, deadline)
                                       : read_file(form, m, &part, deadline);
        if (status != 0)
            return status;
    }
    return more < 0 ? http_multipart_status(m) : find_pairs(form);
}

/* ---- The form --------------------------------------------------------------
 */

static bool is_urlencoded(struct http_request *req)
{
    static const char name[] = "application/x-www-form-urlencoded";
    const char *type = http_header(req, "Content-Type");
    size_t len = sizeof name - 1;

    return type != NULL && strncasecmp(type, name, len) == 0 &&
           strchr("; \t", type[len]) != NULL && http_form_plain(req);
}

static int read_form(struct http_form *form, int64_t deadline)
{
    if (form->req->content_length == 0)
        return alloc_pairs(form);
    if (is_urlencoded(form->req))
        return read_urlencoded(form, deadline);
    return read_multipart(form, deadline);
}

int http_form_read(struct http_request *req,
                   const struct http_form_config *config,
                   struct http_form **form, int64_t deadline)
{
    struct http_form *f = http_alloc(req, sizeof *f);
    int status, err;

    *form = NULL;
    if (f == NULL)
        return 500;
    *f = (struct http_form){ .req = req,
                             .limits = http_form_limits(config),
                             .last = &f->first };
    if (http_on_end(req, drop_text, f) < 0)
        return 500;
    status = read_form(f, deadline);
    err = errno;
    for (struct item *i = f->first; status != 0 && i != NULL; i = i->next)
        http_upload_remove(i->upload);
    errno = err;
    if (status == 0)
        *form = f;
    return status;
}

const char *http_form_value(const struct http_form *form, const char *name)
{
    for (const struct http_pair *p = form->pairs; p->name != NULL; p++)
        if (strcmp(p->name, name) == 0)
            return p->value;
    return NULL;
}

const struct http_pair *http_form_pairs(const struct http_form *form)
{
    return form->pairs;
}

const struct http_upload *http_form_upload(const struct http_form *form,
                                           const char *name)
{
    for (const struct item *i = form->first; i != NULL; i = i->next)
        if (strcmp(i->upload->name, name) == 0)
            return i->upload;
    return NULL;
}

const struct http_upload *http_form_upload_at(const struct http_form *form,
                                              unsigned i)
{
    const struct item *item = form->first;

    while (item != NULL && i-- > 0)
        item = item->next;
    return item == NULL ? NULL : item->upload;
}
