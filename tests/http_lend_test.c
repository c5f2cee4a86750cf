/* http_lend_test.c - bodies that stand elsewhere.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/files_kit.h"
#include "tests/web_kit.h"
#include <stdatomic.h>

enum { FILE_BYTES = 3 * 1024 * 1024, SHRUNK = 100000 };

static char memory[200000];
static atomic_int lent, given_back;
static char fault[400];

static void give_back(void *arg)
{
    CHECK(arg == memory);
    atomic_fetch_add(&given_back, 1);
}

static int lend(struct http_response *res, size_t at, size_t len)
{
    atomic_fetch_add(&lent, 1);
    return http_lend(res, memory + at, len, give_back, memory);
}

/* ?LENGTH of memory, behind some text. */
static int of_memory(struct http_request *req, struct http_response *res)
{
    size_t len = (size_t)atol(req->query);

    if (len % 2 == 1)
        CHECK_EQ(http_text(res, "written"), 0);
    CHECK_EQ(lend(res, 0, len), 0);
    return 200;
}

static int of_parts(struct http_request *req, struct http_response *res)
{
    char *text = http_alloc(req, 6);

    CHECK(text != NULL);
    strcpy(text, "alloc");
    CHECK_EQ(http_text(res, "<"), 0);
    for (int i = 0; i < 20; i++)
        CHECK_EQ(lend(res, (size_t)i, 1), 0);
    CHECK_EQ(http_sendfile(res, *(const int *)req->arg, 100, 5, NULL, NULL), 0);
    CHECK_EQ(http_lend(res, text, 5, NULL, NULL), 0);
    CHECK_EQ(http_sendfile(res, *(const int *)req->arg, 0, 2, NULL, NULL), 0);
    CHECK_EQ(lend(res, 26, 3000), 0);
    return 203;
}

static int of_file(struct http_request *req, struct http_response *res)
{
    uint64_t len = strtoul(req->query, NULL, 10);

    atomic_fetch_add(&lent, 1);
    CHECK_EQ(
        http_sendfile(res, *(const int *)req->arg, 0, len, give_back, memory),
        0);
    return 200;
}

/* What is lent is given back, whatever comes of the answer. */
static int misuse(struct http_request *req, struct http_response *res)
{
    int kind = atoi(req->query);

    CHECK_EQ(lend(res, 0, 5000), 0);
    if (kind == 0) { /* nothing is written behind it */
        CHECK_EQ(http_text(res, "x"), -1);
        CHECK_EQ(errno, EINVAL);
        return 200;
    }
    if (kind == 1)
        return 204;
    if (kind == 2) {
        CHECK_EQ(http_stream(res, 200), -1);
        CHECK_EQ(errno, EINVAL);
        return 500;
    }
    if (kind == 3) {
        CHECK_EQ(http_sendfile(res, 0, -1, 5, NULL, NULL), -1);
        CHECK_EQ(errno, EINVAL);
        return 200;
    }
    return -1;
}

static int streams(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    CHECK_EQ(lend(res, 0, 5000), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(http_text(res, "x"), 0);
    return 200;
}

static void note_fault(void *app, const char *line, size_t len)
{
    (void)app;
    (void)snprintf(fault, sizeof fault, "%.*s", (int)len, line);
}

static int file_fd, shrunk_fd;

static const struct http_route routes[] = {
    { "GET", "/memory", of_memory, NULL, 0 },
    { "GET", "/parts", of_parts, &file_fd, 0 },
    { "GET", "/file", of_file, &file_fd, 0 },
    { "GET", "/shrunk", of_file, &shrunk_fd, 0 },
    { "GET", "/misuse", misuse, NULL, 0 },
    { "GET", "/streams", streams, NULL, 0 },
    { 0 },
};

static struct web web;

static void start(int64_t write_timeout)
{
    struct http_config config = { .routes = routes,
                                  .fault = note_fault,
                                  .write_timeout = write_timeout };

    fault[0] = '\0';
    web_start(&web, &config, NULL);
}

/* Once the server has stopped, nothing is lent any more. */
static void stop(void)
{
    web_stop(&web);
    CHECK_EQ(atomic_load(&lent), atomic_load(&given_back));
}

static void check_memory(struct client *k, size_t len)
{
    size_t text = len % 2 == 1 ? 7 : 0;

    CHECK_EQ(k->status, 200);
    CHECK_EQ(k->body_len, text + len);
    CHECK(memcmp(k->body, "written", text) == 0);
    CHECK(memcmp(k->body + text, memory, len) == 0);
    CHECK(strcmp(field(k, "Content-Type"),
                 text != 0 ? "text/plain; charset=utf-8"
                           : "application/octet-stream") == 0);
}

static void sends_memory(void)
{
    static const size_t sizes[] = { 0,     1,     5,     2047,  2048,
                                    2049,  4095,  11000, 12001, 16384,
                                    65536, 65537, 199999 };
    struct client *k = client_open(&web);
    char text[100];

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)snprintf(text, sizeof text, "GET /memory?%zu HTTP/1.1\r\n" END,
                       sizes[i]);
        (void)ask(k, text);
        check_memory(k, sizes[i]);
        k->len = k->consumed = 0;
        memcpy(text, "HEAD", 4);
        (void)snprintf(text, sizeof text, "HEAD /memory?%zu HTTP/1.1\r\n" END,
                       sizes[i]);
        say(k, text);
        CHECK_EQ(answer_to(k, true), 200);
        CHECK_EQ(atol(field(k, "Content-Length")),
                 (long)(sizes[i] + (sizes[i] % 2 == 1 ? 7 : 0)));
    }
    client_close(k);
}

