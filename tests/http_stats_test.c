/* http_stats_test.c - what a server counts: each request once, however it ends,
 * on whichever scheduler; connections; times, when they are wanted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_server.h"
#include "tests/hold_kit.h"

/* ---- Times -----------------------------------------------------------------
 */

static void places(void)
{
    uint64_t random = 1;

    CHECK_EQ(http_stats_time(0), 100);
    CHECK_EQ(http_stats_time(1), 120);
    CHECK_EQ(http_stats_time(14), 900);
    CHECK_EQ(http_stats_time(15), 1000);
    CHECK_EQ(http_stats_time(HTTP_TIMES - 2), 10 * CO_SECOND);
    CHECK_EQ(http_stats_time(HTTP_TIMES - 1), CO_FOREVER);
    CHECK_EQ(http_stats_time(HTTP_TIMES), CO_FOREVER);
    for (unsigned i = 0; i < HTTP_TIMES - 1; i++) {
        CHECK(http_stats_time(i) < http_stats_time(i + 1));
        CHECK_EQ(http_stats_place(http_stats_time(i)), i + 1);
        CHECK_EQ(http_stats_place(http_stats_time(i) - 1), i);
    }
    for (long i = test_count(1000000); i > 0; i--) {
        int64_t ns;
        unsigned at;

        random = random * 6364136223846793005u + 1442695040888963407u;
        ns = (int64_t)(random >> (1 + random % 60));
        at = http_stats_place(ns);
        CHECK(at < HTTP_TIMES);
        CHECK(ns < http_stats_time(at) || at == HTTP_TIMES - 1);
        CHECK(at == 0 || ns >= http_stats_time(at - 1));
    }
    CHECK_EQ(http_stats_place(0), 0);
    CHECK_EQ(http_stats_place(INT64_MAX), HTTP_TIMES - 1);
}

static void shares(void)
{
    struct http_stats s = { 0 };

    CHECK_EQ(http_stats_quantile(&s, 0.5), 0);
    s.times[3] = 90;
    s.times[20] = 9;
    s.times[HTTP_TIMES - 1] = 1;
    CHECK_EQ(http_stats_quantile(&s, 0), http_stats_time(0));
    CHECK_EQ(http_stats_quantile(&s, 0.5), http_stats_time(3));
    CHECK_EQ(http_stats_quantile(&s, 0.9), http_stats_time(3));
    CHECK_EQ(http_stats_quantile(&s, 0.91), http_stats_time(20));
    CHECK_EQ(http_stats_quantile(&s, 0.99), http_stats_time(20));
    CHECK_EQ(http_stats_quantile(&s, 1), CO_FOREVER);
}

/* ---- A server --------------------------------------------------------------
 */

static struct http_stats seen;
static int look(struct http_request *req, struct http_response *res)
{
    http_stats(req, &seen);
    CHECK_EQ(http_text(res, "seen"), 0);
    return 200;
}

static int status(struct http_request *req, struct http_response *res)
{
    int code = atoi(http_param(req, "code"));

    if (code < 300)
        CHECK_EQ(http_text(res, "12345"), 0);
    return code;
}

static int stream(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(http_text(res, "1234567890"), 0);
    return 200;
}

static int nap(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    CHECK_EQ(co_sleep_until(co_after(5 * CO_MSEC)), 0);
    return 204;
}

static const struct http_route routes[] = {
    { "GET", "/look", look, NULL, 0 },
    { "GET", "/status/:code", status, NULL, 0 },
    { "GET", "/stream", stream, NULL, 0 },
    { "GET", "/nap", nap, NULL, 0 },
    { "GET", "/hold", hold, NULL, 0 },
    { 0 },
};

static void ask_for(struct client *k, const char *what)
{
    char text[128];

    k->len = k->consumed = 0;
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, what);
    (void)ask(k, text);
}

