/* http_limits_test.c - what is beyond a limit gets its status, and the
 * connection ends so that the client can read it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static struct co_sem never;

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_text(res, "hello"), 0);
    return 200;
}

/* Fails as a handler does that cannot answer, or answers all the same. */
static int waits(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(co_sem_wait(&never, CO_FOREVER), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(http_text(res, "late"), 0);
    return *req->query == '\0' ? -1 : atoi(req->query);
}

static int body(struct http_request *req, struct http_response *res)
{
    char buf[100];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, CO_FOREVER)) > 0)
        CHECK_EQ(http_write(res, buf, (size_t)n), 0);
    return n < 0 ? -1 : 200;
}

static int flood(struct http_request *req, struct http_response *res)
{
    static const char piece[64 * 1024];
    struct co_sem *done = req->app;

    CHECK_EQ(http_stream(res, 200), 0);
    while (http_write(res, piece, sizeof piece) == 0)
        ;
    co_sem_post(done);
    return 0;
}

static int stream(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_stream(res, 200), 0);
    return hello(req, res);
}

static const struct http_route routes[] = {
    { "GET", "/", hello, NULL, 0 },      { "GET", "/waits", waits, NULL, 0 },
    { "POST", "/body", body, NULL, 0 },  { "GET", "/stream", stream, NULL, 0 },
    { "GET", "/flood", flood, NULL, 0 }, { 0 },
};

/* One request, which is answered so, and then the end. */
static void check_status(struct web *web, int status, const char *text)
{
    struct client *k = client_open(web);

    CHECK_EQ(ask(k, text), status);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
}

static void bad_requests(void *arg)
{
    static const struct {
        int status;
        const char *text;
    } cases[] = {
        { 400, "GET\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n\r\n" },
        { 400, "GET / HTTP/1.1\nHost: a\n\n" },
        { 400, "GET /%0 HTTP/1.1\r\n" END },
        { 400, "GET /%00 HTTP/1.1\r\n" END },
        { 400, "GET / HTTP/1.1\r\nA : b\r\n" END },
        { 400, "POST / HTTP/1.1\r\nContent-Length: 1\r\n"
               "Transfer-Encoding: chunked\r\n" END },
        { 417, "GET / HTTP/1.1\r\nExpect: x\r\n" END },
        { 501, "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n" END },
        { 505, "GET / HTTP/2.0\r\n" END },
        { 431, "GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n" END },
        { 431, "GET / HTTP/1.1\r\nA: 0123456789012345678901234567890123456789"
               "01234567890123456789012345678901234567890123456789\r\n" END },
        { 414, "GET /0123456789012345678901234567890123456789 HTTP/1.1\r\n" },
        { 413, "POST /body HTTP/1.1\r\nContent-Length: 101\r\n" END },
    };
    struct http_config config = { .routes = routes,
                                  .head_bytes = 100,
                                  .head_fields = 4,
                                  .target_bytes = 40,
                                  .body_max = 100 };
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_status(&web, cases[i].status, cases[i].text);
    web_stop(&web);
}

/* With the limits that hold unless others are set. */
static void default_limits(void *arg)
{
    static char text[40000];
    struct http_config config = { .routes = routes };
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    (void)snprintf(text, sizeof text, "GET /?%0*d HTTP/1.1\r\n" END, 8190, 0);
    CHECK_EQ(ask_once(&web, text), 200);
    (void)snprintf(text, sizeof text, "GET /?%0*d HTTP/1.1\r\n" END, 8191, 0);
    check_status(&web, 414, text);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: %0*d\r\n" END,
                   16000, 0);
    CHECK_EQ(ask_once(&web, text), 200);
    (void)snprintf(text, sizeof text, "GET / HTTP/1.1\r\nX: %0*d\r\n" END,
                   17000, 0);
    check_status(&web, 431, text);
    (void)snprintf(text, sizeof text, "GET /?%0*d HTTP/1.1\r\nX: %0*d\r\n" END,
                   8000, 0, 9000, 0);
    check_status(&web, 431, text);
    (void)strcpy(text, "GET / HTTP/1.1\r\n");
    for (int i = 0; i < 99; i++)
        (void)strcat(text, "A: b\r\n");
    (void)strcat(text, END);
    CHECK_EQ(ask_once(&web, text), 200);
    text[strlen(text) - 2] = '\0';
    (void)strcat(text, "A: b\r\n\r\n");
    check_status(&web, 431, text);
    web_stop(&web);
}

