/* http_serve.c - http_serve(): its config, its start and its stop.
 *
 * net_serve() runs in a coroutine of its own, so that whoever called can be
 * cancelled first: then, before net_serve() hears of it, all answers begin to
 * say that they are the last, and on each scheduler a coroutine ends the
 * connections that are idle there.  Only that scheduler touches its list, so
 * requests pay for no lock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_debug.h"
#include "net/http_server.h"
#include <errno.h>
#include <stdlib.h>

enum { SERVER_MAX = 256, TARGET_MAX = 15 * 1024 };

/* Longer than any machine runs, so that adding to a time cannot overflow. */
#define TIMEOUT_MAX (INT64_MAX / 4)

/* 0, or -1 for what is out of range. */
static int take_config(struct http_server *s, const struct http_config *from)
{
    struct http_config *c = &s->config;

    *c = *from;
#define DEFAULT(field, value) c->field = c->field == 0 ? (value) : c->field
    DEFAULT(head_bytes, 16 * 1024);
    DEFAULT(head_fields, 100);
    DEFAULT(target_bytes, 8 * 1024);
    DEFAULT(body_max, 1024 * 1024);
    DEFAULT(answer_max, 16 * 1024 * 1024);
    DEFAULT(max_conns, 20000);
    DEFAULT(max_requests, 100000);
    DEFAULT(head_timeout, 10 * CO_SECOND);
    DEFAULT(body_timeout, 30 * CO_SECOND);
    DEFAULT(write_timeout, 30 * CO_SECOND);
    DEFAULT(handler_timeout, 30 * CO_SECOND);
    DEFAULT(idle_timeout, 60 * CO_SECOND);
    DEFAULT(log_fd, 1);
#undef DEFAULT
#define BOUND(field) c->field = c->field < TIMEOUT_MAX ? c->field : TIMEOUT_MAX
    BOUND(head_timeout);
    BOUND(body_timeout);
    BOUND(write_timeout);
    BOUND(handler_timeout);
    BOUND(idle_timeout);
#undef BOUND
    s->server_len = c->server == NULL ? 0 : strlen(c->server);
    if (c->head_bytes > NET_BUFFER_BYTES || c->head_fields > HTTP_FIELDS_MAX ||
        c->target_bytes > TARGET_MAX || s->server_len > SERVER_MAX ||
        (c->server != NULL && !http_value_valid(c->server)) ||
        c->head_timeout < 0 || c->body_timeout < 0 || c->write_timeout < 0 ||
        c->handler_timeout < 0 || c->idle_timeout < 0 ||
        c->log_form < HTTP_LOG_OFF || c->log_form > HTTP_LOG_JSON) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

static int open_homes(struct http_server *s)
{
    size_t size;

    while (co_sched_at(s->count) != NULL)
        s->count++;
    size = (s->count + 1) * sizeof *s->homes;
    s->homes = aligned_alloc(_Alignof(struct http_home), size);
    if (s->homes == NULL)
        return -1;
    memset(s->homes, 0, size);
    for (unsigned i = 0; i < s->count; i++)
        s->homes[i].sched = co_sched_at(i);
    return 0;
}

/* A program that is no PIE may know the shared library's function by another
 * address: then the first call of it switches them on. */
static bool has_metrics(const struct http_route *r)
{
    while (r != NULL && r->pattern != NULL && r->handler != http_debug_metrics)
        r++;
    return r != NULL && r->pattern != NULL;
}

static int prepare(struct http_server *s, const struct http_config *config)
{
    if (take_config(s, config) < 0)
        return -1;
    atomic_init(&s->measure, config->measure || has_metrics(config->routes));
    s->router = http_router_new(config->routes);
    if (s->router == NULL)
        return -1;
    return open_homes(s);
}

static void worker(void *arg)
{
    struct http_server *s = arg;

    s->result = net_serve(s->listener, http_conn, s);
    s->err = errno;
    s->listener = NULL;
}

/* Holding cancel off. */
static void stop(struct http_server *s)
{
    atomic_store(&s->stopping, true);
    for (unsigned i = 0; i < s->count; i++) {
        struct co_attr attr = { .name = "http_serve", .on = s->homes[i].sched };

        /* Without one, they end when the grace does. */
        s->homes[i].closer = co_spawn(http_close_idle, &s->homes[i], &attr);
    }
    co_cancel(s->worker);
    (void)co_join(s->worker, CO_FOREVER);
    for (unsigned i = 0; i < s->count; i++)
        if (s->homes[i].closer != NULL) {
            co_cancel(s->homes[i].closer);
            (void)co_join(s->homes[i].closer, CO_FOREVER);
        }
}

/* In a coroutine. */
static int serve(struct http_server *s)
{
    struct co_attr attr = { .name = "http_serve" };
    int err = 0;

    s->worker = co_spawn(worker, s, &attr);
    if (s->worker == NULL)
        return -1;
    if (co_join(s->worker, CO_FOREVER) < 0) {
        bool held;

        err = errno == ECANCELED ? 0 : errno;
        held = co_hold_cancel(true);
        stop(s);
        (void)co_hold_cancel(held);
    }
    errno = err != 0 ? err : s->err;
    return err != 0 ? -1 : s->result;
}

/* On a plain thread: a coroutine does it, which is cancelled when the runtime
 * is shut down. */
struct thread_call {
    struct http_server *server;
    int result, err;
    struct co_sem done;
};

static void serve_for_thread(void *arg)
{
    struct thread_call *t = arg;

    t->result = serve(t->server);
    t->err = errno;
    co_sem_post(&t->done);
}

static int serve_on_thread(struct http_server *s)
{
    struct thread_call t = { .server = s };

    if (co_go(serve_for_thread, &t) < 0)
        return -1;
    (void)co_sem_wait(&t.done, CO_FOREVER); /* nothing else ends it here */
    errno = t.err;
    return t.result;
}

int http_serve(struct net_listener *l, const struct http_config *config)
{
    struct http_server s = { .listener = l };
    int result = -1;
    int err;

    if (l == NULL)
        return -1;
    if (prepare(&s, config) == 0)
        result = co_self() != NULL ? serve(&s) : serve_on_thread(&s);
    err = errno;
    net_listener_close(s.listener);
    http_router_free(s.router);
    free(s.homes);
    errno = err;
    return result;
}
