/* http_serve_test.c - connections of the HTTP server: keep-alive, pipelining,
 * requests in pieces, HTTP/1.0, start and stop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"
#include <sys/ioctl.h>

static struct co_sem inside, go_on;

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_text(res, "hello\n"), 0);
    return 200;
}

static int greet(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_printf(res, "%s %s?%s for %s", req->method,
                         http_param(req, "name"), req->query, req->host),
             0);
    return 200;
}

static int held(struct http_request *req, struct http_response *res)
{
    (void)req;
    co_sem_post(&inside);
    CHECK_EQ(co_sem_wait(&go_on, SOON), 0);
    CHECK_EQ(http_text(res, "held"), 0);
    return 200;
}

static int streamed(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_stream(res, 200), 0);
    return held(req, res);
}

static int drop(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    return -1;
}

static const struct http_route routes[] = {
    { "GET", "/", hello, NULL, 0 },
    { "GET", "/greet/:name", greet, NULL, 0 },
    { "GET", "/held", held, NULL, 0 },
    { "GET", "/streamed", streamed, NULL, 0 },
    { "GET", "/drop", drop, NULL, 0 },
    { "POST", "/post", hello, NULL, 0 },
    { 0 },
};

static const struct http_config config = { .routes = routes };

static void keep_alive(void *arg)
{
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
        CHECK(body_is(k, "hello\n"));
        CHECK(field(k, "Connection") == NULL);
        CHECK_EQ(strlen(field(k, "Date")), 29);
        CHECK_EQ(ask(k, "GET /greet/a%20b?x=%20 HTTP/1.1\r\n" END), 200);
        CHECK(body_is(k, "GET a b?x=%20 for a"));
    }
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\nConnection: close\r\n" END), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
    web_stop(&web);
}

static void absolute_target(void *arg)
{
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET http://b:80/greet/x HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "GET x? for b:80"));
    CHECK_EQ(ask(k, "GET http://b HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "hello\n"));
    CHECK_EQ(ask(k, "GET http://b?q HTTP/1.1\r\n" END), 200);
    CHECK_EQ(ask(k, "GET /x/%2e%2e/./greet/y HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "GET y? for a"));
    CHECK_EQ(ask(k, "GET /../x HTTP/1.1\r\n" END), 400);
    CHECK_CLOSED(k);
    client_close(k);
    web_stop(&web);
}

static void old_clients(void *arg)
{
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200);
    CHECK(strcmp(field(k, "Connection"), "keep-alive") == 0);
    CHECK_EQ(ask(k, "\r\n\r\nGET /greet/x HTTP/1.0\r\n\r\n"), 200);
    CHECK(body_is(k, "GET x? for "));
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
    web_stop(&web);
}

/* Sixteen in one write are answered in one. */
static void pipelining(void *arg)
{
    struct web web;
    struct client *k;
    char text[4096] = "";

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 16; i++)
        (void)sprintf(text + strlen(text),
                      "GET /greet/%d HTTP/1.1\r\nHost: a\r\n\r\n", i);
    for (int round = 0; round < 3; round++) {
        k->len = k->consumed = 0;
        k->reads = 0;
        say(k, text);
        for (int i = 0; i < 16; i++) {
            char expected[64];

            CHECK_EQ(answer(k), 200);
            (void)sprintf(expected, "GET %d? for a", i);
            CHECK(body_is(k, expected));
        }
        CHECK_EQ(k->reads, 1);
        CHECK_EQ(k->len, k->consumed);
    }
    client_close(k);
    web_stop(&web);
}

/* More than the buffers hold, with the last one cut in its middle. */
static void pipelining_much(void *arg)
{
    static char text[200 * 64];
    struct web web;
    struct client *k;
    size_t len;

    (void)arg;
    text[0] = '\0';
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 200; i++)
        (void)strcat(text, "GET /greet/0123456789 HTTP/1.1\r\nHost: a\r\n\r\n");
    len = strlen(text);
    for (size_t cut = 1; cut < 43; cut += 3) {
        k->len = k->consumed = 0;
        CHECK_EQ(net_write(k->c, text, len - cut, SOON), 0);
        for (int i = 0; i < 199; i++)
            CHECK_EQ(answer(k), 200);
        CHECK_EQ(k->len, k->consumed);
        CHECK_EQ(net_write(k->c, text + len - cut, cut, SOON), 0);
        CHECK_EQ(answer(k), 200);
    }
    client_close(k);
    web_stop(&web);
}

static void byte_by_byte(void *arg)
{
    static const char text[] = "GET /greet/you?a=b HTTP/1.1\r\n"
                               "Host: example.org\r\nX: y\r\n\r\n"
                               "POST /post HTTP/1.1\r\nHost: a\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\n\r\n"
                               "POST /post HTTP/1.1\r\nHost: a\r\n"
                               "Content-Length: 3\r\n\r\nabc"
                               "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        CHECK_EQ(net_write(k->c, text + i, 1, SOON), 0);
        settle();
    }
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, "GET you?a=b for example.org"));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, "hello\n"));
    }
    client_close(k);
    web_stop(&web);
}

