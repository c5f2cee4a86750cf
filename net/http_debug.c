/* http_debug.c - handlers that look into the service.
 *
 * A dump writes to a descriptor, and waits while that is full.  So it gets one
 * end of a pair of sockets (not of a pipe: whoever writes to that when the
 * reader is gone gets a signal), in a coroutine of its own; the handler reads
 * the other end, and sends.  What is on the way is bounded by the sockets, and
 * a client that leaves ends the dump.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_debug.h"
#include "co/inside.h"
#include "net/http_server.h"
#include <errno.h>

/* At the same time, in the process: each holds a copy of what it tells. */
enum { REPORTS_MAX = 4 };

struct form {
    const char *query;
    const char *type;
    int (*dump)(int fd);
};

static const struct form forms[] = {
    { "", "text/plain; charset=utf-8", co_dump },
    { "form=grouped", "text/plain; charset=utf-8", co_dump_grouped },
    { "form=json", "application/x-ndjson", co_dump_json },
};

struct report {
    const struct form *form;
    struct co *writer;
    int read_fd, write_fd;
    int result, err; /* of the writer */
};

static void write_report(void *arg)
{
    struct report *r = arg;

    r->result = r->form->dump(r->write_fd);
    r->err = errno;
    (void)co_close(r->write_fd);
}

static int open_report(struct report *r)
{
    struct co_attr attr = { .name = "http_debug" };
    int fds[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   fds) < 0)
        return -1;
    r->read_fd = fds[0];
    r->write_fd = fds[1];
    r->writer = co_spawn(write_report, r, &attr);
    if (r->writer != NULL)
        return 0;
    (void)co_close(fds[0]);
    (void)co_close(fds[1]);
    return -1;
}

/* 0 when all of it was written, and read. */
static int close_report(struct report *r)
{
    bool held = co_hold_cancel(true);

    (void)co_close(r->read_fd);
    (void)co_join(r->writer, CO_FOREVER);
    (void)co_hold_cancel(held);
    errno = r->err;
    return r->result;
}

/* What comes first is waited for before anything is sent: what can fail mostly
 * does so by then.  The status, below zero in the middle. */
static int send_report(struct report *r, struct http_response *res)
{
    char *buf = net_buffer_get();
    ssize_t n;
    int status = 503;

    if (buf == NULL)
        return 503;
    n = co_read(r->read_fd, buf, NET_BUFFER_BYTES, CO_FOREVER);
    if (n > 0 && http_stream(res, 200) == 0) {
        status = 200;
        while (n > 0 && http_write(res, buf, (size_t)n) == 0)
            n = co_read(r->read_fd, buf, NET_BUFFER_BYTES, CO_FOREVER);
        if (n != 0)
            status = -1;
    }
    net_buffer_put(buf);
    return status;
}

static int tell(const struct form *form, struct http_response *res)
{
    static atomic_uint reports;
    struct report report = { .form = form };
    int status = 503;

    if (atomic_fetch_add(&reports, 1) < REPORTS_MAX &&
        open_report(&report) == 0) {
        status = send_report(&report, res);
        if (close_report(&report) < 0 && status == 200)
            status = -1;
    }
    (void)atomic_fetch_sub(&reports, 1);
    return status;
}

int http_debug_coroutines(struct http_request *req, struct http_response *res)
{
    const struct form *form = forms;

    while (strcmp(form->query, req->query) != 0)
        if (++form == forms + sizeof forms / sizeof *forms) {
            http_text(res, "?form=grouped, ?form=json, or nothing\n");
            return 400;
        }
    if (http_set_header(res, "Content-Type", form->type) < 0 ||
        http_set_header(res, "Cache-Control", "no-store") < 0)
        return 500;
    if (strcmp(req->method, "HEAD") == 0) {
        (void)http_stream(res, 200);
        return 200;
    }
    return tell(form, res);
}

int http_debug_health(struct http_request *req, struct http_response *res)
{
    struct http_server *s = http_work_of(req)->server;
    bool stopping = atomic_load_explicit(&s->stopping, memory_order_relaxed);

    if (http_set_header(res, "Cache-Control", "no-store") < 0)
        return 500;
    http_text(res, stopping ? "stopping\n" : "ok\n");
    return stopping ? 503 : 200;
}
