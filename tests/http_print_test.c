/* http_print_test.c - http_printf() prints what snprintf() does, wherever the
 * body stands, and parameters are the same in the middle of a path and at its
 * end.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"
#include <limits.h>

enum { WANTED_MAX = 512 * 1024 };

static char wanted[WANTED_MAX];
static size_t wanted_len;

/* Into the answer, and as it should be into wanted. */
#define PRINT(res, ...)                                                        \
    do {                                                                       \
        CHECK_EQ(http_printf((res), __VA_ARGS__), 0);                          \
        wanted_len += (size_t)snprintf(wanted + wanted_len,                    \
                                       WANTED_MAX - wanted_len, __VA_ARGS__);  \
    } while (0)

/* The compiler need not see what is printed. */
static const char *volatile nothing;
static const char *volatile empty = "";

static void print_all(struct http_response *res, int i)
{
    PRINT(res, "%s", empty);
    PRINT(res, "text\n");
    PRINT(res, "%s", "string");
    PRINT(res, "<%s, %s>%s", "one", empty, "two");
    PRINT(res, "%d %d %d %d", i, -i, INT_MIN, INT_MAX);
    PRINT(res, "%u %u", (unsigned)i, UINT_MAX);
    PRINT(res, "%ld %ld %ld", (long)i, LONG_MIN, LONG_MAX);
    PRINT(res, "%zu %zu%s", (size_t)i, SIZE_MAX, "|");
    PRINT(res, "%d%%, %s, %5d, %-7s|%.*s", i, "a", i, "b", 2, "word");
    PRINT(res, "%s %s", "before", nothing);
    PRINT(res, "%lld %lu %x %c %.3f %hhu", (long long)i, (unsigned long)i,
          (unsigned)i, 'c', i / 7.0, (unsigned char)i);
}

static int print(struct http_request *req, struct http_response *res)
{
    int rounds = atoi(http_param(req, "rounds"));

    wanted_len = 0;
    for (int i = 0; i < rounds; i++)
        print_all(res, i * i);
    return 200;
}

/* Each length that the body may have when there is just no more room. */
static int fill(struct http_request *req, struct http_response *res)
{
    size_t first = (size_t)atoi(http_param(req, "first"));

    wanted_len = 0;
    PRINT(res, "%0*d", (int)first, 1);
    for (int i = 0; wanted_len < 40000; i++)
        PRINT(res, "%s,%d;%zu", "string", i, first);
    return 200;
}

static int params(struct http_request *req, struct http_response *res)
{
    CHECK(http_param(req, "none") == NULL);
    CHECK_EQ(http_printf(res, "%s|%s|%s|%s", http_param(req, "one"),
                         http_param(req, "two"), http_param(req, "*"),
                         req->path),
             0);
    return 200;
}

static int streamed(struct http_request *req, struct http_response *res)
{
    (void)req;
    wanted_len = 0;
    CHECK_EQ(http_stream(res, 200), 0);
    print_all(res, 5);
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/print/:rounds", print, NULL, 0 },
    { "GET", "/fill/:first", fill, NULL, 0 },
    { "GET", "/params/:one/and/:two/*", params, NULL, 0 },
    { "GET", "/streamed", streamed, NULL, 0 },
    { 0 },
};

static const struct http_config config = { .routes = routes };

static void get(struct client *k, const char *path)
{
    char text[256];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, path);
    k->len = k->consumed = 0;
    CHECK_EQ(ask(k, text), 200);
}

static void get_printed(struct client *k, const char *path)
{
    get(k, path);
    CHECK_EQ(k->body_len, wanted_len);
    CHECK(memcmp(k->body, wanted, wanted_len) == 0);
}

static void root(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    get_printed(k, "/print/1");
    get_printed(k, "/print/300");
    get_printed(k, "/streamed");
    for (int first = 1; first <= 64; first++) {
        char path[64];

        (void)snprintf(path, sizeof path, "/fill/%d", first);
        get_printed(k, path);
    }
    get(k, "/params/a/and/b/c/d");
    CHECK(body_is(k, "a|b|c/d|/params/a/and/b/c/d"));
    get(k, "/params/a%2e/and/b/");
    CHECK(body_is(k, "a.|b||/params/a./and/b/"));
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    run_co(root);
    return 0;
}
