/* http_rules_test.c - what RFC 9112 demands of the bytes that a server sends,
 * and of when it ends a connection: http_rfc.txt names the tests.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static int calls;

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    calls++;
    CHECK_EQ(http_set_header(res, "X-Empty", "\t"), 0);
    CHECK_EQ(http_add_header(res, "X-Long", "a, b,\tc"), 0);
    CHECK_EQ(http_text(res, "hello"), 0);
    return 200;
}

static int answers(struct http_request *req, struct http_response *res)
{
    int status = atoi(http_param(req, "status"));

    if (strcmp(req->query, "stream") == 0)
        CHECK_EQ(http_stream(res, status), 0);
    CHECK_EQ(http_text(res, "text"), 0);
    return status;
}

static int body(struct http_request *req, struct http_response *res)
{
    char buf[16];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, SOON)) > 0)
        CHECK_EQ(http_write(res, buf, (size_t)n), 0);
    return n < 0 ? -1 : 200;
}

static const struct http_route routes[] = {
    { "GET", "/", hello, NULL, 0 },
    { "GET", "/:status", answers, NULL, 0 },
    { "POST", "/body", body, NULL, 0 },
    { 0 },
};

static struct http_config config = { .routes = routes, .server = "corten" };

static struct web web;
static struct client *k;

static void get(const char *target, int status)
{
    char text[256];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, target);
    CHECK_EQ(ask(k, text), status);
}

/* ---- The bytes of heads ----------------------------------------------------
 */

static bool token(char c)
{
    return c > ' ' && c < 0x7f && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
}

/* The last head: a status line and then fields, each of one line that ends with
 * CR LF, and neither of those elsewhere. */
static void check_head(void)
{
    const char *p = k->head;

    CHECK(memcmp(p, "HTTP/1.1 ", 9) == 0);
    for (int i = 9; i < 12; i++)
        CHECK(p[i] >= '0' && p[i] <= '9');
    CHECK_EQ(p[12], ' '); /* even if no reason followed */
    for (p += 13; *p != '\r'; p++)
        CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
    for (;;) {
        CHECK(p[0] == '\r' && p[1] == '\n');
        p += 2;
        if (*p == '\r')
            break;
        CHECK(token(*p)); /* no white space: no fold, none before the first */
        while (token(*p))
            p++;
        CHECK_EQ(*p++, ':');
        for (; *p != '\r'; p++)
            CHECK((unsigned char)*p >= ' ' || *p == '\t');
    }
    CHECK(strcmp(p, "\r\n") == 0);
}

static void lines(void)
{
    get("/", 200);
    check_head();
    get("/299", 299);
    check_head();
    get("/404", 404);
    check_head();
    get("/204", 204);
    check_head();
    get("/200?stream", 200);
    check_head();
    CHECK_EQ(ask(k, "POST /body HTTP/1.1\r\nExpect: 100-continue\r\n"
                    "Content-Length: 1\r\n" END),
             100);
    check_head();
    CHECK_EQ(ask(k, "x"), 200);
    check_head();
    CHECK_EQ(ask(k, "OPTIONS * HTTP/1.1\r\n" END), 204);
    check_head();
    CHECK_EQ(ask(k, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), 200);
    check_head();
    CHECK_EQ(ask(k, "nonsense\r\n\r\n"), 400);
    check_head();
}

/* ---- Framing ---------------------------------------------------------------
 */

static bool has_length(void) { return field(k, "Content-Length") != NULL; }
static bool has_coding(void) { return field(k, "Transfer-Encoding") != NULL; }

static void one_framing(void)
{
    get("/", 200);
    CHECK(has_length() && !has_coding());
    get("/200?stream", 200);
    CHECK(!has_length() && has_coding());
    CHECK(strcmp(field(k, "Transfer-Encoding"), "chunked") == 0);
    CHECK(body_is(k, "text"));
    get("/404?stream", 404);
    CHECK(!has_length() && has_coding());
    get("/205?stream", 205);
    CHECK(has_length() && !has_coding());
}

static void none_in_204_and_1xx(void)
{
    get("/204", 204);
    CHECK(!has_length() && !has_coding());
    get("/204?stream", 204);
    CHECK(!has_length() && !has_coding());
    CHECK_EQ(ask(k, "POST /body HTTP/1.1\r\nExpect: 100-continue\r\n"
                    "Transfer-Encoding: chunked\r\n" END),
             100);
    CHECK(!has_length() && !has_coding());
    CHECK_EQ(ask(k, "1\r\nx\r\n0\r\n\r\n"), 200);
}

/* Nobody gets a tunnel. */
static void connect_refused(void)
{
    CHECK_EQ(ask(k, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"), 501);
    CHECK(has_length() && !has_coding());
}

static void none_to_old_clients(void)
{
    CHECK_EQ(ask(k, "GET /200?stream HTTP/1.0\r\n"
                    "Connection: keep-alive\r\n\r\n"),
             200);
    CHECK(!has_length() && !has_coding());
    CHECK(body_is(k, "text"));
    CHECK_CLOSED(k); /* which is how its body ends */
}

static void cut_off_body(void)
{
    say(k, "POST /body HTTP/1.1\r\nContent-Length: 5\r\n" END "abc");
    CHECK_EQ(net_shutdown(k->c), 0);
    CHECK_EQ(answer(k), 400);
    CHECK_CLOSED(k);
}

/* ---- Ends ------------------------------------------------------------------
 */

static void check_last(void)
{
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    CHECK_EQ(calls, 1);
}

static void client_close_is_last(void)
{
    calls = 0;
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\nConnection: close\r\n" END
                    "GET / HTTP/1.1\r\n" END),
             200);
    check_last();
}

static void old_client_is_last(void)
{
    calls = 0;
    CHECK_EQ(ask(k, "GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n"), 200);
    check_last();
}

/* The server's own close: the last request that it takes, and one refused. */
static void server_close_is_last(void)
{
    calls = 0;
    config.max_requests = 1;
    web_stop(&web);
    web_start(&web, &config, NULL);
    client_close(k);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END "GET / HTTP/1.1\r\n" END), 200);
    check_last();
    config.max_requests = 0;
}

static void error_close_is_last(void)
{
    calls = 1;
    CHECK_EQ(ask(k, "GET / HTTP/3.0\r\n" END "GET / HTTP/1.1\r\n" END), 505);
    check_last();
}

static void root(void *arg)
{
    (void)arg;
    web_start(&web, &config, NULL);
#define EACH(test)                                                             \
    do {                                                                       \
        fprintf(stderr, "  %s\n", #test);                                      \
        k = client_open(&web);                                                 \
        test();                                                                \
        client_close(k);                                                       \
    } while (0)
    EACH(lines);
    EACH(one_framing);
    EACH(none_in_204_and_1xx);
    EACH(connect_refused);
    EACH(none_to_old_clients);
    EACH(cut_off_body);
    EACH(client_close_is_last);
    EACH(old_client_is_last);
    EACH(error_close_is_last);
    EACH(server_close_is_last);
    web_stop(&web);
}

int main(void)
{
    run_co(root);
    return 0;
}
