/* http_server.h - a connection at work.
 *
 * Private to net/.  Two pooled buffers are held while a connection has work,
 * none while it waits for a request.  Into one the bytes arrive; the other is
 * struct http_work and behind it the area: finished answers from its beginning,
 * the body of the answer being made behind them, memory of http_alloc() from
 * its end downwards.
 *
 *     area:  answers | gap for a head | body ->       <- memory of the request
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include "co/list.h"
#include "net/http.h"
#include "net/http_parse.h"
#include "net/http_route.h"
#include <errno.h>
#include <stdatomic.h>

enum {
    HTTP_GAP = 256,        /* for a head with nothing unusual in it */
    HTTP_ARENA_MAX = 4096, /* of the area; more is allocated */
    HTTP_LINES_MAX = 8192, /* bytes of fields that handlers set */
    HTTP_FIELDS_MAX = 128,
    HTTP_ROOM_MIN = 8192,       /* of the area, when a request begins */
    HTTP_DRAIN_MAX = 64 * 1024, /* of a body that nobody read */
    HTTP_PIECE = NET_PACE,      /* what a client sends or takes in its time */
    HTTP_NUMBER_MAX = 21        /* digits and a sign */
};

/* After a stop, the first request of a client that was just accepted has this
 * long to arrive, and the next one of a client that was not told before. */
#define HTTP_FIRST_AFTER_STOP CO_SECOND
#define HTTP_NEXT_AFTER_STOP (200 * CO_MSEC)

struct http_server {
    struct http_config config; /* without zeros */
    size_t server_len;         /* of config.server */
    struct http_router *router;
    struct net_listener *listener;
    struct co *worker;   /* runs net_serve() */
    int result, err;     /* of it */
    atomic_bool measure; /* the times of requests */
    atomic_bool stopping;
    atomic_uint conns;
    atomic_uint turned_away; /* beyond max_conns, and being told so */
    unsigned count;          /* schedulers */
    struct http_home *homes; /* one for each */
};

/* What has happened.  Each is written by one scheduler with http_count(). */
struct http_counters {
    atomic_ulong by_class[6]; /* of statuses; the first of none */
    atomic_ulong bytes_out;
    atomic_ulong accepted, turned_away;
    atomic_ulong begun, paused; /* work on connections */
    atomic_ulong time_sum;
    atomic_ulong times[HTTP_TIMES];
};

struct http_home { /* what a scheduler has, on cache lines of its own */
    /* Only it touches the list. */
    _Alignas(64) struct list peers;
    struct http_server *server;
    struct co_sched *sched;
    struct co *closer; /* while it stops */
    struct http_counters counters;
};

/* By the scheduler that has the counter; others may read it meanwhile. */
static inline void http_count(atomic_ulong *counter, unsigned long n)
{
    unsigned long old = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, old + n, memory_order_relaxed);
}

struct http_peer { /* on the stack of a connection */
    struct list link;
    struct http_server *server;
    struct http_home *home;
    struct net_conn *conn;
    bool idle;           /* holds no buffer, waits for a request */
    int64_t now;         /* http_now() when its last answer left */
    uint8_t empty_lines; /* since the last request */
    unsigned served;
    unsigned waited; /* served when it began to wait for a request, */
    uint64_t slept;  /* and co_sys_turn() */
};

struct http_line { /* of a head, in the request's memory */
    struct http_line *next;
    uint32_t len;
    uint32_t name_len;
    char text[]; /* "Name: value\r\n" */
};

struct http_part { /* of a body, that stands elsewhere; in the request's memory
                    */
    struct http_part *next;
    const void *data; /* NULL: of a file */
    int fd;
    off_t offset;
    uint64_t len;
    void (*done)(void *arg); /* or NULL */
    void *arg;
};

enum http_type {
    HTTP_TYPE_NONE,
    HTTP_TYPE_TEXT,
    HTTP_TYPE_BYTES,
    HTTP_TYPE_SET
};

