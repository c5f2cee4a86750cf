/* http_end_test.c - what http_on_end() promises: on whatever path a request
 * ends, each is called once, the last one first.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

/* What was called, a letter each. */
static char called[64];
static size_t calls;

static struct http_response *answering; /* the last one */

static void note(void *arg)
{
    CHECK(calls < sizeof called - 1);
    called[calls++] = *(const char *)arg;
    called[calls] = '\0';
}

static void note_and_write(void *arg)
{
    CHECK_EQ(http_text(answering, "late"), -1);
    CHECK_EQ(errno, EBADF);
    note(arg);
}

static void note_slowly(void *arg)
{
    CHECK_EQ(co_sleep_until(co_after(20 * CO_MSEC)), 0);
    note(arg);
}

static void note_twice(void *arg)
{
    CHECK_EQ(http_on_end(arg, note, "2"), 0);
    note("1");
}

/* What the letters of the query say. */
static int plan(struct http_request *req, struct http_response *res)
{
    answering = res;
    for (const char *p = req->query; *p != '\0'; p++) {
        void (*fn)(void *) = *p == 'S'   ? note_slowly
                             : *p == 'W' ? note_and_write
                                         : note;
        char *arg = http_alloc(req, 2000); /* also beyond the area */

        CHECK(arg != NULL);
        *arg = *p;
        CHECK_EQ(http_on_end(req, fn, arg), 0);
    }
    return 0;
}

static int answers(struct http_request *req, struct http_response *res)
{
    (void)req;
    return http_text(res, "answer") < 0 ? 500 : 200;
}

static int answers_much(struct http_request *req, struct http_response *res)
{
    static char much[100000];

    (void)req;
    return http_write(res, much, sizeof much) < 0 ? 500 : 200;
}

static int fails(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    return 500;
}

static int drops(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    return -1;
}

static int twice(struct http_request *req, struct http_response *res)
{
    (void)res;
    CHECK_EQ(http_on_end(req, note_twice, req), 0);
    return 204;
}

static int waits(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    CHECK_EQ(co_sleep_until(CO_FOREVER), -1);
    return -1;
}

static int reads(struct http_request *req, struct http_response *res)
{
    char buf[100];
    ssize_t n;

    (void)res;
    while ((n = http_body(req, buf, sizeof buf, CO_FOREVER)) > 0)
        ;
    return n < 0 ? -1 : 204;
}

/* Until the client has gone. */
static int streams(struct http_request *req, struct http_response *res)
{
    static char piece[65536];

    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    while (http_write(res, piece, sizeof piece) == 0)
        ;
    return 200;
}

static const struct http_route routes[] = {
    { NULL, "/answers", answers, NULL, 0 },
    { NULL, "/answers_much", answers_much, NULL, 0 },
    { NULL, "/fails", fails, NULL, 0 },
    { NULL, "/drops", drops, NULL, 0 },
    { NULL, "/twice", twice, NULL, 0 },
    { NULL, "/waits", waits, NULL, 0 },
    { NULL, "/reads", reads, NULL, 0 },
    { NULL, "/streams", streams, NULL, 0 },
    { 0 },
};

static http_handler *const before[] = { plan, NULL };

static const struct http_config plain = { .routes = routes, .before = before };

/* Those that end a request may run behind its answer. */
static void check_called(const char *what)
{
    int64_t deadline = SOON;

    while (calls < strlen(what) && co_now() < deadline)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    if (strcmp(called, what) != 0)
        fprintf(stderr, "called: '%s', not '%s'\n", called, what);
    CHECK(strcmp(called, what) == 0);
    calls = 0;
    called[0] = '\0';
}

static void in_reverse(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /answers?abc HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "answer"));
    check_called("cba");
    CHECK_EQ(ask(k, "GET /answers HTTP/1.1\r\n" END), 200);
    check_called("");
    CHECK_EQ(ask(k, "GET /answers_much?de HTTP/1.1\r\n" END), 200);
    check_called("ed");
    CHECK_EQ(ask(k, "GET /twice?f HTTP/1.1\r\n" END), 204);
    check_called("12f");
    /* Several that came together; and one whose body nobody reads. */
    say(k, "GET /answers?a HTTP/1.1\r\n" END
           "POST /answers?bc HTTP/1.1\r\nContent-Length: 3\r\n" END "xyz"
           "GET /none?d HTTP/1.1\r\n" END);
    CHECK_EQ(answer(k), 200);
    CHECK_EQ(answer(k), 200);
    CHECK_EQ(answer(k), 404);
    check_called("acbd");
    client_close(k);
    web_stop(&web);
}

static void on_failure(void *arg)
{
    struct http_config config = plain;
    struct client *k;
    struct web web;

    (void)arg;
    config.handler_timeout = 50 * CO_MSEC;
    web_start(&web, &config, NULL);
    CHECK_EQ(ask_once(&web, "GET /fails?ab HTTP/1.1\r\n" END), 500);
    check_called("ba");
    CHECK_EQ(ask_once(&web, "GET /drops?ab HTTP/1.1\r\n" END), 0);
    check_called("ba");
    CHECK_EQ(ask_once(&web, "GET /waits?ab HTTP/1.1\r\n" END), 503);
    check_called("ba");
    CHECK_EQ(ask_once(&web, "POST /reads?ab HTTP/1.1\r\n"
                            "Transfer-Encoding: chunked\r\n" END "nonsense"),
             400);
    check_called("ba");
    /* A body that ends too early, and a client that goes. */
    k = client_open(&web);
    say(k, "POST /reads?ab HTTP/1.1\r\nContent-Length: 3\r\n" END "x");
    client_close(k);
    check_called("ba");
    k = client_open(&web);
    say(k, "GET /streams?ab HTTP/1.1\r\n" END);
    CHECK(client_read(k));
    client_close(k);
    check_called("ba");
    web_stop(&web);
}

/* They may wait, but not write. */
static void at_work(void *arg)
{
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    CHECK_EQ(ask_once(&web, "GET /answers?aSWb HTTP/1.1\r\n" END), 200);
    check_called("bWSa");
    web_stop(&web);
}

/* The handler is cancelled, but what it leaves is cleaned up. */
static void when_stopped(void *arg)
{
    struct net_listen_options options = { .grace = 1 };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, &options);
    k = client_open(&web);
    answering = NULL;
    say(k, "GET /waits?aSb HTTP/1.1\r\n" END);
    while (answering == NULL)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    web_stop(&web);
    check_called("bSa");
    CHECK_CLOSED(k);
    client_close(k);
}

/* One scheduler, so that the notes need no lock. */
#define RUN_ONE(fn)                                                            \
    do {                                                                       \
        struct co_config one = { .schedulers = 1 };                            \
                                                                               \
        fprintf(stderr, "  %s\n", #fn);                                        \
        CHECK_EQ(co_run(fn, NULL, &one), 0);                                   \
    } while (0)

int main(void)
{
    RUN_ONE(in_reverse);
    RUN_ONE(on_failure);
    RUN_ONE(at_work);
    RUN_ONE(when_stopped);
    return 0;
}
