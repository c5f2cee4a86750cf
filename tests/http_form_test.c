/* http_form_test.c - queries and forms as handlers get them, their limits, and
 * what the connection is like behind them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/form_kit.h"

static struct http_form_config limits;
static int64_t patience = CO_FOREVER;

/* name=value with a bar behind each, and name:filename:type:bytes of files. */
static void show_pairs(struct http_response *res, const struct http_pair *p)
{
    for (; p->name != NULL; p++)
        http_printf(res, "%s=%s|", p->name, p->value);
}

static int shows_query(struct http_request *req, struct http_response *res)
{
    const struct http_pair *pairs = http_query_pairs(req);
    const char *a = http_query(req, "a");

    if (pairs == NULL) {
        CHECK_EQ(errno, EBADMSG);
        CHECK(a == NULL);
        return 400;
    }
    if (a == NULL)
        CHECK_EQ(errno, ENOENT);
    show_pairs(res, pairs);
    http_printf(res, "a is %s", a == NULL ? "not there" : a);
    return 200;
}

static int shows_form(struct http_request *req, struct http_response *res)
{
    struct http_form *form = (struct http_form *)res; /* to be set */
    int64_t deadline = patience == CO_FOREVER ? patience : co_after(patience);
    int status = http_form_read(req, &limits, &form, deadline);
    const char *a;

    if (status != 0) {
        CHECK(form == NULL);
        http_printf(res, "errno %d", errno);
        return status;
    }
    CHECK(http_form_upload_at(form, 0) == NULL);
    CHECK(http_form_upload(form, "a") == NULL);
    show_pairs(res, http_form_pairs(form));
    a = http_form_value(form, "a");
    http_printf(res, "a is %s", a == NULL ? "not there" : a);
    return 200;
}

static const struct http_route routes[] = {
    { NULL, "/query", shows_query, NULL, 0 },
    { NULL, "/form", shows_form, NULL, 0 },
    { 0 },
};

static const struct http_config plain = { .routes = routes };

