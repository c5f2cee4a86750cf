/* http_contain_test.c - what one handler leaves behind does not become the
 * next one's, and an answer of which a part is missing does not look whole.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"
#include <stddef.h>

enum { ANSWER_MAX = 20000 };

/* ---- The time-out of the next ----------------------------------------------
 */

static int holds(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)co_hold_cancel(true);
    return http_text(res, "held") == 0 ? 200 : 500;
}

static int waits(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    CHECK_EQ(co_sleep_until(co_after(30 * CO_SECOND)), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    return -1;
}

/* It would wait, but may not. */
static void page(struct http_request *req, struct http_response *res,
                 int status)
{
    (void)req;
    (void)status;
    CHECK_EQ(co_sleep_until(co_after(30 * CO_SECOND)), -1);
    (void)co_hold_cancel(true);
    CHECK_EQ(http_text(res, "page"), 0);
}

static const struct http_route routes_held[] = {
    { "GET", "/holds", holds, NULL, 0 },
    { "GET", "/waits", waits, NULL, 0 },
    { 0 },
};

static void held(void *arg)
{
    struct http_config config = { .routes = routes_held,
                                  .error = page,
                                  .handler_timeout = 50 * CO_MSEC };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /holds HTTP/1.1\r\n" END), 200);
    CHECK_EQ(ask(k, "GET /none HTTP/1.1\r\n" END), 404);
    CHECK(body_is(k, "page"));
    CHECK_EQ(ask(k, "GET /waits HTTP/1.1\r\n" END), 503);
    client_close(k);
    web_stop(&web);
}

static void without_time_outs(void *arg)
{
    struct http_config config = { .routes = routes_held,
                                  .head_timeout = CO_FOREVER,
                                  .body_timeout = CO_FOREVER,
                                  .write_timeout = CO_FOREVER,
                                  .handler_timeout = CO_FOREVER,
                                  .idle_timeout = CO_FOREVER };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /holds HTTP/1.1\r\n" END), 200);
    CHECK_EQ(ask(k, "GET /holds HTTP/1.1\r\n" END), 200);
    client_close(k);
    web_stop(&web);
}

/* ---- Memory ----------------------------------------------------------------
 */

static int allocates(struct http_request *req, struct http_response *res)
{
    (void)res;
    for (size_t size = 1; size < 10000; size = size * 3 / 2 + 1) {
        char *p = http_alloc(req, size);

        CHECK(p != NULL);
        CHECK_EQ((uintptr_t)p % _Alignof(max_align_t), 0);
        memset(p, 1, size);
    }
    return 204;
}

static void aligned(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/", allocates, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes };
    struct web web;

    (void)arg;
    for (unsigned fields = 99; fields < 102; fields++) {
        config.head_fields = fields;
        web_start(&web, &config, NULL);
        CHECK_EQ(ask_once(&web, "GET / HTTP/1.1\r\n" END), 204);
        web_stop(&web);
    }
}

/* ---- Answers in part -------------------------------------------------------
 */

static size_t take_number(struct http_request *req)
{
    return (size_t)atol(http_param(req, "n"));
}

/* Many small pieces; what cannot be written is left out. */
static int writes(struct http_request *req, struct http_response *res)
{
    for (size_t n = take_number(req); n > 0; n--)
        (void)http_write(res, "x", 1);
    return 200;
}

static int prints(struct http_request *req, struct http_response *res)
{
    (void)http_alloc(req, 100);
    if (http_printf(res, "%*d", (int)take_number(req), 1) < 0)
        return errno == EMSGSIZE ? 413 : 500;
    return 200;
}

static int breaks_off(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    CHECK_EQ(http_text(res, "the beginning"), 0);
    return -1;
}

static const struct http_route routes_in_part[] = {
    { "GET", "/writes/:n", writes, NULL, 0 },
    { "GET", "/prints/:n", prints, NULL, 0 },
    { "GET", "/breaks", breaks_off, NULL, 0 },
    { 0 },
};

static int ask_for(struct client *k, const char *what, long n)
{
    char text[100];

    (void)snprintf(text, sizeof text, "GET /%s/%ld HTTP/1.1\r\n" END, what, n);
    return ask(k, text);
}

static void limits(struct web *web, long max)
{
    struct client *k = client_open(web);

    for (long n = max - 1; n <= max + 1; n++) {
        CHECK_EQ(ask_for(k, "writes", n), n <= max ? 200 : 500);
        CHECK(n <= max || body_is(k, "500 Internal Server Error\n"));
    }
    CHECK_EQ(ask_for(k, "writes", 2 * max), 500);
    CHECK_EQ(ask_for(k, "writes", 1), 200);
    CHECK(body_is(k, "x"));
    CHECK_EQ(ask_for(k, "prints", max - 1), 200);
    CHECK_EQ(ask_for(k, "prints", max + 1), 413);
    CHECK(body_is(k, "413 Content Too Large\n"));
    client_close(k);
}

static void in_part(void *arg)
{
    static const size_t maxima[] = { 10, 1000, ANSWER_MAX };
    struct http_config config = { .routes = routes_in_part };
    struct web web;

    (void)arg;
    for (size_t i = 0; i < sizeof maxima / sizeof *maxima; i++) {
        config.answer_max = maxima[i];
        web_start(&web, &config, NULL);
        limits(&web, (long)maxima[i]);
        web_stop(&web);
    }
}

/* To HTTP/1.0 the end of the connection is that of the body. */
static void broken_off(void *arg)
{
    struct http_config config = { .routes = routes_in_part };
    const void *data;
    struct client *k;
    struct web web;
    ssize_t n;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    say(k, "GET /breaks HTTP/1.0\r\n\r\n");
    while ((n = net_next(k->c, &data, SOON)) > 0)
        ;
    CHECK_EQ(n, -1);
    CHECK_EQ(errno, ECONNRESET);
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    RUN_CO(held);
    RUN_CO(without_time_outs);
    RUN_CO(aligned);
    RUN_CO(in_part);
    RUN_CO(broken_off);
    return 0;
}
