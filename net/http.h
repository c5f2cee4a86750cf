/* http.h - an HTTP/1.1 server.  Conventions as in co/co.h.
 *
 *     static int greet(struct http_request *req, struct http_response *res)
 *     {
 *         http_printf(res, "hello, %s\n", http_param(req, "name"));
 *         return 200;
 *     }
 *
 *     static const struct http_route routes[] = {
 *         { "GET", "/greet/:name", greet },
 *         { 0 },
 *     };
 *
 * Handlers may block: each connection is a coroutine.  One that computes
 * without waiting stalls the connections of its scheduler, and no others;
 * co_offload() is for that.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "net/net.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

/* The answer that a handler makes, by the functions below. */
struct http_response;

struct http_request { /* public; strings live until the handler ends */
    const char *method;
    const char *path;  /* decoded, without the query, "." and ".." */
    const char *query; /* after '?', as it came, or "" */
    const char *host;  /* host[:port] that was asked for; "" when unknown */
    int minor;         /* of the client's version: HTTP/1.0 or 1.1 */
    int64_t content_length; /* 0 without a body, -1 for a chunked one */
    void *app;              /* as given in the config */
    const void *arg;        /* the route's */
    struct net_conn *conn;  /* borrowed; read and written by these functions */
};

/* A name and its value: in queries and forms (http_form.h), of cookies
 * (http_cookie.h). */
struct http_pair { /* public */
    const char *name;
    const char *value;
};

/* The status to send, with what was written to res as the body; an error
 * without a body gets a line of text.  Below zero drops the connection.  After
 * http_stream() the status is ignored.  What is no final status becomes 500. */
typedef int http_handler(struct http_request *req, struct http_response *res);

struct http_route {      /* public; the table ends with all zero */
    const char *method;  /* "GET" also answers HEAD; NULL any */
    const char *pattern; /* "/users/:id", "/static/" + rest with "*" */
    http_handler *handler;
    const void *arg;   /* req->arg */
    uint64_t body_max; /* instead of the config's */
};

/* Among the routes that match, a word stands before ":name", and that before
 * "*", from left to right; then the earlier in the table.  A slash in the path
 * separates also when it came as %2F.  No route: 404, or 405 with Allow when
 * there is one for another method; OPTIONS is answered from the table, too. */

enum { /* of http_config.log_form */
       HTTP_LOG_OFF,
       HTTP_LOG_COMMON, /* host - - [date] "request" status bytes */
       HTTP_LOG_JSON    /* an object a line, with the time it took */
};

struct http_config { /* public; zero means the default */
    const struct http_route *routes;
    http_handler *const *before; /* each request, in turn, until one returns
                                    other than 0, which answers it; ends with
                                    NULL */
    void *app;
    const char *server; /* the field Server; none */
    /* Writes the body of an error that has none, instead of a line of text; for
     * requests whose head is right.  It may not wait, nor stream. */
    void (*error)(struct http_request *req, struct http_response *res,
                  int status);

    /* What is beyond a limit is answered, and the connection closed. */
    uint32_t head_bytes;   /* 16 KiB of field lines, and with the first line at
                              most: 431 */
    uint32_t head_fields;  /* 100, at most 128: 431 */
    uint32_t target_bytes; /* 8 KiB: 414 */
    uint64_t body_max;     /* 1 MiB: 413 */
    size_t answer_max;     /* of an answer that is not streamed; 16 MiB */
    unsigned max_conns;    /* 20,000: 503 */
    unsigned max_requests; /* of one connection; 100,000 */

    /* In ns; CO_FOREVER: none. */
    int64_t head_timeout;    /* for a head, from its first byte; 10 s: 408 */
    int64_t body_timeout;    /* for 64 KiB more of a body; 30 s: 408 */
    int64_t write_timeout;   /* until the client takes 64 KiB; 30 s */
    int64_t handler_timeout; /* since the request or the last byte to or from
                                the client; then what the handler waits for
                                fails: 503 unless it answers otherwise; 30 s */
    int64_t idle_timeout;    /* between requests; 60 s */

    /* The access log: a line a request, without its end, to log or else to
     * log_fd (1 unless given), written when the answer is made.  Who reads that
     * too slowly delays the clients: while it takes no more, each line is
     * waited for up to write_timeout, after the answer was sent, and then lost.
     */
    int log_form;
    int log_fd;
    void (*log)(void *app, const char *line, size_t len);
    /* Why an answer broke off while lent parts or a file were sent, and what
     * else kept a file from being served: a line, without its end.  Without it
     * such lines go to descriptor 2, if there is an access log. */
    void (*fault)(void *app, const char *line, size_t len);

    bool measure; /* the times of http_stats(); on when http_debug_metrics() is
                     among the routes */
};

/* Takes l as net_serve() does, and returns as it does; borrows config and what
 * it points to.  Once cancelled, closes idle connections and finishes requests
 * that have begun within the listener's grace.  EINVAL for a config or a
 * pattern that is none.  [waits] */
int http_serve(struct net_listener *l, const struct http_config *config);

/* ---- Requests --------------------------------------------------------------
 */

/* Memory that lives as long as the request, aligned for anything; NULL +
 * ENOMEM. */
