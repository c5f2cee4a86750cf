/* of_http.c - scenarios of the HTTP server: what fails costs an answer or a
 * connection, and nobody else's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_debug.h"
#include "net/http_listing.h"
#include "net/http_process.h"
#include "tests/fault/web.h"
#include <fcntl.h>

enum { LARGE = 40000, HEAD_PAD = 15800, HOST_PAD = 5000 };

static atomic_long lines;

static void count_line(void *app, const char *line, size_t len)
{
    (void)app;
    CHECK(len > 0);
    CHECK(memchr(line, '[', len) != NULL);
    atomic_fetch_add(&lines, 1);
}

/* An answer that outgrows the buffer, and memory that does. */
static int large(struct http_request *req, struct http_response *res)
{
    char *big = http_alloc(req, LARGE);

    if (big == NULL)
        return 503;
    memset(big, 'x', LARGE);
    return http_write(res, big, LARGE) < 0 ? 503 : 200;
}

static int stream(struct http_request *req, struct http_response *res)
{
    (void)req;
    return http_stream(res, 200) < 0 || http_printf(res, "%01000d", 0) < 0
               ? -1
               : 200;
}

static int echo(struct http_request *req, struct http_response *res)
{
    char buf[16];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, SOON)) > 0)
        if (http_write(res, buf, (size_t)n) < 0)
            return -1;
    return n < 0 ? -1 : 200;
}

/* Of this folder, which has a file of this name. */
static int list(struct http_request *req, struct http_response *res)
{
    int fd =
        open(FAULT_ROOT "/tests/fault", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    return http_listing(req, res, fd, 0);
}

static const struct http_route routes[] = {
    { "GET", "/list/", list, NULL, 0 },
    { "GET", "/large", large, NULL, 0 },
    { "GET", "/stream", stream, NULL, 0 },
    { "POST", "/echo/:name", echo, NULL, 0 },
    HTTP_DEBUG_ROUTES,
    { 0 },
};

static const struct http_config config = { .routes = routes,
                                           .log_form = HTTP_LOG_COMMON,
                                           .log = count_line };

/* Its head leaves no room for the body in its buffer. */
static void ask_with_long_head(const char *addr)
{
    static char text[HEAD_PAD + 1000];

    (void)snprintf(text, sizeof text,
                   "POST /echo/you HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                   "Expect: 100-continue\r\nX: %0*d\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\n3;x=%0500d\r\ndef\r\n3\r\nghi\r\n0\r\n\r\n",
                   HEAD_PAD, 0, 0);
    web_ask(addr, text, "abcdefghi");
}

/* The log has a copy of it, and the request one of its host. */
static void ask_with_long_target(const char *addr)
{
    static char text[LARGE];

    (void)snprintf(text, sizeof text, "GET http://%0*d/%0*d HTTP/1.0\r\n\r\n",
                   HOST_PAD, 1, 2000, 1);
    web_ask(addr, text, "404 Not Found");
}

static void ask_all(const char *addr)
{
    web_ask(addr, "GET /large HTTP/1.0\r\n\r\n", "xxxx");
    web_ask(addr, "GET /stream HTTP/1.0\r\n\r\n", "0000");
    web_ask(addr, "GET /list/ HTTP/1.0\r\n\r\n", ">of_http.c<");
    web_ask(addr, "GET /none HTTP/1.0\r\n\r\n", "404 Not Found");
    ask_with_long_head(addr);
    ask_with_long_target(addr);
}

/* What cannot be looked at is left out. */
static void ask_inside(const char *addr)
{
    web_ask(addr, "GET /metrics HTTP/1.0\r\n\r\n", "\nprocess_cpu_seconds_");
    web_ask(addr, "GET /debug/coroutines HTTP/1.0\r\n\r\n", "http_debug");
    web_ask(addr, "GET /healthz HTTP/1.0\r\n\r\n", "\r\n\r\nok\n");
}

static void process(void)
{
    struct http_process p;

    http_process_look(&p);
    CHECK(p.cpu >= 0);
    if (!inject_fired())
        CHECK(p.fds > 0 && p.start > 0 && p.resident > 0);
}

/* Closed by the stop. */
static struct net_conn *idle;

static void leave_idle(const char *addr)
{
    static const char text[] = "GET /none HTTP/1.1\r\nHost: a\r\n\r\n";
    char buf[1000];

    idle = net_dial(addr, SOON);
    CHECK(idle != NULL);
    CHECK_EQ(net_write(idle, text, sizeof text - 1, SOON), 0);
    CHECK(net_read(idle, buf, sizeof buf, SOON) > 0);
}

static void use_http(void) { web_server(&config, ask_all); }

static void use_inside(void) { web_server(&config, ask_inside); }

static void use_idle(void)
{
    web_server(&config, leave_idle);
    net_close(idle);
}

static void http(void) { in_runtime(use_http); }
static void http_inside(void) { in_runtime(use_inside); }
static void http_idle(void) { in_runtime(use_idle); }

const struct scenario scenarios_http[] = {
    { "http", http, 0 },       { "http_inside", http_inside, 0 },
    { "process", process, 0 }, { "http_idle", http_idle, FIRST(shutdown) },
    { NULL, NULL, 0 },
};
