/* http_response_test.c - what a handler sees and what it answers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static int failures[16];

static int echo_fields(struct http_request *req, struct http_response *res)
{
    const char *name, *value;
    unsigned i = 0;

    for (; http_header_at(req, i, &name, &value) == 0; i++)
        CHECK_EQ(http_printf(res, "%s=%s;", name, value), 0);
    value = http_header(req, "x-ONE");
    CHECK_EQ(http_printf(res, "%u,%s,%s", i, value == NULL ? "-" : value,
                         http_header(req, "none") == NULL ? "-" : "?"),
             0);
    return 200;
}

static int set_fields(struct http_request *req, struct http_response *res)
{
    static const char *const bad[][2] = {
        { "Content-Length", "1" },
        { "transfer-encoding", "chunked" },
        { "Date", "x" },
        { "Connection", "upgrade" },
        { "a b", "x" },
        { "", "x" },
        { "a:", "x" },
        { "X", "a\r\nY: b" },
        { "X", "a\nb" },
        { "X", "\x7f" },
    };

    (void)req;
    for (int i = 0; i < 10; i++) {
        errno = 0;
        failures[i] = http_set_header(res, bad[i][0], bad[i][1]) < 0 &&
                      http_add_header(res, bad[i][0], bad[i][1]) < 0 &&
                      errno == EINVAL;
    }
    CHECK_EQ(http_set_header(res, "X-A", "1"), 0);
    CHECK_EQ(http_set_header(res, "x-a", "2"), 0);
    CHECK_EQ(http_add_header(res, "Set-Cookie", "a=b"), 0);
    CHECK_EQ(http_add_header(res, "Set-Cookie", "c=d"), 0);
    CHECK_EQ(http_set_header(res, "X-Gone", "1"), 0);
    CHECK_EQ(http_set_header(res, "X-Gone", ""), 0);
    CHECK_EQ(http_set_header(res, "Content-Type", "text/html"), 0);
    CHECK_EQ(http_text(res, "<p>"), 0);
    return 201;
}

/* What could not be replaced is as it was. */
static int kept_fields(struct http_request *req, struct http_response *res)
{
    static char value[9000];

    (void)req;
    memset(value, 'v', 5000);
    CHECK_EQ(http_set_header(res, "X-Kept", "1"), 0);
    CHECK_EQ(http_set_header(res, "X-Long", value), 0);
    CHECK_EQ(http_set_header(res, "X-Long", value), 0);
    memset(value, 'v', sizeof value - 1);
    CHECK(http_set_header(res, "X-Kept", value) < 0 && errno == EMSGSIZE);
    CHECK(http_set_header(res, "Content-Type", value) < 0);
    CHECK_EQ(http_set_header(res, "X-Long", ""), 0);
    CHECK_EQ(http_text(res, "text"), 0);
    return 200;
}

/* Its field lines are as long as they may be, and its body moves up for them.
 */
static int long_fields(struct http_request *req, struct http_response *res)
{
    char value[1001];
    int n = 0;

    CHECK_EQ(http_text(res, http_param(req, "text")), 0);
    memset(value, 'v', 1000);
    value[1000] = '\0';
    while (http_add_header(res, "X", value) == 0)
        n++;
    CHECK_EQ(errno, EMSGSIZE);
    CHECK_EQ(n, 8);
    return 200;
}

static int large(struct http_request *req, struct http_response *res)
{
    unsigned lines = (unsigned)atoi(http_param(req, "lines"));

    for (unsigned i = 0; i < lines; i++) {
        char *p = http_alloc(req, 24);

        CHECK(p != NULL);
        memset(p, 'x', 24);
        if (i % 2)
            CHECK_EQ(http_printf(res, "%07u\n", i), 0);
        else
            CHECK_EQ(http_write(res, "0123456\n", 8), 0);
        CHECK_EQ(p[0], 'x');
        CHECK_EQ(p[23], 'x');
    }
    return 200;
}

static int too_large(struct http_request *req, struct http_response *res)
{
    static const char piece[1000];
    int r;

    (void)req;
    while ((r = http_write(res, piece, sizeof piece)) == 0)
        ;
    CHECK_EQ(errno, EMSGSIZE);
    return 507;
}

static int status(struct http_request *req, struct http_response *res)
{
    if (strcmp(req->query, "text") == 0)
        CHECK_EQ(http_text(res, "text"), 0);
    return atoi(http_param(req, "status"));
}