void *http_alloc(struct http_request *req, size_t size);

/* Calls fn(arg) when the request is over, however it ended: handled, failed,
 * dropped, timed out, cancelled.  Those of one request run in reverse order, on
 * its coroutine, after its answer was made and logged; a small answer leaves
 * after them.  They cannot write to it.  They may wait, with deadlines of their
 * own, since cancel is held off.  -1 with ENOMEM: fn will not be called. */
int http_on_end(struct http_request *req, void (*fn)(void *arg), void *arg);

/* The value of the first field of that name, in any case; NULL without one. */
const char *http_header(struct http_request *req, const char *name);

/* The i-th field, 0 or -1 behind the last. */
int http_header_at(struct http_request *req, unsigned i, const char **name,
                   const char **value);

/* What ":name" matched, "*" the rest.  NULL when the route has none such. */
const char *http_param(struct http_request *req, const char *name);

/* What has come of the body, len bytes at most; 0 at the end.  Nothing is read
 * ahead of it.  EMSGSIZE beyond the limit, EBADMSG for broken chunks,
 * ECONNRESET when the client left, and those of net_read().  [waits] */
ssize_t http_body(struct http_request *req, void *buf, size_t len,
                  int64_t deadline);

/* ---- Responses -------------------------------------------------------------
 *
 * Only the coroutine that runs the handler makes its answer: others get EBADF
 * while it runs.  Once it has returned, neither req nor res may be used.
 */

/* set replaces, and an empty value removes; add is for fields that may stand
 * there twice, as Set-Cookie.  EINVAL for what is no name or no value, and for
 * those that the server sets itself (Content-Length, Transfer-Encoding, Date,
 * Connection but for "close"), and once streaming; EMSGSIZE beyond 8 KiB,
 * ENOMEM. */
int http_set_header(struct http_response *res, const char *name,
                    const char *value);
int http_add_header(struct http_response *res, const char *name,
                    const char *value);

/* Append to the body.  text and printf set text/plain; charset=utf-8, write
 * application/octet-stream, unless Content-Type was set.  0 or -1; EMSGSIZE
 * past the limit, ENOMEM: then a part is missing, and an error is answered, 500
 * unless the handler returns one.  Once streaming, they send; EPIPE when the
 * client is gone or too slow.  [waits] */
int http_text(struct http_response *res, const char *text);
int http_printf(struct http_response *res, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int http_write(struct http_response *res, const void *buf, size_t len);

/* Appends to the body what stands elsewhere: len bytes at data, or of the file
 * fd from offset, which is borrowed.  It has to stay as it is until done(arg)
 * is called (NULL: until the request is over), so done may free or close it.
 * That happens once, on the request's coroutine, when it was sent or will not
 * be; also when this fails, before it returns.  Nothing but these two may
 * append behind it, and http_config.answer_max does not count it.  A file that
 * ends early, or cannot be read, ends the connection, and http_config.fault is
 * told.  0, or -1: EINVAL when streaming, in an error page, or for an offset
 * below 0; ENOMEM: then an error is answered. */
int http_lend(struct http_response *res, const void *data, size_t len,
              void (*done)(void *arg), void *arg);
int http_sendfile(struct http_response *res, int fd, off_t offset, uint64_t len,
                  void (*done)(void *arg), void *arg);

/* Sends the head now and each later http_write() as a chunk (to HTTP/1.0 as it
 * is).  EINVAL when there is a body already, or streaming, or for what is no
 * final status.  [waits] */
int http_stream(struct http_response *res, int status);

/* ---- Counters --------------------------------------------------------------
 */

enum { HTTP_TIMES = 122 }; /* intervals of http_stats_time() */

struct http_stats {       /* public; totals since http_serve() began */
    uint64_t requests;    /* that are over */
    uint64_t by_class[6]; /* of them: [2] with a status of 200 to 299, up to
                             [5]; [0] left without an answer */
    uint64_t bytes_out;   /* of their answers' bodies */
    uint64_t accepted;    /* connections */
    uint64_t conns;       /* that are open now */
    uint64_t idle;        /* of them, about, wait for a request */
    uint64_t turned_away; /* connections beyond max_conns */
    uint64_t time_sum;    /* ns that requests took, from the end of their head
                             to that of their answer; with config.measure */
    uint64_t times[HTTP_TIMES]; /* how many took less than http_stats_time(i),
                                   and not less than the one before */
};

/* Those of the server that runs req's handler, as its schedulers left them:
 * sums of what they count on their own, without a lock. */
void http_stats(struct http_request *req, struct http_stats *out);

/* In ns: 100, 120, 140, 160, 180, 200, 250, 300, 350, 400, 500, 600, 700, 800,
 * 900, 1,000, 1,200 and so on until 10 s; CO_FOREVER for the last. */
int64_t http_stats_time(unsigned i);

/* In ns: so many of the requests (share: 0.99 of them) took no longer, as far
 * as times[] tells.  0 when there are none, CO_FOREVER when it was 10 s or
 * more.  Differences of two http_stats() serve for what happened in between. */
int64_t http_stats_quantile(const struct http_stats *s, double share);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
