/* http_conn.c - a connection: waits for requests, and has them answered.
 *
 * The outer loop waits and holds no buffer; its frames are all that an idle
 * connection keeps warm.  When bytes have come the inner loop answers all
 * requests among them, and sends the answers together before it waits again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/http_date.h"
#include "net/http_server.h"
#include <errno.h>

enum { TURNED_AWAY_MAX = 256 }; /* who are told why at the same time */

/* Once for each request, however it ended. */
static void record(struct http_work *w)
{
    http_stats_add(w);
    if (w->server->config.log_form != HTTP_LOG_OFF)
        http_log(w);
}

static bool refuse(struct http_work *w, int status, const char *why)
{
    http_response_refuse(w, status, why);
    record(w);
    http_request_close(w);
    return false;
}

/* What ends with the connection would seem to be complete: reset it. */
static void break_off(struct http_work *w)
{
    static const struct linger at_once = { .l_onoff = 1 };

    w->dead = true;
    if (w->res.streaming && !w->res.chunked && !w->res.bodiless)
        (void)setsockopt(net_fd(w->conn), SOL_SOCKET, SO_LINGER, &at_once,
                         sizeof at_once);
}

/* Without an answer, or in the middle of it: the client sees that. */
static bool drop(struct http_work *w)
{
    http_response_drop(w);
    record(w);
    http_request_close(w);
    return false;
}

/* ---- The head --------------------------------------------------------------
 */

/* Between requests old clients send an empty line more.  It is no reason to
 * hold buffers; the parser goes on counting behind it. */
static bool only_empty_lines(const struct http_work *w)
{
    uint32_t len = w->end - w->at;

    for (uint32_t i = w->at; i + 1 < w->end; i += 2)
        if (w->in[i] != '\r' || w->in[i + 1] != '\n')
            return false;
    return len % 2 == 0;
}

/* More bytes behind those of the head; 1, 0 when there is nobody to answer, -1
 * once it was refused. */
static int read_more(struct http_work *w, int64_t deadline)
{
    ssize_t n;

    if (w->at > 0) {
        memmove(w->in, w->in + w->at, w->end - w->at);
        w->end -= w->at;
        w->at = 0;
    }
    if (w->end == NET_BUFFER_BYTES)
        return refuse(w, 431, "the head is too long") - 1;
    n = net_read(w->conn, w->in + w->end, NET_BUFFER_BYTES - w->end, deadline);
    if (n > 0) {
        w->end += (uint32_t)n;
        w->now = http_now();
        return 1;
    }
    if (n < 0 && errno == ETIMEDOUT)
        return refuse(w, 408, NULL) - 1;
    return 0;
}

/* 1 with a head, 0 without, -1 once it was refused. */
static int read_head(struct http_work *w)
{
    struct http_head *h = &w->head;
    int64_t deadline = 0;

    http_head_start(h);
    h->empty_lines = w->peer->empty_lines;
    for (;;) {
        ssize_t n = http_parse_request(h, w->in + w->at, w->end - w->at);
        int r;

        if (__builtin_expect(n > 0, 1)) {
            w->peer->empty_lines = 0;
            w->base = w->in + w->at;
            w->at += (uint32_t)n;
            return 1;
        }
        if (n < 0)
            return refuse(w, h->error, h->why) - 1;
        if (only_empty_lines(w)) {
            w->peer->empty_lines = h->empty_lines;
            w->at = w->end;
            return 0;
        }
        if (http_flush(w) < 0)
            return 0;
        /* Not in the middle of the area, which was sent. */
        http_response_open(w);
        if (deadline == 0)
            deadline = http_now() + w->server->config.head_timeout;
        if ((r = read_more(w, deadline)) <= 0)
            return r;
    }
}

/* ---- A request -------------------------------------------------------------
 */

/* Answers from the table. */
__attribute__((noinline)) static int no_route(struct http_work *w)
{
    bool all = w->head.form == HTTP_ASTERISK;
    char allow[ROUTE_ALLOW_MAX];
    size_t n;

    if (w->head.method_id == HTTP_CONNECT)
        return 501;
    n = http_router_allow(w->server->router, all ? NULL : w->req.path,
                          w->head.path.len, allow);
    if (n == 0)
        return 404;
    if (http_set_header(&w->res, "Allow", allow) < 0)
        return 500;
    return w->head.method_id == HTTP_OPTIONS ? 204 : 405;
}

