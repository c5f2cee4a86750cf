/* http_handler_test.c - handlers that wait, go on for ever, write late or
 * answer nonsense: what they may have, and that nobody else has the damage.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static struct co_sem done;
static struct co_sem wrote;

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_text(res, "hello"), 0);
    return 200;
}

static int64_t limit(void) { return co_limit_deadline(CO_FOREVER); }

/* Longer than a tick of the coarse clock. */
static void pass_time(void) { CHECK_EQ(co_sleep_until(co_after(20000000)), 0); }

/* Its time begins anew with each thing that it sends. */
static int streams(struct http_request *req, struct http_response *res)
{
    int64_t before;

    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    for (int i = 0; i < 3; i++) {
        before = limit();
        CHECK(before != CO_FOREVER);
        pass_time();
        CHECK_EQ(limit(), before);
        CHECK_EQ(http_text(res, "x"), 0);
        CHECK(limit() > before);
    }
    before = co_limit_deadline(co_after(CO_SECOND));
    CHECK_EQ(http_text(res, "x"), 0);
    CHECK(limit() < before); /* that it set itself */
    co_restore_deadline(before);
    return 200;
}

/* And with each that it gets. */
static int receives(struct http_request *req, struct http_response *res)
{
    int64_t before;
    char c;

    (void)res;
    for (int i = 0; i < 3; i++) {
        before = limit();
        co_sem_post(&done);
        pass_time();
        CHECK_EQ(http_body(req, &c, 1, SOON), 1);
        CHECK(limit() > before);
    }
    before = limit();
    errno = 0;
    CHECK_EQ(http_body(req, &c, 1, CO_NOWAIT), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(limit(), before);
    return 200;
}

static void times(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/streams", streams, NULL, 0 },
        { "POST", "/receives", receives, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /streams HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "xxxx"));
    say(k, "POST /receives HTTP/1.1\r\nContent-Length: 4\r\n" END);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(co_sem_wait(&done, SOON), 0);
        say(k, "x");
    }
    CHECK_EQ(answer(k), 200);
    client_close(k);
    web_stop(&web);
}

/* ---- Without an end --------------------------------------------------------
 */

static int flood(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    while (http_text(res, "more and more") == 0)
        ;
    CHECK_EQ(errno, ETIMEDOUT);
    co_sem_post(&done);
    return 200;
}

static int fill(struct http_request *req, struct http_response *res)
{
    char piece[1000] = "";

    (void)req;
    while (http_write(res, piece, sizeof piece) == 0)
        ;
    CHECK_EQ(errno, EMSGSIZE);
    return -1;
}

/* What nobody reads, as nothing is sent to HEAD, is not written for ever. */
static void without_end(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/flood", flood, NULL, 0 },
        { "GET", "/fill", fill, NULL, 0 },
        { "GET", "/", hello, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes,
                                  .answer_max = 10000,
                                  .handler_timeout = 300 * CO_MSEC };
    struct client *k, *other;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    other = client_open(&web);
    say(k, "HEAD /flood HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    CHECK_EQ(ask(other, "GET / HTTP/1.1\r\n" END), 200);
    CHECK_EQ(co_sem_wait(&done, SOON), 0);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    say(k, "GET /fill HTTP/1.1\r\n" END);
    CHECK_CLOSED(k);
    client_close(k);
    client_close(other);
    web_stop(&web);
}

/* ---- Too late --------------------------------------------------------------
 */

static struct http_response *kept;
static struct co *writer;

static void check_refused(struct http_response *res)
{
    errno = 0;
    CHECK(http_text(res, "late") < 0 && errno == EBADF);
    CHECK(http_write(res, "late", 4) < 0 && errno == EBADF);
    CHECK(http_printf(res, "late") < 0 && errno == EBADF);
    CHECK(http_set_header(res, "Late", "1") < 0 && errno == EBADF);
    CHECK(http_add_header(res, "Late", "1") < 0 && errno == EBADF);
    CHECK(http_stream(res, 200) < 0 && errno == EBADF);
}

static void write_late(void *arg)
{
    (void)arg;
    check_refused(kept);
    co_sem_post(&wrote);
    CHECK_EQ(co_sem_wait(&done, SOON), 0);
    check_refused(kept);
}

static int leaves_writer(struct http_request *req, struct http_response *res)
{
    kept = res;
    writer = co_spawn(write_late, NULL, NULL);
    CHECK(writer != NULL);
    CHECK_EQ(co_sem_wait(&wrote, SOON), 0);
    return hello(req, res);
}

/* While the next answer of the connection is made. */
static int second(struct http_request *req, struct http_response *res)
{
    CHECK(res == kept);
    co_sem_post(&done);
    CHECK_EQ(co_join(writer, SOON), 0);
    return hello(req, res);
}

static void too_late(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/leaves", leaves_writer, NULL, 0 },
        { "GET", "/second", second, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    say(k, "GET /leaves HTTP/1.1\r\n" END "GET /second HTTP/1.1\r\n" END);
    for (int i = 0; i < 2; i++) {
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, "hello"));
        CHECK(field(k, "Late") == NULL);
    }
    client_close(k);
    web_stop(&web);
}

/* ---- Error pages -----------------------------------------------------------
 */

static void page(struct http_request *req, struct http_response *res,
                 int status)
{
    char c;

    CHECK_EQ(http_stream(res, 200), -1);
    CHECK_EQ(http_body(req, &c, 1, CO_FOREVER), -1);
    CHECK_EQ(co_sem_wait(&done, CO_FOREVER), -1);
    if (status == 403)
        return;
    CHECK_EQ(http_set_header(res, "Content-Type", "text/html"), 0);
    CHECK_EQ(http_printf(res, "<p>%d for %s", status, req->path), 0);
}

static int answers(struct http_request *req, struct http_response *res)
{
    if (*req->query != '\0')
        CHECK_EQ(http_text(res, "of its own"), 0);
    return atoi(http_param(req, "status"));
}

static void pages(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/:status", answers, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes, .error = page };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /404 HTTP/1.1\r\n" END), 404);
    CHECK(body_is(k, "<p>404 for /404"));
    CHECK(strcmp(field(k, "Content-Type"), "text/html") == 0);
    CHECK_EQ(ask(k, "GET /404?x HTTP/1.1\r\n" END), 404);
    CHECK(body_is(k, "of its own"));
    CHECK_EQ(ask(k, "GET /403 HTTP/1.1\r\n" END), 403);
    CHECK(body_is(k, "403 Forbidden\n"));
    CHECK(strncmp(field(k, "Content-Type"), "text/plain", 10) == 0);
    CHECK_EQ(ask(k, "GET /600?x HTTP/1.1\r\n" END), 500);
    CHECK(body_is(k, "<p>500 for /600"));
    CHECK_EQ(ask(k, "GET /200 HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, ""));
    CHECK_EQ(ask(k, "GET /none/there HTTP/1.1\r\n" END), 404);
    CHECK(body_is(k, "<p>404 for /none/there"));
    CHECK_EQ(ask(k, "POST /200 HTTP/1.1\r\nContent-Length: 9999999\r\n" END),
             413);
    CHECK(body_is(k, "<p>413 for /200"));
    CHECK_CLOSED(k);
    client_close(k);
    k = client_open(&web);
    CHECK_EQ(ask(k, "nonsense\r\n\r\n"), 400);
    CHECK(strncmp(k->body, "400 ", 4) == 0);
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    RUN_CO(times);
    RUN_CO(without_end);
    RUN_CO(too_late);
    RUN_CO(pages);
    return 0;
}
