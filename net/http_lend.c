/* http_lend.c - bodies that stand elsewhere: in somebody's memory, in files.
 *
 * They are parts behind what was written, and leave with the head in one write.
 * What is small is copied instead, and then shares a write with other answers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    COPY_MAX = 2048, /* bytes whose copy is cheaper than one more buffer */
    IOV_COUNT = 8
};

void http_parts_drop(struct http_response *res)
{
    struct http_part *p = res->parts;

    res->parts = NULL;
    res->parts_len = 0;
    for (; p != NULL; p = p->next)
        if (p->done != NULL)
            p->done(p->arg);
}

void http_parts_copy(struct http_work *w)
{
    struct http_response *res = &w->res;
    const struct http_part *p = res->parts;
    size_t room = (size_t)(w->area + w->arena - res->body);

    if (res->big != NULL || p->data == NULL || p->next != NULL ||
        p->len > COPY_MAX || p->len > room - res->body_len)
        return;
    memcpy(res->body + res->body_len, p->data, p->len);
    res->body_len += p->len;
    res->parts_len = 0;
}

static int link_part(struct http_response *res, const struct http_part *part)
{
    struct http_part *p =
        http_alloc(&http_work_of_response(res)->req, sizeof *p);

    if (p == NULL) {
        res->failed = true;
        return -1;
    }
    *p = *part;
    if (res->parts == NULL)
        res->parts_end = &res->parts;
    *res->parts_end = p;
    res->parts_end = &p->next;
    res->parts_len += p->len;
    res->body_room = res->body_len;
    return 0;
}

static int append(struct http_response *res, const struct http_part *part)
{
    int r = -1;

    if (http_response_check(res) < 0)
        ;
    else if (res->streaming || res->page || part->offset < 0 ||
             part->len > INT64_MAX - res->parts_len)
        errno = EINVAL;
    else
        r = link_part(res, part);
    if (r == 0 && res->type == HTTP_TYPE_NONE)
        res->type = HTTP_TYPE_BYTES;
    if (r < 0 && part->done != NULL) {
        int err = errno;

        part->done(part->arg);
        errno = err;
    }
    return r;
}

int http_lend(struct http_response *res, const void *data, size_t len,
              void (*done)(void *arg), void *arg)
{
    struct http_part part = {
        .data = len > 0 ? data : "", .len = len, .done = done, .arg = arg
    };

    return append(res, &part);
}

int http_sendfile(struct http_response *res, int fd, off_t offset, uint64_t len,
                  void (*done)(void *arg), void *arg)
{
    struct http_part part = {
        .fd = fd, .offset = offset, .len = len, .done = done, .arg = arg
    };

    return append(res, &part);
}

/* Of all that was to be sent, so much did not count as the body. */
static int send_message(struct http_work *w, struct net_message *m,
                        uint64_t *head)
{
    int r = http_send(w, m);
    uint64_t skip = m->sent < *head ? m->sent : *head;

    w->res.sent += m->sent - skip;
    *head -= skip;
    return r;
}

static void broke_off(struct http_work *w, int err)
{
    char what[80];

    (void)snprintf(what, sizeof what,
                   "broke off after %" PRIu64 " of %" PRIu64 " bytes",
                   w->res.sent, w->res.body_len + w->res.parts_len);
    http_fault(w, what, err);
}

void http_parts_send(struct http_work *w)
{
    struct iovec iov[IOV_COUNT] = { { w->area, w->out } };
    struct net_message m = { .iov = iov, .count = 1 };
    uint64_t head = w->out;

    if (w->res.big == NULL) {
        head -= w->res.body_len;
        w->res.sent = 0;
    }
    w->out = 0;
    for (struct http_part *p = w->res.parts; p != NULL; p = p->next) {
        if (p->data != NULL) {
            iov[m.count++] = (struct iovec){ (void *)p->data, p->len };
        } else {
            m.fd = p->fd;
            m.offset = p->offset;
            m.len = p->len;
        }
        if (p->next != NULL && p->data != NULL && m.count < IOV_COUNT)
            continue;
        if (send_message(w, &m, &head) < 0) {
            broke_off(w, errno);
            break;
        }
        m = (struct net_message){ .iov = iov };
    }
    w->now = http_now();
}
