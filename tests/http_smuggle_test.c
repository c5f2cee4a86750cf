/* http_smuggle_test.c - requests in which another program would see one more,
 * or one less: each is refused, and nothing behind it is taken for a request.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static int hidden_calls;

static int hidden(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    hidden_calls++;
    return 200;
}

/* Reads what the framing says. */
static int post(struct http_request *req, struct http_response *res)
{
    char buf[16];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, SOON)) > 0)
        CHECK_EQ(http_write(res, buf, (size_t)n), 0);
    return n < 0 ? -1 : 200;
}

static int lazy(struct http_request *req, struct http_response *res)
{
    (void)req;
    return http_text(res, "lazy") < 0 ? -1 : 200;
}

static const struct http_route routes[] = {
    { "GET", "/hidden", hidden, NULL, 0 },
    { "POST", "/", post, NULL, 0 },
    { "POST", "/lazy", lazy, NULL, 0 },
    { 0 },
};

#define POST "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define HIDDEN "GET /hidden HTTP/1.1\r\n" END
#define LENGTH(n) "Content-Length: " n "\r\n"
#define HIDDEN_LENGTH "Content-Length: 33\r\n\r\n"
#define HIDDEN_CHUNK "21\r\n" HIDDEN "\r\n"
#define CODING "Transfer-Encoding: chunked\r\n"

static const struct {
    int status;
    const char *text;
} cases[] = {
    /* Two framings. */
    { 400, POST LENGTH("5") CODING "\r\n0\r\n\r\n" HIDDEN },
    { 400, POST CODING LENGTH("5") "\r\n0\r\n\r\n" HIDDEN },
    { 400, POST LENGTH("0") LENGTH("44") "\r\n" HIDDEN },
    { 400, POST LENGTH("44") LENGTH("44") "\r\n" HIDDEN },
    { 400, POST LENGTH("0, 44") "\r\n" HIDDEN },
    { 400, POST CODING CODING "\r\n0\r\n\r\n" HIDDEN },
    /* A length that is none, or another one to somebody. */
    { 400, POST LENGTH("+0") "\r\n" HIDDEN },
    { 400, POST LENGTH("-1") "\r\n" HIDDEN },
    { 400, POST LENGTH("0x2c") "\r\n" HIDDEN },
    { 400, POST LENGTH("0 44") "\r\n" HIDDEN },
    { 400, POST LENGTH("0\v") "\r\n" HIDDEN },
    { 400, POST LENGTH("") "\r\n" HIDDEN },
    { 413, POST LENGTH("18446744073709551616") "\r\n" HIDDEN },
    /* A coding that only somebody takes for chunked. */
    { 400, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding: chunked;x\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding: chunked, identity\r\n\r\n" HIDDEN },
    { 501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "X: y\r\n " CODING "\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "X: y\r" CODING "\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "X: y\n" CODING "\r\n0\r\n\r\n" HIDDEN },
    { 400, POST "X y\r\n" CODING "\r\n0\r\n\r\n" HIDDEN },
    { 400, "POST / HTTP/1.0\r\n" CODING "\r\n0\r\n\r\n" HIDDEN },
    /* A first line that somebody reads otherwise. */
    { 400, "POST /  HTTP/1.1\r\n" HOST "\r\n" HIDDEN },
    { 400, "POST / HTTP/1.1 \r\n" HOST "\r\n" HIDDEN },
    { 400, "POST / HTTP/1.1\r" HOST "\r\n" HIDDEN },
    { 400, "POST / HTTP/1.1\r\n\r\n" HIDDEN },
    { 400, "POST / HTTP/1.1\r\n" HOST HOST "\r\n" HIDDEN },
    { 400, "POST / http/1.1\r\n" HOST "\r\n" HIDDEN },
    /* Chunks. */
    { 400, CHUNKED "\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "0x1\r\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "-1\r\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "1 \r\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "1\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "1;a\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "1\r\nxy\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "1\r\nx\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "10000000000000001\r\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "ffffffffffffffff\r\nx\r\n0\r\n\r\n" HIDDEN },
    { 400, CHUNKED "0\r\nX y\r\n\r\n" HIDDEN },
    { 400, CHUNKED "0\r\n\n" HIDDEN },
};

/* One answer, which is the last, and what is behind it was not a request. */
static void check_case(struct web *web, int status, const char *text,
                       size_t piece)
{
    struct client *k = client_open(web);
    size_t len = strlen(text);
    int64_t until = SOON;

    hidden_calls = 0;
    for (size_t at = 0; at < len; at += piece) {
        size_t n = piece < len - at ? piece : len - at;

        if (net_write(k->c, text + at, n, until) < 0)
            break;
        if (piece < len)
            settle();
    }
    if (answer(k) != status || hidden_calls != 0) {
        fprintf(stderr, "%d, wanted %d, hidden %d:\n%s\n", k->status, status,
                hidden_calls, text);
        exit(1);
    }
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
    CHECK_EQ(hidden_calls, 0);
    client_close(k);
}

static void in_pieces(struct web *web, size_t piece)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(web, cases[i].status, cases[i].text, piece);
}

static void refused(void *arg)
{
    struct http_config config = { .routes = routes };
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    in_pieces(&web, 10000);
    in_pieces(&web, 1);
    in_pieces(&web, 13);
    web_stop(&web);
}

/* Bodies that look like requests are bodies, whether the handler reads them or
 * not. */
static void bodies_stay_bodies(void *arg)
{
    static const char text[] =
        "POST /lazy HTTP/1.1\r\n" HOST HIDDEN_LENGTH HIDDEN
        "POST /lazy HTTP/1.1\r\n" HOST CODING "\r\n" HIDDEN_CHUNK
        "0\r\nGET: /hidden HTTP/1.1\r\n\r\n"
        "POST / HTTP/1.1\r\n" HOST HIDDEN_LENGTH HIDDEN
        "POST / HTTP/1.1\r\n" HOST CODING "\r\n" HIDDEN_CHUNK "0\r\n\r\n";
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    CHECK_EQ(strlen(HIDDEN), 33);
    web_start(&web, &config, NULL);
    k = client_open(&web);
    hidden_calls = 0;
    say(k, text);
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, i < 2 ? "lazy" : HIDDEN));
    }
    CHECK_EQ(hidden_calls, 0);
    CHECK_EQ(ask(k, HIDDEN), 200);
    CHECK_EQ(hidden_calls, 1);
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    RUN_CO(refused);
    RUN_CO(bodies_stay_bodies);
    return 0;
}