static int run_handlers(struct http_work *w)
{
    http_handler *const *before = w->server->config.before;
    int status = 0;

    for (; before != NULL && *before != NULL && status == 0; before++)
        status = (*before)(&w->req, &w->res);
    if (status != 0)
        return status;
    if (__builtin_expect(w->match.route == NULL, 0))
        return no_route(w);
    return w->match.route->handler(&w->req, &w->res);
}

/* Within the handler's time.  *refused becomes the status of a limit that was
 * the reason for an answer that is none; 0 otherwise. */
static int run(struct http_work *w, int *refused)
{
    int64_t old;
    bool late;
    int status;

    w->owner = co_self();
    w->limit = w->now + w->server->config.handler_timeout;
    old = co_limit_deadline(w->limit);
    status = run_handlers(w);
    w->owner = NULL;
    (void)co_hold_cancel(false); /* if it left that behind */
    co_restore_deadline(old);
    late = __builtin_expect(status < 0 || status == 500, 0) &&
           co_now() >= w->limit;
    w->limit = CO_NOWAIT;
    *refused = 0;
    if (w->res.streaming)
        return status;
    if (__builtin_expect(w->body_error != 0, 0) && status < 0)
        *refused = w->body_error;
    else if (__builtin_expect(late, 0))
        *refused = 503;
    return status;
}

/* What keeps a request from its handler; 0: nothing. */
static int open_request(struct http_work *w)
{
    const struct http_route *route;
    int status = http_request_open(w);

    if (status != 0)
        return status;
    (void)http_router_find(w->server->router,
                           (enum http_method)w->head.method_id, w->req.method,
                           w->req.path, w->head.path.len, &w->match);
    route = w->match.route;
    w->req.arg = route == NULL ? NULL : route->arg;
    w->body_max = route == NULL || route->body_max == 0
                      ? w->server->config.body_max
                      : route->body_max;
    http_body_open(w);
    w->opened = true;
    if (w->head.expect == HTTP_EXPECT_UNKNOWN)
        return 417;
    if (w->req.content_length > 0 &&
        (uint64_t)w->req.content_length > w->body_max)
        return 413;
    return 0;
}

/* Whether the connection goes on. */
static bool answer(struct http_work *w)
{
    const struct http_config *config = &w->server->config;
    struct http_response *res = &w->res;
    int status, refused;

    w->peer->served++;
    if (config->log_form == HTTP_LOG_JSON || http_measures(w->server))
        w->begun = co_now();
    status = open_request(w);
    if (__builtin_expect(status != 0, 0))
        return refuse(w, status, NULL);
    status = run(w, &refused);
    if (__builtin_expect(refused != 0, 0))
        return refuse(w, refused, NULL);
    if (__builtin_expect(res->streaming, 0) &&
        (status < 0 || res->failed || w->dead))
        break_off(w);
    if (__builtin_expect(status < 0, 0))
        return drop(w);
    /* A head that was sent keeps its word. */
    if ((!res->streaming && http_last_one(w)) || !http_body_can_skip(w))
        res->close = true;
    http_response_close(w, status);
    record(w);
    if (res->close) /* who wanted to go on may have sent more already */
        w->linger = !w->body_done || w->at < w->end || w->head.keep_alive;
    http_request_close(w);
    if (!res->close && !w->body_done && http_body_skip(w) < 0)
        res->close = w->linger = true;
    return !res->close && !w->dead;
}

static bool request(struct http_work *w)
{
    int r;

    if (w->in != w->head_buf) {
        net_buffer_put(w->head_buf);
        w->head_buf = w->in;
    }
    if (w->room - w->out < HTTP_ROOM_MIN && http_flush(w) < 0)
        return false;
    http_response_open(w);
    w->req.method = "";
    w->req.host = w->target = "";
    w->begun = 0;
    w->opened = false;
    r = read_head(w);
    if (__builtin_expect(r <= 0, 0))
        return r == 0 && w->at == w->end && !w->dead;
    return answer(w);
}