struct http_response {
    struct http_line *lines;
    struct http_line **lines_end;
    uint32_t lines_len;
    uint8_t type;   /* enum http_type */
    bool close;     /* the last one of the connection */
    bool streaming; /* the head is sent */
    bool page;      /* config.error makes it */
    bool chunked;
    bool failed;     /* a part of the body is missing */
    bool bodiless;   /* streaming, to HEAD or with such a status */
    uint16_t status; /* that was sent */
    char *body;
    size_t body_len;
    size_t body_room;
    char *big;               /* allocated, when the area was too small */
    struct http_part *parts; /* behind the body */
    struct http_part **parts_end;
    uint64_t parts_len;
    const char *fixed; /* lines that are ready-made, behind the others */
    uint32_t fixed_len;
    uint64_t sent; /* of the body, for the log */
};

struct http_work {
    struct http_request req;
    struct http_response res;
    struct http_server *server;
    struct http_peer *peer;
    struct net_conn *conn;
    int64_t now;   /* http_now() when the last answer was made, or bytes came */
    int64_t begun; /* co_now() at the request, if anybody wants to know */
    int64_t limit; /* of the handler that runs; 0: none does */
    struct co *owner; /* the only one that makes answers; NULL between them */
    bool opened;      /* the request is more than a head that was refused */
    bool dead;        /* no more answers can be sent */
    bool linger;      /* bytes may be left that were not read */

    /* Input.  The head may stand in another buffer than the body. */
    char *in;
    uint32_t at, end; /* what was not consumed */
    char *head_buf;   /* holds base; == in, or another one */
    char *base;       /* the head's first byte */
    struct http_head head;

    /* The body. */
    struct http_chunked chunked;
    uint64_t left;    /* of a body with a length */
    int64_t patience; /* ns of waiting for it left */
    uint32_t since;   /* bytes that came since that was all */
    uint64_t taken;   /* of a chunked one */
    uint64_t body_max;
    const char *piece; /* of a chunked one, decoded but not taken */
    size_t piece_len;
    bool body_done;
    bool continued; /* the client need not be told to go on */
    int body_error; /* the status for it; 0: none */
    int body_errno;

    /* Output and memory. */
    char *area;
    uint32_t out;   /* answers to send */
    uint32_t arena; /* where the request's memory begins */
    uint32_t room;  /* bytes of area */
    struct http_block *blocks;
    struct http_end *ends; /* what is to be done when the request is over */
    const char *target;    /* as it came, for the log */
    struct http_match match;
    _Alignas(16) struct http_field fields[]; /* as the area behind them */
};

struct http_block { /* what did not fit into the area */
    struct http_block *next;
    _Alignas(16) char data[];
};

struct http_end { /* of http_on_end(), in the request's memory */
    struct http_end *next;
    void (*fn)(void *arg);
    void *arg;
};

static inline struct http_work *http_work_of(struct http_request *req)
{
    return container_of(req, struct http_work, req);
}

static inline struct http_work *http_work_of_response(struct http_response *res)
{
    return container_of(res, struct http_work, res);
}

/* The room of a body that stands in the area: up to the request's memory, and
 * no more than an answer may have; none once something was lent. */
static inline void http_response_fit(struct http_work *w)
{
    size_t room = (size_t)(w->area + w->arena - w->res.body);

    w->res.body_room = room < w->server->config.answer_max
                           ? room
                           : w->server->config.answer_max;
    if (__builtin_expect(w->res.parts != NULL, 0))
        w->res.body_room = w->res.body_len;
}

/* http_request.c: the strings of a request whose head was parsed.  0, or the
 * status to refuse it with. */
int http_request_open(struct http_work *w);
/* Runs what is to be done at its end, and frees its memory. */
void http_request_close(struct http_work *w);

/* n in digits; how many. */
static inline size_t http_put_number(char *p, uint64_t n)
{
    char digits[20];
    size_t i = sizeof digits;

    do
        digits[--i] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    memcpy(p, digits + i, sizeof digits - i);
    return sizeof digits - i;
}

/* Answers are made by the handler's coroutine, as long as it runs: a late write
 * would stand in somebody else's.  -1 with EBADF. */
