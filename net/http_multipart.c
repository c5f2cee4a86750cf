/* http_multipart.c - the parts of a body, one after the other.
 *
 * The bytes of the body arrive in one buffer, from which http_parts.c takes
 * them; what it leaves moves to the front, and more is read behind it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_multipart.h"
#include "net/http_parts.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 * 1024 };

struct http_multipart {
    struct http_request *req;
    struct http_parts parts;
    char *buf;
    size_t at, end;               /* of it, what was not taken */
    struct http_parts_found left; /* of the part: found, but not read */
    unsigned parts_left;          /* how many may still come */
    bool in_part;
    bool all;    /* of the body is in buf */
    bool last;   /* there are no more parts */
    bool gather; /* fill buf before it is looked at */
    int status;  /* once something failed */
    int err;
};

static int fail(struct http_multipart *m, int status, int err)
{
    m->status = status;
    m->err = errno = err;
    return -1;
}

static int failed_before(const struct http_multipart *m)
{
    if (m->status != 0)
        errno = m->err;
    return m->status != 0;
}

/* ---- Bytes -----------------------------------------------------------------
 */

static int fill(struct http_multipart *m, int64_t deadline)
{
    ssize_t n;

    memmove(m->buf, m->buf + m->at, m->end - m->at);
    m->end -= m->at;
    m->at = 0;
    do {
        n = http_body(m->req, m->buf + m->end, ROOM - m->end, deadline);
        if (n < 0)
            return fail(m, http_form_status(errno), errno);
        m->end += (size_t)n;
    } while (n > 0 && m->gather && m->end < ROOM);
    m->all = n == 0;
    return 0;
}

/* An event that is neither MORE nor BROKEN, or -1. */
static int next_event(struct http_multipart *m, struct http_parts_found *found,
                      int64_t deadline)
{
    for (;;) {
        size_t taken;
        int event = http_parts_next(&m->parts, m->buf + m->at, m->end - m->at,
                                    m->all, &taken, found);

        m->at += taken;
        if (event == HTTP_PARTS_BROKEN)
            return fail(m, m->parts.error,
                        m->parts.error == 413 ? EMSGSIZE : EBADMSG);
        if (event != HTTP_PARTS_MORE)
            return event;
        if (fill(m, deadline) < 0)
            return -1;
    }
}

/* What stands behind the last part is read, so that the next request can. */
static int finish(struct http_multipart *m, int64_t deadline)
{
    while (!m->all) {
        m->at = m->end;
        if (fill(m, deadline) < 0)
            return -1;
    }
    m->last = true;
    return 0;
}

/* ---- Parts -----------------------------------------------------------------
 */

static int open_part(struct http_multipart *m, struct http_part *part,
                     const struct http_parts_found *found)
{
    char *head = http_alloc(m->req, found->len);
    int status;

    if (m->parts_left == 0)
        return fail(m, 413, EMSGSIZE);
    if (head == NULL)
        return fail(m, 500, ENOMEM);
    m->parts_left--;
    memcpy(head, found->data, found->len);
    status = http_part_open(part, head, found->len);
    if (status != 0)
        return fail(m, status, EBADMSG);
    m->in_part = true;
    return 1;
}

int http_multipart_next(struct http_multipart *m, struct http_part *part,
                        int64_t deadline)
{
    struct http_parts_found found;
    int event;

    if (failed_before(m))
        return -1;
    if (m->last)
        return 0;
    m->in_part = false;
    m->left.len = 0;
    do
        event = next_event(m, &found, deadline);
    while (event == HTTP_PARTS_DATA || event == HTTP_PARTS_END);
    if (event == HTTP_PARTS_HEAD)
        return open_part(m, part, &found);
    return event < 0 ? -1 : finish(m, deadline);
}

ssize_t http_multipart_piece(struct http_multipart *m, const char **data,
                             int64_t deadline)
{
    size_t n;

    if (failed_before(m))
        return -1;
    if (m->in_part && m->left.len == 0) {
        int event = next_event(m, &m->left, deadline);

        if (event < 0)
            return -1;
        if (event == HTTP_PARTS_END) {
            m->in_part = false;
            m->left.len = 0;
        }
    }
    n = m->left.len;
    m->left.len = 0;
    *data = m->left.data;
    return (ssize_t)n;
}

ssize_t http_multipart_read(struct http_multipart *m, void *buf, size_t len,
                            int64_t deadline)
{
    const char *data;
    ssize_t n = len == 0 ? 0 : http_multipart_piece(m, &data, deadline);

    if (n <= 0)
        return n;
    if ((size_t)n > len) {
        m->left.data = data + len;
        m->left.len = (size_t)n - len;
        n = (ssize_t)len;
    }
    memcpy(buf, data, (size_t)n);
    return n;
}

int http_multipart_status(const struct http_multipart *m) { return m->status; }

void http_multipart_gather(struct http_multipart *m) { m->gather = true; }

/* ---- The beginning ---------------------------------------------------------
 */

static const char *boundary_of(struct http_request *req, int *status)
{
    const char *type = http_header(req, "Content-Type");
    char *copy;

    *status = 415;
    if (type == NULL || !http_form_plain(req))
        return NULL;
    copy = http_alloc(req, strlen(type) + 1);
    *status = 500;
    if (copy == NULL)
        return NULL;
    strcpy(copy, type);
    return http_part_boundary(copy, status);
}

int http_multipart_open(struct http_request *req,
                        const struct http_form_config *config,
                        struct http_multipart **m)
{
    struct http_form_config limits = http_form_limits(config);
    int status;
    const char *boundary = boundary_of(req, &status);

    errno = status == 500 ? ENOMEM : EBADMSG;
    if (boundary == NULL)
        return status;
    *m = http_alloc(req, sizeof **m);
    if (*m == NULL)
        return 500;
    **m = (struct http_multipart){ .req = req,
                                   .parts.head_max = limits.head_bytes,
                                   .parts_left = limits.fields + limits.files };
    if (http_parts_start(&(*m)->parts, boundary) < 0) {
        errno = EBADMSG;
        return 400;
    }
    (*m)->buf = malloc(ROOM);
    if ((*m)->buf == NULL)
        return 500;
    if (http_on_end(req, free, (*m)->buf) < 0) {
        free((*m)->buf);
        return 500;
    }
    return 0;
}
