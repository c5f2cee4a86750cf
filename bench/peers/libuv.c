/* libuv.c - the contender on libuv: a stream per connection, written to at once
 * where the socket takes it; HTTP by the same parser as our own servers', as
 * libuv has none.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/kit/answer.h"
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

struct client {
    uv_tcp_t tcp; /* first: the handle is the client */
    uv_timer_t timer;
    int handles; /* not closed yet */
    size_t rest_len;
    char *rest; /* the beginning of a request, or NULL */
};

struct pending {
    uv_write_t write; /* first */
    char data[];
};

static struct service service = { .name = "libuv" };
static struct answer answers = { .service = &service };
static char buffer[ANSWER_READ]; /* one for all: it is used at once */

static void on_closed(uv_handle_t *h)
{
    struct client *c = h->data;

    if (--c->handles > 0)
        return;
    free(c->rest);
    free(c);
}

static void end(struct client *c)
{
    if (uv_is_closing((uv_handle_t *)&c->tcp))
        return;
    uv_close((uv_handle_t *)&c->tcp, on_closed);
    uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void on_silence(uv_timer_t *t) { end(t->data); }

static void on_alloc(uv_handle_t *h, size_t size, uv_buf_t *b)
{
    (void)h;
    (void)size;
    *b = uv_buf_init(buffer, sizeof buffer);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b);

static void on_written(uv_write_t *w, int status)
{
    struct client *c = (struct client *)w->handle;

    free(w);
    if (status < 0)
        end(c);
    else if (!uv_is_closing((uv_handle_t *)&c->tcp))
        (void)uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

/* What the socket does not take waits, and nothing is read meanwhile. */
static bool send_all(struct client *c, const char *data, size_t len)
{
    uv_buf_t b = uv_buf_init((char *)data, (unsigned)len);
    int n = uv_try_write((uv_stream_t *)&c->tcp, &b, 1);
    struct pending *p;

    if (n == (int)len)
        return true;
    if (n < 0 && n != UV_EAGAIN)
        return false;
    n = n < 0 ? 0 : n;
    p = malloc(sizeof *p + len - (size_t)n);
    if (p == NULL)
        return false;
    memcpy(p->data, data + n, len - (size_t)n);
    b = uv_buf_init(p->data, (unsigned)(len - (size_t)n));
    (void)uv_read_stop((uv_stream_t *)&c->tcp);
    return uv_write(&p->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) == 0;
}

static bool keep(struct client *c, const char *p, size_t len)
{
    if (len > 0 && c->rest == NULL)
        c->rest = malloc(ANSWER_READ);
    if (len > ANSWER_READ || (len > 0 && c->rest == NULL))
        return false;
    if (len > 0)
        memcpy(c->rest, p, len);
    c->rest_len = len;
    return true;
}

static bool respond(struct client *c, size_t n)
{
    static char in[2 * ANSWER_READ], out[ANSWER_OUT];
    struct answer_turn turn;
    size_t len = c->rest_len + n, at = 0;

    if (c->rest_len > 0)
        memcpy(in, c->rest, c->rest_len);
    memcpy(in + c->rest_len, buffer, n);
    for (; at < len; at += turn.used) {
        if (!answer(&answers, in + at, len - at, out, &turn))
            return false;
        if (turn.used == 0)
            break;
        if (turn.heavy)
            service_work(&service);
        if (!send_all(c, turn.out, turn.len))
            return false;
    }
    return keep(c, in + at, len - at);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct client *c = (struct client *)s;
    bool good = n >= 0;

    (void)b;
    if (n > 0 && !service.http) {
        if (buffer[0] == '!')
            service_work(&service);
        good = send_all(c, buffer, (size_t)n);
    } else if (n > 0) {
        good = respond(c, (size_t)n);
    }
    if (!good)
        end(c);
    else if (n > 0)
        (void)uv_timer_again(&c->timer);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *c = status < 0 ? NULL : calloc(1, sizeof *c);
    uint64_t ms = service.idle_s * UINT64_C(1000);

    if (c == NULL)
        return;
    (void)uv_tcp_init(listener->loop, &c->tcp);
    (void)uv_timer_init(listener->loop, &c->timer);
    c->tcp.data = c->timer.data = c;
    c->handles = 2;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0 ||
        uv_tcp_nodelay(&c->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0 ||
        uv_timer_start(&c->timer, on_silence, ms, ms) < 0)
        end(c);
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    uv_tcp_t listener;
    int fd;

    service_parse(&service, argc, argv);
    service_never_blocks(&service);
    fd = service_listen(&service, SOCK_NONBLOCK);
    if (fd < 0 || uv_tcp_init(loop, &listener) < 0 ||
        uv_tcp_open(&listener, fd) < 0 ||
        uv_listen((uv_stream_t *)&listener, SOMAXCONN, on_connection) < 0 ||
        service_ready(fd) < 0)
        return service_failed(&service, service.addr);
    (void)uv_run(loop, UV_RUN_DEFAULT);
    return service_failed(&service, "uv_run");
}