/* What was set for another body does not stand beside an error's text. */
static int typed(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_set_header(res, "Content-Type", "image/png"), 0);
    CHECK_EQ(http_set_header(res, "X-Kept", "1"), 0);
    return atoi(http_param(req, "status"));
}

static int stream(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_set_header(res, "Content-Type", "text/x"), 0);
    CHECK_EQ(http_stream(res, atoi(http_param(req, "status"))), 0);
    CHECK_EQ(http_stream(res, 200), -1);
    CHECK_EQ(http_set_header(res, "X", "late"), -1);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(http_printf(res, "%d,", i), 0);
        CHECK_EQ(http_write(res, "", 0), 0);
    }
    return strcmp(req->query, "drop") == 0 ? -1 : 500;
}

static int first(struct http_request *req, struct http_response *res)
{
    if (strcmp(req->query, "refused") != 0)
        return 0;
    CHECK(req->app != NULL && strcmp(req->app, "app") == 0);
    CHECK_EQ(http_text(res, "no"), 0);
    return 403;
}

static http_handler *const before[] = { first, first, NULL };

static int argument(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_text(res, req->arg), 0);
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/fields", echo_fields, NULL, 0 },
    { "GET", "/set", set_fields, NULL, 0 },
    { "GET", "/kept", kept_fields, NULL, 0 },
    { "GET", "/long/:text", long_fields, NULL, 0 },
    { "GET", "/large/:lines", large, NULL, 0 },
    { "GET", "/toolarge", too_large, NULL, 0 },
    { "GET", "/status/:status", status, NULL, 0 },
    { "GET", "/stream/:status", stream, NULL, 0 },
    { "GET", "/typed/:status", typed, NULL, 0 },
    { "POST", "/arg", argument, "argument", 0 },
    { 0 },
};

static const struct http_config config = { .routes = routes,
                                           .before = before,
                                           .app = (char[]){ "app" },
                                           .server = "corten",
                                           .answer_max = 300000 };

static struct web web;
static struct client *k;

static int get(const char *path)
{
    char text[1024];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, path);
    return ask(k, text);
}

static void fields(void)
{
    CHECK_EQ(ask(k, "GET /fields HTTP/1.1\r\nX-One:  a b \r\nY:\r\n" END), 200);
    CHECK(body_is(k, "X-One=a b;Y=;Host=a;3,a b,-"));
    CHECK(strcmp(field(k, "Server"), "corten") == 0);
    CHECK_EQ(get("/set"), 201);
    for (int i = 0; i < 10; i++)
        CHECK_EQ(failures[i], 1);
    CHECK(strcmp(field(k, "x-a"), "2") == 0 && field(k, "X-A") == NULL);
    CHECK(strstr(k->head, "\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\n") !=
          NULL);
    CHECK(field(k, "X-Gone") == NULL);
    CHECK(strcmp(field(k, "Content-Type"), "text/html") == 0);
    CHECK_EQ(get("/long/text"), 200);
    CHECK(body_is(k, "text"));
    CHECK_EQ(get("/kept"), 200);
    CHECK(strcmp(field(k, "X-Kept"), "1") == 0);
    CHECK(strcmp(field(k, "Content-Type"), "text/plain; charset=utf-8") == 0);
}

/* Sizes around those of the buffers, alone and behind one another. */
static void sizes(void)
{
    static const unsigned lines[] = { 1, 900, 1600, 1700, 1900, 2048, 30000 };

    for (int i = 0; i < 7; i++) {
        char text[256];

        (void)snprintf(text, sizeof text,
                       "GET /large/%u HTTP/1.1\r\n" END
                       "GET /large/%u HTTP/1.1\r\n" END
                       "GET /long/x HTTP/1.1\r\n" END,
                       lines[i], lines[i]);
        k->len = k->consumed = 0;
        say(k, text);
        for (int twice = 0; twice < 2; twice++) {
            CHECK_EQ(answer(k), 200);
            CHECK_EQ(k->body_len, 8 * lines[i]);
            for (unsigned j = 1; j < lines[i]; j += 2)
                CHECK_EQ(strtoul(k->body + 8 * j, NULL, 10), j);
        }
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, "x"));
    }
    k->len = k->consumed = 0;
    CHECK_EQ(get("/toolarge"), 507);
}