static inline int http_response_check(struct http_response *res)
{
    if (__builtin_expect(http_work_of_response(res)->owner == co_self(), 1))
        return 0;
    errno = EBADF;
    return -1;
}

/* http_body.c */
void http_body_open(struct http_work *w);
/* False while the client waits for a word whether to send it: it may send or
 * leave it out when it gets another answer. */
bool http_body_announced(const struct http_work *w);
/* Whether the connection can go on behind it, as far as is known now. */
bool http_body_can_skip(const struct http_work *w);
/* Reads and drops what is left; -1 when that is too much. */
int http_body_skip(struct http_work *w);
/* Whether bytes have come behind it; false where its end is not known yet. */
bool http_body_followed(const struct http_work *w);

/* Whether the connection ends with the answer to this request.  When the server
 * stops, what was read is still answered, so requests that came together end
 * together. */
static inline bool http_last_one(const struct http_work *w)
{
    bool stopping =
        atomic_load_explicit(&w->server->stopping, memory_order_relaxed);

    return !w->head.keep_alive ||
           w->peer->served >= w->server->config.max_requests ||
           (__builtin_expect(stopping, 0) && !http_body_followed(w));
}

/* http_response.c */
void http_response_open(struct http_work *w);
/* Room for len bytes more of its body; 0 or -1. */
int http_response_grow(struct http_response *res, size_t len);
/* Puts the answer behind the others, or sends it if it is large. */
void http_response_close(struct http_work *w, int status);
void http_response_drop(struct http_work *w); /* frees what it holds */
/* The answer is an error and the last one. */
void http_response_refuse(struct http_work *w, int status, const char *why);
/* Within the write time-out from w->now on.  -1: the connection is dead. */
int http_flush(struct http_work *w);

/* http_lend.c */
void http_parts_drop(struct http_response *res);
/* Makes of what is lent and small a part of the body. */
void http_parts_copy(struct http_work *w);
/* Sends the answers, and the parts behind them. */
void http_parts_send(struct http_work *w);

/* http_fields.c */
bool http_value_valid(const char *value);
void http_fields_remove(struct http_response *res, const char *name);
/* In the place of the fields of that name whose values begin with prefix, which
 * go when the new one is certain. */
int http_fields_replace(struct http_response *res, const char *name,
                        const char *prefix, const char *value);

/* http_stream.c */
/* Around a wait for the client: progress says whether it did anything. */
int64_t http_limit_lift(struct http_work *w);
void http_limit_back(struct http_work *w, int64_t old, bool progress);
int http_stream_write(struct http_work *w, const char *buf, size_t len);
void http_stream_close(struct http_work *w);
/* Within the write time-out, and not the handler's.  -1: the connection is
 * dead. */
int http_send(struct http_work *w, struct net_message *m);

/* http_head.c: heads.  http_head_bound() is at least as many bytes as
 * http_head_format() writes; length is -1 for a body that is not counted. Reads
 * the clock. */
bool http_status_final(int status);
bool http_status_bodiless(int status);
size_t http_head_bound(const struct http_work *w);
size_t http_head_format(struct http_work *w, char *p, int status,
                        int64_t length);
/* "404 Not Found\n"; the number of bytes. */
size_t http_error_text(char *buf, size_t size, int status, const char *why);

static inline bool http_measures(const struct http_server *s)
{
    return atomic_load_explicit(&s->measure, memory_order_relaxed);
}

/* http_stats.c: a request is over.  And in which of times[] it counts. */
void http_stats_add(struct http_work *w);
unsigned http_stats_place(int64_t ns);

/* http_log.c */
void http_log(struct http_work *w);
/* What went wrong with the answer to this request: errno err, of what was not
 * the client's doing too. */
void http_fault(struct http_work *w, const char *what, int err);

/* http_close.c */
void http_linger(struct net_conn *c);
void http_turn_away(struct net_conn *c);
/* Ends the idle connections of a struct http_home, a coroutine there. */
void http_close_idle(void *home);

/* http_conn.c: a connection, for net_serve(). */
void http_conn(struct net_conn *c, void *server);

#endif