static void dropped(void *arg)
{
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    say(k, "GET / HTTP/1.1\r\n" END "GET /drop HTTP/1.1\r\n" END);
    CHECK_EQ(answer(k), 200);
    CHECK_CLOSED(k);
    client_close(k);
    web_stop(&web);
}

/* Idle connections end at once; what was read is answered, and the last answer
 * says so. */
static void stop(void *arg)
{
    struct web web;
    struct client *idle, *busy, *fresh;
    int64_t begun;

    (void)arg;
    web_start(&web, &config, NULL);
    idle = client_open(&web);
    busy = client_open(&web);
    fresh = client_open(&web);
    CHECK_EQ(ask(idle, "GET / HTTP/1.1\r\n" END), 200);
    say(busy, "GET /held HTTP/1.1\r\n" END "GET / HTTP/1.1\r\n" END);
    CHECK_EQ(co_sem_wait(&inside, SOON), 0);
    co_cancel(web.co);
    CHECK_CLOSED(idle);
    CHECK_EQ(ask(fresh, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(fresh, "Connection"), "close") == 0);
    CHECK_CLOSED(fresh);
    begun = co_now();
    co_sem_post(&go_on);
    CHECK_EQ(answer(busy), 200);
    CHECK(body_is(busy, "held"));
    CHECK(field(busy, "Connection") == NULL);
    CHECK_EQ(answer(busy), 200); /* had been read with the first */
    CHECK(body_is(busy, "hello\n"));
    CHECK(strcmp(field(busy, "Connection"), "close") == 0);
    CHECK_CLOSED(busy);
    client_close(idle);
    client_close(busy);
    client_close(fresh);
    CHECK_EQ(co_join(web.co, SOON), 0);
    CHECK_EQ(web.result, 0);
    CHECK(co_now() - begun < 8 * CO_SECOND); /* not the grace's ten */
}

/* Stops the server when the first answer is made. */
static void stop_in_log(void *app, const char *line, size_t len)
{
    struct web *web = app;

    (void)line;
    (void)len;
    co_cancel(web->co);
    (void)co_sleep_until(co_after(10 * CO_MSEC));
}

/* A client that was not told that its answer is the last may go on. */
static void stop_behind_answer(void *arg)
{
    struct http_config stopped = { .routes = routes,
                                   .log_form = HTTP_LOG_COMMON,
                                   .log = stop_in_log };
    struct client *k;
    struct web web;

    (void)arg;
    stopped.app = &web;
    web_start(&web, &stopped, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(field(k, "Connection") == NULL);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
    CHECK_EQ(co_join(web.co, SOON), 0);
}

/* Nor was one whose answer had begun. */
static void stop_in_stream(void *arg)
{
    struct client *k, *idle;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    idle = client_open(&web);
    CHECK_EQ(ask(idle, "GET / HTTP/1.1\r\n" END), 200);
    k = client_open(&web);
    say(k, "GET /streamed HTTP/1.1\r\n" END);
    CHECK_EQ(co_sem_wait(&inside, SOON), 0);
    co_cancel(web.co);
    CHECK_CLOSED(idle);
    co_sem_post(&go_on);
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, "held"));
    CHECK(field(k, "Connection") == NULL);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    client_close(k);
    client_close(idle);
    CHECK_EQ(co_join(web.co, SOON), 0);
}

static void bad_configs(void *arg)
{
    static const struct http_route bad[][2] = {
        { { "GET", "x", hello, NULL, 0 }, { 0 } },
        { { "GET", "/*x", hello, NULL, 0 }, { 0 } },
        { { "GET", "/:", hello, NULL, 0 }, { 0 } },
        { { "GET", "/", NULL, NULL, 0 }, { 0 } },
    };
    struct http_config many = { .routes = routes, .head_fields = 1000 };

    (void)arg;
    errno = ENOENT;
    CHECK_EQ(http_serve(NULL, &config), -1);
    CHECK_EQ(errno, ENOENT);
    for (int i = 0; i < 4; i++) {
        struct http_config c = { .routes = bad[i] };

        CHECK_EQ(http_serve(net_listen(TCP, NULL), &c), -1);
        CHECK_EQ(errno, EINVAL);
    }
    CHECK_EQ(http_serve(net_listen(TCP, NULL), &many), -1);
    CHECK_EQ(errno, EINVAL);
}

int main(void)
{
    RUN_CO(keep_alive);
    RUN_CO(absolute_target);
    RUN_CO(old_clients);
    RUN_CO(pipelining);
    RUN_CO(pipelining_much);
    RUN_CO(byte_by_byte);
    RUN_CO(dropped);
    RUN_CO(stop);
    RUN_CO(stop_behind_answer);
    RUN_CO(stop_in_stream);
    RUN_CO(bad_configs);
    return 0;
}