/* In a pipeline, small and large ones mixed. */
static void sends_in_order(void)
{
    static const size_t sizes[] = { 10, 1001, 30000, 2, 0, 2500, 77, 40001 };
    struct client *k = client_open(&web);
    char text[1000] = "";

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        (void)sprintf(text + strlen(text), "GET /memory?%zu HTTP/1.1\r\n" END,
                      sizes[i]);
    say(k, text);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)answer(k);
        check_memory(k, sizes[i]);
    }
    client_close(k);
}

static void sends_parts(void)
{
    struct client *k = client_open(&web);
    char *p;

    for (int i = 0; i < 2; i++) {
        CHECK_EQ(ask(k, "GET /parts HTTP/1.1\r\n" END), 203);
        CHECK_EQ(k->body_len, 1 + 20 + 5 + 5 + 2 + 3000);
        p = k->body;
        CHECK(*p++ == '<');
        CHECK(memcmp(p, memory, 20) == 0);
        p += 20;
        for (size_t j = 0; j < 5; j++)
            CHECK_EQ(*p++, file_byte(100 + j));
        CHECK(memcmp(p, "alloc", 5) == 0);
        CHECK_EQ(p[5], file_byte(0));
        CHECK(memcmp(p + 7, memory + 26, 3000) == 0);
    }
    client_close(k);
}

/* Bytes of the file, from its first one, as they come. */
static size_t take_file(struct client *k, size_t len)
{
    static char buf[100000];
    size_t got = 0;
    ssize_t n;

    while (got < len && (n = net_read(k->c, buf, sizeof buf, SOON)) > 0)
        for (ssize_t i = 0; i < n; i++)
            CHECK_EQ(buf[i], file_byte(got++));
    return got;
}

/* The head alone: byte by byte, since what follows it is not for the buffer. */
static void take_head(struct client *k)
{
    size_t n = 0;

    do
        CHECK_EQ(net_read(k->c, k->head + n, 1, SOON), 1);
    while (++n < 4 || memcmp(k->head + n - 4, "\r\n\r\n", 4) != 0);
    k->head[n] = '\0';
}

static void sends_files(void)
{
    struct client *k = client_open(&web);
    char text[100];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "GET /file?%d HTTP/1.1\r\n" END,
                       FILE_BYTES);
        say(k, text);
        take_head(k);
        CHECK_EQ(atoi(field(k, "Content-Length")), FILE_BYTES);
        CHECK_EQ(take_file(k, FILE_BYTES), FILE_BYTES);
    }
    client_close(k);
}

/* The connection ends where the file does, and somebody is told. */
static void ends_with_the_file(void)
{
    struct client *k = client_open(&web);
    char text[100];

    (void)snprintf(text, sizeof text, "GET /shrunk?%d HTTP/1.1\r\n" END END,
                   2 * SHRUNK);
    say(k, text);
    take_head(k);
    CHECK_EQ(atoi(field(k, "Content-Length")), 2 * SHRUNK);
    CHECK_EQ(take_file(k, SIZE_MAX), SHRUNK);
    client_close(k);
    stop();
    CHECK(strcmp(fault,
                 "127.0.0.1: GET /shrunk: broke off after 100000 of 200000 "
                 "bytes: the file ended early") == 0);
}

static void gives_back(void)
{
    char text[100];

    for (int i = 0; i < 5; i++) {
        struct client *k = client_open(&web);
        static const int statuses[] = { 500, 204, 500, 200, 0 };

        (void)snprintf(text, sizeof text, "GET /misuse?%d HTTP/1.1\r\n" END, i);
        CHECK_EQ(ask(k, text), statuses[i]);
        if (i == 1)
            CHECK_EQ(k->body_len, 0);
        client_close(k);
    }
    CHECK_EQ(ask_once(&web, "GET /streams HTTP/1.1\r\n" END), 200);
}

/* Of clients that go, or take nothing, the connection and the file are let go
 * of. */
static void drops_clients(void)
{
    struct client *k = client_open(&web);
    char text[100];

    (void)snprintf(text, sizeof text, "GET /file?%d HTTP/1.1\r\n" END,
                   FILE_BYTES);
    for (int i = 0; i < 8; i++)
        say(k, text);
    take_head(k);
    client_close(k);
    stop();
    CHECK(strstr(fault, "GET /file: broke off after ") != NULL);
}

static void silent_client(void)
{
    struct client *k = client_open(&web);
    char text[100];
    int64_t begun = co_now();

    (void)snprintf(text, sizeof text, "GET /file?%d HTTP/1.1\r\n" END,
                   FILE_BYTES);
    for (int i = 0; i < 8; i++) /* more than the kernel's buffers hold */
        say(k, text);
    while (atomic_load(&lent) == 0 ||
           atomic_load(&lent) != atomic_load(&given_back) || fault[0] == '\0')
        CHECK(co_sleep_until(co_after(CO_MSEC)) == 0 &&
              co_now() < begun + 20 * CO_SECOND);
    CHECK(strstr(fault, "timed out") != NULL);
    client_close(k);
    stop();
}

static void root(void *arg)
{
    (void)arg;
    start(0);
    sends_memory();
    sends_in_order();
    sends_parts();
    sends_files();
    gives_back();
    stop();
    start(0);
    ends_with_the_file();
    start(0);
    drops_clients();
    start(300 * CO_MSEC);
    silent_client();
}

int main(void)
{
    int fds;

    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = (char)('A' + i % 25);
    files_make();
    file_large("large", FILE_BYTES);
    file_large("shrunk", SHRUNK);
    file_fd = open(file_path("large"), O_RDONLY);
    shrunk_fd = open(file_path("shrunk"), O_RDONLY);
    CHECK(file_fd >= 0 && shrunk_fd >= 0);
    fds = fds_open();
    RUN_CO(root);
    CHECK_EQ(fds_open(), fds);
    return 0;
}
