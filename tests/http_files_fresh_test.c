/* http_files_fresh_test.c - what the program itself has changed is what the
 * next answer has, whoever else asks meanwhile.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files.h"
#include "tests/files_kit.h"
#include "tests/web_kit.h"

enum { ROUNDS = 5 };

static struct http_files *files;
static struct web web;
static char version[20];

static int write_it(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    file_text("a.txt", version);
    return 204;
}

/* Others look at the old one before. */
static int write_and_send(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(ask_once(&web, "GET /a.txt HTTP/1.1\r\n" END), 200);
    file_text("a.txt", version);
    return http_files_send(files, req, res, "a.txt");
}

/* As the other handler has it. */
static int write_and_go_on(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(ask_once(&web, "GET /a.txt HTTP/1.1\r\n" END), 200);
    file_text("a.txt", version);
    return http_files(req, res);
}

static int write_before(struct http_request *req, struct http_response *res)
{
    (void)res;
    if (strcmp(req->query, "write") != 0)
        return 0;
    CHECK_EQ(ask_once(&web, "GET /a.txt HTTP/1.1\r\n" END), 200);
    file_text("a.txt", version);
    return 0;
}

static http_handler *const before[] = { write_before, NULL };

static void next_version(int i)
{
    (void)snprintf(version, sizeof version, "version %d", i);
    file_settle(); /* so that the last one is kept */
}

/* Requests that come together are answered in one turn of the loop. */
static void behind_one_another(void)
{
    struct client *k = client_open(&web);

    for (int i = 0; i < ROUNDS; i++) {
        next_version(i);
        say(k, "GET /a.txt HTTP/1.1\r\n" END "GET /a.txt HTTP/1.1\r\n" END
               "GET /write HTTP/1.1\r\n" END "GET /a.txt HTTP/1.1\r\n" END);
        CHECK_EQ(answer(k), 200);
        CHECK_EQ(answer(k), 200);
        CHECK_EQ(answer(k), 204);
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, version));
    }
    client_close(k);
}

static void in_one_request(const char *target)
{
    struct client *k = client_open(&web);
    char text[100];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, target);
    for (int i = 0; i < ROUNDS; i++) {
        next_version(100 + i);
        CHECK_EQ(ask(k, "GET /a.txt HTTP/1.1\r\n" END), 200);
        CHECK_EQ(ask(k, text), 200);
        CHECK(body_is(k, version));
    }
    client_close(k);
}

static void serve(const struct http_config *config, void (*test)(void))
{
    web_start(&web, config, NULL);
    test();
    web_stop(&web);
}

static void by_handlers(void)
{
    behind_one_another();
    in_one_request("/send");
    in_one_request("/any/a.txt");
}

static void by_hooks(void) { in_one_request("/a.txt?write"); }

static void root(void *arg)
{
    const struct http_route routes[] = {
        { "GET", "/*", http_files, files, 0 },
        { "GET", "/write", write_it, NULL, 0 },
        { "GET", "/send", write_and_send, NULL, 0 },
        { "GET", "/any/*", write_and_go_on, files, 0 },
        { 0 },
    };

    (void)arg;
    serve(&(struct http_config){ .routes = routes }, by_handlers);
    serve(&(struct http_config){ .routes = routes, .before = before },
          by_hooks);
}

int main(void)
{
    struct http_files_config config = { .root = files_root };

    files_make();
    file_text("a.txt", "first");
    files = http_files_open(&config);
    CHECK(files != NULL);
    RUN_CO(root);
    http_files_close(files);
    return 0;
}