/* ---- The connection --------------------------------------------------------
 */

static void open_work(struct http_work *w, struct http_peer *p, char *in,
                      size_t len)
{
    const struct http_config *config = &p->server->config;

    w->server = p->server;
    w->peer = p;
    w->conn = p->conn;
    w->req.app = config->app;
    w->req.conn = p->conn;
    w->now = http_now();
    w->dead = w->linger = false;
    w->limit = CO_NOWAIT;
    w->owner = NULL;
    w->in = w->head_buf = in;
    w->at = 0;
    w->end = (uint32_t)len;
    w->head.fields = w->fields;
    w->head.fields_max = config->head_fields;
    w->head.target_max = config->target_bytes;
    w->head.bytes_max = config->head_bytes;
    w->area = (char *)(w->fields + config->head_fields);
    w->room = (uint32_t)(NET_BUFFER_BYTES - (w->area - (char *)w)) & ~15u;
    w->arena = w->room;
    w->out = 0;
    w->blocks = NULL;
    w->ends = NULL;
}

/* Answers what came.  Whether the connection goes on. */
__attribute__((noinline)) static bool work(struct http_peer *p, size_t len)
{
    char *in = net_take(p->conn);
    struct http_work *w = net_buffer_get();
    bool keep, lingers;

    if (w == NULL) {
        net_buffer_put(in);
        http_turn_away(p->conn);
        return false;
    }
    open_work(w, p, in, len);
    http_count(&p->home->counters.begun, 1);
    do
        keep = request(w);
    while (keep && w->at < w->end);
    if (http_flush(w) < 0)
        keep = false;
    http_count(&p->home->counters.paused, 1);
    lingers = w->linger && !w->dead;
    p->now = w->now;
    if (w->head_buf != w->in)
        net_buffer_put(w->head_buf);
    net_buffer_put(w->in);
    net_buffer_put(w);
    if (lingers)
        http_linger(p->conn);
    return keep;
}

static int64_t idle_until(const struct http_peer *p)
{
    if (!atomic_load_explicit(&p->server->stopping, memory_order_relaxed))
        return p->now + p->server->config.idle_timeout;
    /* An answer that was made just before said that the next may come. */
    return http_now() +
           (p->served > 0 ? HTTP_NEXT_AFTER_STOP : HTTP_FIRST_AFTER_STOP);
}

/* A client that is silent for longer is an idle one. */
#define SILENT CO_SECOND

/* Waits for the next request.  What the stack was used for by handlers is given
 * back, but not between requests that come one after the other. */
static ssize_t wait_idle(struct http_peer *p)
{
    int64_t deadline = idle_until(p), soon = p->now + SILENT;
    const void *data;
    ssize_t n;

    p->idle = true;
    p->waited = p->served;
    p->slept = co_sys_turn();
    n = net_next(p->conn, &data, deadline < soon ? deadline : soon);
    if (n < 0 && errno == ETIMEDOUT && soon < deadline) {
        co_sys_trim();
        n = net_next(p->conn, &data, deadline);
    }
    p->idle = false;
    return n;
}

static struct http_home *home_of(struct http_server *s)
{
    struct co_sched *self = co_sched_self();
    struct http_home *home = s->homes;

    while (home->sched != self)
        home++;
    return home;
}

void http_conn(struct net_conn *c, void *server)
{
    struct http_server *s = server;
    struct http_home *home = home_of(s);
    struct http_peer p = {
        .server = s, .home = home, .conn = c, .now = http_now()
    };
    ssize_t n;

    http_count(&home->counters.accepted, 1);
    if (atomic_fetch_add(&s->conns, 1) >= s->config.max_conns) {
        (void)atomic_fetch_sub(&s->conns, 1);
        http_count(&home->counters.turned_away, 1);
        if (atomic_fetch_add(&s->turned_away, 1) < TURNED_AWAY_MAX)
            http_turn_away(c);
        (void)atomic_fetch_sub(&s->turned_away, 1);
        return;
    }
    list_push(&home->peers, &p.link);
    do
        n = wait_idle(&p);
    while (n > 0 && work(&p, (size_t)n));
    list_remove(&p.link);
    (void)atomic_fetch_sub(&s->conns, 1);
}