static void statuses(void)
{
    CHECK_EQ(get("/status/204?text"), 204);
    CHECK(field(k, "Content-Length") == NULL);
    CHECK_EQ(get("/status/304?text"), 304);
    CHECK_EQ(get("/status/205?text"), 205);
    CHECK(strcmp(field(k, "Content-Length"), "0") == 0);
    CHECK_EQ(get("/status/404"), 404);
    CHECK(body_is(k, "404 Not Found\n"));
    CHECK_EQ(get("/status/404?text"), 404);
    CHECK(body_is(k, "text"));
    CHECK_EQ(get("/status/299?text"), 299);
    CHECK_EQ(get("/status/0?text"), 500);
    CHECK(body_is(k, "500 Internal Server Error\n"));
    CHECK_EQ(get("/status/101?text"), 500);
    CHECK_EQ(get("/status/600?text"), 500);
    CHECK_EQ(get("/typed/403"), 403);
    CHECK(body_is(k, "403 Forbidden\n"));
    CHECK(strstr(k->head, "image/png") == NULL);
    CHECK(field(k, "X-Kept") != NULL);
    CHECK_EQ(get("/status/200"), 200);
    CHECK(body_is(k, ""));
    CHECK(strcmp(field(k, "Content-Length"), "0") == 0);
}

static void heads(void)
{
    say(k, "HEAD /status/200?text HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    CHECK(strcmp(field(k, "Content-Length"), "4") == 0);
    say(k, "HEAD /large/30000 HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    CHECK(strcmp(field(k, "Content-Length"), "240000") == 0);
    say(k, "HEAD /stream/200 HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    say(k, "HEAD /none HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 404);
    CHECK_EQ(get("/status/200?text"), 200);
}

static void routing(void)
{
    CHECK_EQ(get("/none"), 404);
    CHECK_EQ(get("/arg"), 405);
    CHECK(strcmp(field(k, "Allow"), "POST, OPTIONS") == 0);
    CHECK_EQ(ask(k, "OPTIONS /arg HTTP/1.1\r\n" END), 204);
    CHECK(strcmp(field(k, "Allow"), "POST, OPTIONS") == 0);
    CHECK_EQ(ask(k, "OPTIONS * HTTP/1.1\r\n" END), 204);
    CHECK(strcmp(field(k, "Allow"), "GET, HEAD, POST, OPTIONS") == 0);
    CHECK_EQ(ask(k, "OPTIONS /none HTTP/1.1\r\n" END), 404);
    CHECK_EQ(ask(k, "POST /arg HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "argument"));
    CHECK_EQ(ask(k, "POST /arg?refused HTTP/1.1\r\n" END), 403);
    CHECK(body_is(k, "no"));
    CHECK_EQ(ask(k, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
                    "GET /status/200 HTTP/1.1\r\n" END),
             501);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
}

static void streams(void)
{
    char expected[512] = "";

    for (int i = 0; i < 100; i++)
        (void)sprintf(expected + strlen(expected), "%d,", i);
    CHECK_EQ(get("/stream/200"), 200);
    CHECK(strcmp(field(k, "Transfer-Encoding"), "chunked") == 0);
    CHECK(strcmp(field(k, "Content-Type"), "text/x") == 0);
    CHECK(body_is(k, expected));
    CHECK_EQ(get("/stream/204"), 204);
    CHECK(field(k, "Transfer-Encoding") == NULL);
    CHECK_EQ(get("/stream/205"), 205);
    CHECK(strcmp(field(k, "Content-Length"), "0") == 0);
    CHECK_EQ(ask(k, "GET /stream/200 HTTP/1.0\r\n"
                    "Connection: keep-alive\r\n\r\n"),
             200);
    CHECK(field(k, "Transfer-Encoding") == NULL);
    CHECK(body_is(k, expected));
    CHECK_CLOSED(k);
}

/* The client can tell that it is not all. */
static void stream_dropped(void)
{
    say(k, "GET /stream/200?drop HTTP/1.1\r\n" END);
    while (client_read(k))
        ;
    CHECK(k->len > 5);
    CHECK(memcmp(k->buf + k->len - 5, "0\r\n\r\n", 5) != 0);
}

static void each(void (*test)(void))
{
    k = client_open(&web);
    test();
    client_close(k);
}

static void root(void *arg)
{
    (void)arg;
    web_start(&web, &config, NULL);
#define EACH(test)                                                             \
    do {                                                                       \
        fprintf(stderr, "  %s\n", #test);                                      \
        each(test);                                                            \
    } while (0)
    EACH(fields);
    EACH(sizes);
    EACH(statuses);
    EACH(heads);
    EACH(routing);
    EACH(streams);
    EACH(stream_dropped);
    web_stop(&web);
}

int main(void)
{
    run_co(root);
    return 0;
}