static void timeouts(void *arg)
{
    struct co_sem flooded = { .value = 0 };
    struct http_config config = { .routes = routes,
                                  .app = &flooded,
                                  .head_timeout = 50 * CO_MSEC,
                                  .body_timeout = 50 * CO_MSEC,
                                  .write_timeout = 50 * CO_MSEC,
                                  .handler_timeout = 50 * CO_MSEC,
                                  .idle_timeout = 50 * CO_MSEC };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    check_status(&web, 408, "GET / HTTP/1.1\r\nHost");
    k = client_open(&web);
    CHECK_CLOSED(k); /* idle */
    client_close(k);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK_CLOSED(k);
    client_close(k);
    CHECK_EQ(ask_once(&web, "GET /waits HTTP/1.1\r\n" END), 503);
    CHECK_EQ(ask_once(&web, "GET /waits?500 HTTP/1.1\r\n" END), 503);
    CHECK_EQ(ask_once(&web, "GET /waits?201 HTTP/1.1\r\n" END), 201);
    k = client_open(&web);
    say(k, "GET /flood HTTP/1.1\r\n" END); /* and reads nothing of it */
    CHECK_EQ(co_sem_wait(&flooded, SOON), 0);
    client_close(k);
    web_stop(&web);
}

static void slow_body(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .body_timeout = 50 * CO_MSEC };
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    check_status(&web, 408,
                 "POST /body HTTP/1.1\r\nContent-Length: 3\r\n" END "ab");
    check_status(&web, 408,
                 "POST /body HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                 "3\r\nab");
    web_stop(&web);
}

/* A client that never stops sending, and never gets on. */
static void drip(void *arg)
{
    struct client *k = arg;

    while (net_write(k->c, "x", 1, SOON) == 0 &&
           co_sleep_until(co_after(5 * CO_MSEC)) == 0)
        ;
}

static void dripping_body(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .body_timeout = 100 * CO_MSEC };
    struct client *k;
    struct web web;
    struct co *co;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    say(k, "POST /body HTTP/1.1\r\nContent-Length: 1000000\r\n" END);
    co = co_spawn(drip, k, NULL);
    CHECK(co != NULL);
    CHECK_EQ(answer(k), 408);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    co_cancel(co);
    CHECK_EQ(co_join(co, SOON), 0);
    client_close(k);
    web_stop(&web);
}

static void counts(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .max_conns = 2,
                                  .max_requests = 3 };
    struct client *k, *other;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    other = client_open(&web);
    CHECK_EQ(ask(other, "GET / HTTP/1.1\r\n" END), 200);
    check_status(&web, 503, "");
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(field(k, "Connection") == NULL);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
    client_close(other);
    web_stop(&web);
}

/* The last answer says so, streamed ones as well, and can be read though more
 * requests were sent. */
static void last_of_many(void *arg)
{
    struct http_config config = { .routes = routes, .max_requests = 2 };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 50; i++)
        say(k, "GET /stream HTTP/1.1\r\n" END);
    for (int i = 0; i < 2; i++) {
        const char *connection;

        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, "hello"));
        connection = field(k, "Connection");
        CHECK_EQ(connection != NULL && strcmp(connection, "close") == 0, i);
    }
    CHECK_CLOSED(k);
    client_close(k);
    web_stop(&web);
}

/* The client is in the middle of sending when it is refused, and still reads
 * why. */
static void lingers(void *arg)
{
    static char piece[64 * 1024];
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    for (int i = 0; i < 10; i++) {
        k = client_open(&web);
        say(k, "POST /body HTTP/1.1\r\nContent-Length: 100000000\r\n" END);
        for (int j = 0; j < 10; j++)
            CHECK_EQ(net_write(k->c, piece, sizeof piece, SOON), 0);
        CHECK_EQ(answer(k), 413);
        CHECK_CLOSED(k);
        client_close(k);
    }
    web_stop(&web);
}

int main(void)
{
    RUN_CO(bad_requests);
    RUN_CO(default_limits);
    RUN_CO(timeouts);
    RUN_CO(slow_body);
    RUN_CO(dripping_body);
    RUN_CO(counts);
    RUN_CO(last_of_many);
    RUN_CO(lingers);
    return 0;
}