static void requests(void *arg)
{
    static const struct http_config config = { .routes = routes };
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    ask_for(k, "/look");
    CHECK_EQ(seen.requests, 0); /* it is not over */
    ask_for(k, "/status/200");
    ask_for(k, "/status/201");
    ask_for(k, "/status/304");
    ask_for(k, "/status/404");
    ask_for(k, "/none");
    ask_for(k, "/status/503");
    ask_for(k, "/status/999");
    ask_for(k, "/look");
    CHECK_EQ(seen.requests, 8);
    CHECK_EQ(seen.by_class[0] + seen.by_class[1], 0);
    CHECK_EQ(seen.by_class[2], 3);
    CHECK_EQ(seen.by_class[3], 1);
    CHECK_EQ(seen.by_class[4], 2);
    CHECK_EQ(seen.by_class[5], 2);
    CHECK_EQ(seen.bytes_out, 4 + 5 + 5 + 2 * strlen("404 Not Found\n") +
                                 strlen("503 Service Unavailable\n") +
                                 strlen("500 Internal Server Error\n"));
    CHECK_EQ(seen.time_sum, 0);
    CHECK_EQ(http_stats_quantile(&seen, 1), 0);

    /* A body that is none, one in pieces, several at once. */
    ask_for(k, "/look");
    uint64_t before = seen.bytes_out;
    say(k, "HEAD /status/200 HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    ask_for(k, "/stream");
    say(k, "GET /status/200 HTTP/1.1\r\n" END "GET /status/200 HTTP/1.1\r\n" END
           "GET /look HTTP/1.1\r\n" END);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(answer(k), 200);
    CHECK_EQ(seen.bytes_out - before, 4 + 30 + 5 + 5);
    CHECK_EQ(seen.by_class[2], 9);
    client_close(k);

    /* Left without an answer, and refused. */
    CHECK_EQ(ask_once(&web, "GET /status/-1 HTTP/1.1\r\n" END), 0);
    CHECK_EQ(ask_once(&web, "GET\r\n\r\n"), 400);
    k = client_open(&web);
    ask_for(k, "/look");
    CHECK_EQ(seen.by_class[0], 1);
    CHECK_EQ(seen.by_class[4], 3);
    client_close(k);
    web_stop(&web);
}

static void times(void *arg)
{
    static const struct http_config config = { .routes = routes,
                                               .measure = true };
    struct web web;
    struct client *k;
    uint64_t count = 0;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < 3; i++)
        ask_for(k, "/nap");
    ask_for(k, "/look");
    for (unsigned i = 0; i < HTTP_TIMES; i++)
        count += seen.times[i];
    CHECK_EQ(count, 3);
    CHECK(seen.time_sum >= 15 * CO_MSEC);
    CHECK(seen.time_sum < 60 * CO_SECOND);
    CHECK(http_stats_quantile(&seen, 0.01) > 5 * CO_MSEC);
    client_close(k);
    web_stop(&web);
}

/* Until the server has done what its client already knows of. */
static void look_until(struct client *k, uint64_t conns, uint64_t idle)
{
    int64_t end = SOON;

    do {
        CHECK(co_now() < end);
        ask_for(k, "/look");
    } while (seen.conns != conns || seen.idle != idle);
}

static void conns(void *arg)
{
    enum { CONNS = 12 };
    static const struct http_config config = { .routes = routes,
                                               .max_conns = CONNS };
    struct client *k[CONNS];
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    for (int i = 0; i < CONNS; i++) {
        k[i] = client_open(&web);
        ask_for(k[i], "/status/204");
    }
    look_until(k[0], CONNS, CONNS - 1); /* but the one that looks */
    CHECK_EQ(seen.accepted, CONNS);
    CHECK_EQ(seen.turned_away, 0);
    CHECK_EQ(ask_once(&web, "GET / HTTP/1.1\r\n" END), 503);
    for (int i = 1; i < 4; i++) {
        hold_begin(k[i]);
    }
    look_until(k[0], CONNS, CONNS - 4);
    CHECK_EQ(seen.turned_away, 1);
    CHECK_EQ(seen.accepted, CONNS + 1);
    for (int i = 1; i < 4; i++)
        co_sem_post(&hold_end);
    for (int i = 1; i < 4; i++)
        CHECK_EQ(answer(k[i]), 204);
    for (int i = 1; i < CONNS; i++)
        client_close(k[i]);
    look_until(k[0], 1, 0);
    client_close(k[0]);
    web_stop(&web);
}

/* ---- All schedulers at once ------------------------------------------------
 */

struct load {
    struct web *web;
    long count;
    struct co_group group;
};

static void load(void *arg)
{
    struct load *l = arg;
    struct client *k = client_open(l->web);

    for (long i = 0; i < l->count; i++)
        ask_for(k, "/status/200");
    client_close(k);
}

/* What is seen meanwhile only grows. */
static void sums(void *arg)
{
    enum { CLIENTS = 8 };
    static const struct http_config config = { .routes = routes,
                                               .measure = true };
    struct web web;
    struct load l = { .web = &web, .count = test_count(5000) };
    struct client *k;
    uint64_t before = 0, count = 0, looks = 0;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int i = 0; i < CLIENTS; i++)
        CHECK_EQ(co_group_go(&l.group, load, &l), 0);
    while (co_group_wait(&l.group, co_after(CO_MSEC)) < 0) {
        ask_for(k, "/look");
        looks++;
        CHECK(seen.requests >= before);
        CHECK(seen.idle <= seen.conns);
        before = seen.requests;
    }
    ask_for(k, "/look");
    CHECK_EQ(seen.requests, (uint64_t)(CLIENTS * l.count) + looks);
    CHECK_EQ(seen.by_class[2], seen.requests);
    CHECK_EQ(seen.accepted, CLIENTS + 1);
    CHECK_EQ(seen.bytes_out, (uint64_t)(CLIENTS * l.count * 5) + 4 * looks);
    for (unsigned i = 0; i < HTTP_TIMES; i++)
        count += seen.times[i];
    CHECK_EQ(count, seen.requests);
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    RUN(places);
    RUN(shares);
    RUN_CO(requests);
    RUN_CO(times);
    RUN_CO(conns);
    RUN_CO(sums);
    return 0;
}