static void queries(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /query?b=1&a=x+y%21&a=2&c HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "b=1|a=x y!|a=2|c=|a is x y!"));
    CHECK_EQ(ask(k, "GET /query HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "a is not there"));
    CHECK_EQ(ask(k, "GET /query?A=1&aa=2 HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "A=1|aa=2|a is not there"));
    CHECK_EQ(ask(k, "GET /query?a=1&b=%zz HTTP/1.1\r\n" END), 400);
    CHECK_EQ(ask(k, "GET /query?a=1&b=%00 HTTP/1.1\r\n" END), 400);
    CHECK_EQ(ask(k, "GET /query?a HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "a=|a is "));
    client_close(k);
    web_stop(&web);
}

static void urlencoded(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    CHECK_EQ(post_text(k, "/form", URLENCODED, "b=1&a=x+y%21&a=2&c"), 200);
    CHECK(body_is(k, "b=1|a=x y!|a=2|c=|a is x y!"));
    CHECK_EQ(post_text(k, "/form", URLENCODED ";charset=utf-8", "a=1"), 200);
    CHECK(body_is(k, "a=1|a is 1"));
    CHECK_EQ(
        post_text(k, "/form", "Application/X-WWW-form-URLencoded ; x", "a=1"),
        200);
    CHECK_EQ(post_text(k, "/form", URLENCODED, ""), 200);
    CHECK(body_is(k, "a is not there"));
    CHECK_EQ(ask(k, "GET /form HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "a is not there"));
    /* In chunks, which come in two. */
    say(k, "POST /form HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
           "Content-Type: " URLENCODED "\r\n" END "3\r\na=%\r\n");
    say(k, "3\r\n41b\r\n0\r\n\r\n");
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, "a=Ab|a is Ab"));
    CHECK_EQ(post_text(k, "/form", URLENCODED, "a=%"), 400);
    CHECK_EQ(post_text(k, "/form", URLENCODED "x", "a=1"), 415);
    CHECK_EQ(post_text(k, "/form", "text/plain", "a=1"), 415);
    CHECK_EQ(ask(k, "POST /form HTTP/1.1\r\nContent-Length: 3\r\n" END "a=1"),
             415);
    CHECK_EQ(ask(k, "POST /form HTTP/1.1\r\nContent-Length: 3\r\n"
                    "Content-Encoding: gzip\r\n"
                    "Content-Type: " URLENCODED "\r\n" END "a=1"),
             415);
    CHECK_EQ(ask(k, "POST /form HTTP/1.1\r\nContent-Length: 3\r\n"
                    "Content-Encoding: Identity\r\n"
                    "Content-Type: " URLENCODED "\r\n" END "a=1"),
             200);
    client_close(k);
    web_stop(&web);
}

static void multipart(void *arg)
{
    struct client *k;
    struct body *b = calloc(1, sizeof *b);
    struct web web;

    (void)arg;
    CHECK(b != NULL);
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    body_field(b, "b", "1");
    body_field(b, "a", "x+y%21\r\n");
    body_field(b, "", "");
    body_field(b, "a", "2");
    body_file(b, "file", "", "", 0); /* none was chosen */
    body_end(b);
    CHECK_EQ(post(k, "/form", MULTIPART, b), 200);
    CHECK(body_is(k, "b=1|a=x+y%21\r\n|=|a=2|a is x+y%21\r\n"));
    CHECK_EQ(post(k, "/form", "multipart/form-data", b), 400);
    CHECK_EQ(post(k, "/form", "multipart/form-data; boundary=other", b), 400);
    CHECK_EQ(post(k, "/form", "multipart/mixed; boundary=" BOUNDARY, b), 415);
    /* Where no files are wanted. */
    b->len = 0;
    body_file(b, "file", "f", "", 0);
    body_end(b);
    CHECK_EQ(post(k, "/form", MULTIPART, b), 415);
    b->len = 0;
    body_file(b, "file", "", "f", 1);
    body_end(b);
    CHECK_EQ(post(k, "/form", MULTIPART, b), 415);
    /* A zero byte is no part of a string. */
    b->len = 0;
    body_field(b, "a", "b");
    memset(strstr(b->data, "\r\n\r\n") + 4, '\0', 1);
    body_end(b);
    CHECK_EQ(post(k, "/form", MULTIPART, b), 400);
    b->len = 0;
    body_field(b, "a", "1");
    CHECK_EQ(post(k, "/form", MULTIPART, b), 400);
    /* What stands behind the last part is read, too. */
    body_end(b);
    for (int i = 0; i < 3000; i++)
        body_print(b, "%099d\n", i);
    CHECK_EQ(post(k, "/form", MULTIPART, b), 200);
    CHECK(body_is(k, "a=1|a is 1"));
    CHECK_EQ(ask(k, "GET /query?a HTTP/1.1\r\n" END), 200);
    client_close(k);
    web_stop(&web);
    free(b);
}

/* What is as long as allowed is taken, and what is longer by one not. */
static void bounds(void *arg)
{
    struct body *b = calloc(1, sizeof *b);
    struct web web;

    (void)arg;
    CHECK(b != NULL);
    web_start(&web, &plain, NULL);
    for (size_t size = 1000; size < 40000; size *= 6) {
        for (int over = 0; over < 2; over++) {
            limits = (struct http_form_config){ .bytes = size };
            b->len = 0;
            body_print(b, "a=%0*d", (int)size - 2 + over, 1);
            CHECK_EQ(post_once(&web, "/form", URLENCODED, b), over ? 413 : 200);
            b->len = 0;
            body_print(b,
                       "--" BOUNDARY "\r\nContent-Disposition: form-data; "
                       "name=a\r\n\r\n%0*d\r\n",
                       (int)size - 3 + over, 1);
            body_end(b);
            CHECK_EQ(post_once(&web, "/form", MULTIPART, b), over ? 413 : 200);
        }
    }
    for (unsigned over = 0; over < 2; over++) {
        limits = (struct http_form_config){ .fields = 10 };
        b->len = 0;
        for (unsigned i = 0; i < 10 + over; i++)
            body_print(b, "&%u&", i);
        CHECK_EQ(post_once(&web, "/form", URLENCODED, b), over ? 413 : 200);
        b->len = 0;
        for (unsigned i = 0; i < 10 + over; i++)
            body_field(b, "a", "b");
        body_end(b);
        CHECK_EQ(post_once(&web, "/form", MULTIPART, b), over ? 413 : 200);

        limits = (struct http_form_config){ .head_bytes = 100 };
        b->len = 0;
        body_print(b,
                   "--" BOUNDARY "\r\nContent-Disposition: form-data; "
                   "name=%0*d\r\n\r\n\r\n",
                   100 - 39 + (int)over, 1);
        body_end(b);
        CHECK_EQ(post_once(&web, "/form", MULTIPART, b), over ? 413 : 200);
    }
    limits = (struct http_form_config){ 0 };
    web_stop(&web);
    free(b);
}

/* A chunked body says nothing of its length: what is too much is noticed. */
static void endless(void *arg)
{
    struct client *k;
    struct web web;
    char chunk[1010];
    int n = 0;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    limits = (struct http_form_config){ .bytes = 20000 };
    say(k, "POST /form HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
           "Content-Type: " URLENCODED "\r\n" END);
    (void)snprintf(chunk, sizeof chunk, "3e8\r\n%01000d\r\n", 1);
    for (; n < 21; n++)
        say(k, chunk);
    CHECK_EQ(answer(k), 413);
    client_close(k);
    limits = (struct http_form_config){ 0 };
    web_stop(&web);
}

/* Who is too slow, by the caller's clock and by the server's, and who goes. */
static void slow(void *arg)
{
    struct http_config config = plain;
    struct body *b = calloc(1, sizeof *b);
    const char *types[] = { URLENCODED, MULTIPART };
    struct client *k;
    struct web web;

    (void)arg;
    CHECK(b != NULL);
    body_field(b, "a", "b");
    for (int i = 0; i < 4; i++) {
        config.body_timeout = i < 2 ? 30 * CO_SECOND : 50 * CO_MSEC;
        patience = i < 2 ? 50 * CO_MSEC : CO_FOREVER;
        web_start(&web, &config, NULL);
        k = client_open(&web);
        post_but(k, "/form", types[i % 2], b, 1);
        CHECK_EQ(answer(k), 408);
        if (i < 2) { /* the server itself would wait for longer */
            say(k, "\n");
            CHECK_EQ(ask(k, "GET /query?a HTTP/1.1\r\n" END), 200);
        } else {
            CHECK_CLOSED(k);
        }
        client_close(k);
        k = client_open(&web);
        post_but(k, "/form", types[i % 2], b, 1);
        client_close(k);
        web_stop(&web);
    }
    patience = CO_FOREVER;
    free(b);
}

int main(void)
{
    RUN_CO(queries);
    RUN_CO(urlencoded);
    RUN_CO(multipart);
    RUN_CO(bounds);
    RUN_CO(endless);
    RUN_CO(slow);
    return 0;
}
