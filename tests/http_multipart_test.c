/* http_multipart_test.c - a form part by part, as a handler reads it: however
 * little at a time, as much of it as it likes, whichever way it comes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/form_kit.h"
#include <limits.h>

static struct http_form_config limits;

/* How many bytes at a time, and of how many parts, the query says: "step=1" and
 * "parts=2".  Answers what was read, with a bar behind each part. */
static int shows(struct http_request *req, struct http_response *res)
{
    const char *step = http_query(req, "step"),
               *parts = http_query(req, "parts");
    long size = step != NULL ? atol(step) : 1000;
    long count = parts != NULL ? atol(parts) : LONG_MAX;
    struct http_multipart *m;
    int status = http_multipart_open(req, &limits, &m), more = 0;
    struct http_part part;
    char buf[1000];
    ssize_t n = 0;

    if (status != 0)
        return status;
    CHECK_EQ(http_multipart_read(m, buf, 1, CO_FOREVER), 0); /* of none */
    while (count-- > 0 &&
           (more = http_multipart_next(m, &part, CO_FOREVER)) > 0) {
        http_printf(res, "%s:%s:%s=", part.name,
                    part.filename == NULL ? "-" : part.filename, part.type);
        CHECK_EQ(http_multipart_read(m, buf, 0, CO_FOREVER), 0);
        while (size > 0 &&
               (n = http_multipart_read(m, buf, (size_t)size, CO_FOREVER)) > 0)
            http_write(res, buf, (size_t)n);
        if (n < 0)
            break;
        http_text(res, "|");
        CHECK(size == 0 || http_multipart_read(m, buf, 1, CO_FOREVER) == 0);
    }
    if (more >= 0 && n >= 0) {
        CHECK_EQ(http_multipart_status(m), 0);
        if (more == 0 && count >= 0)
            CHECK_EQ(http_multipart_next(m, &part, CO_FOREVER), 0);
        return 200;
    }
    CHECK(http_multipart_status(m) >= 400);
    CHECK_EQ(http_multipart_next(m, &part, CO_FOREVER), -1);
    CHECK_EQ(http_multipart_read(m, buf, 1, CO_FOREVER), -1);
    http_printf(res, "errno %d", errno);
    return http_multipart_status(m);
}

static const struct http_route routes[] = {
    { NULL, "/", shows, NULL, 0 },
    { 0 },
};

static const struct http_config plain = { .routes = routes };

static struct body *b;

static void three_parts(void)
{
    b->len = 0;
    body_field(b, "a", "1234567890");
    body_file(b, "b", "c/d", "x\r\n--y\r\n", 8);
    body_field(b, "e", "");
    body_end(b);
}

#define THREE                                                                  \
    "a:-:text/plain=1234567890|b:d:application/octet-stream=x\r\n--y\r\n|"     \
    "e:-:text/plain=|"

static void steps(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    three_parts();
    for (int step = 1; step < 20; step++) {
        char path[32];

        (void)snprintf(path, sizeof path, "/?step=%d", step);
        CHECK_EQ(post(k, path, MULTIPART, b), 200);
        CHECK(body_is(k, THREE));
    }
    /* Not what is in them, nor all of them: the next request comes. */
    CHECK_EQ(post(k, "/?step=0", MULTIPART, b), 200);
    CHECK(body_is(k, "a:-:text/plain=|b:d:application/octet-stream=|"
                     "e:-:text/plain=|"));
    for (int parts = 0; parts < 5; parts++) {
        char path[32];

        (void)snprintf(path, sizeof path, "/?parts=%d", parts);
        CHECK_EQ(post(k, path, MULTIPART, b), 200);
        CHECK(memcmp(k->body, THREE, k->body_len) == 0);
    }
    client_close(k);
    web_stop(&web);
}

/* Each byte on its own, as packets go and as chunks. */
static void byte_by_byte(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    three_parts();
    post_but(k, "/", MULTIPART, b, b->len);
    for (size_t i = 0; i < b->len; i++) {
        CHECK_EQ(net_write(k->c, b->data + i, 1, SOON), 0);
        co_yield_now();
    }
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, THREE));
    say(k, "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
           "Content-Type: " MULTIPART "\r\n" END);
    for (size_t i = 0; i < b->len; i++) {
        char chunk[] = "1\r\nx\r\n";

        chunk[3] = b->data[i];
        CHECK_EQ(net_write(k->c, chunk, sizeof chunk - 1, SOON), 0);
    }
    say(k, "0\r\n\r\n");
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, THREE));
    client_close(k);
    web_stop(&web);
}

/* Beside other requests, and when the client asks before it sends. */
static void among_others(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    three_parts();
    for (int i = 0; i < 3; i++)
        post_but(k, "/", MULTIPART, b, 0);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, THREE));
    }
    say(k, "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 7\r\n"
           "Content-Type: multipart/form-data; boundary=a\r\n" END);
    CHECK_EQ(answer(k), 100);
    say(k, "--a--\r\n");
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, ""));
    /* Not when the head alone says that it is nothing for us. */
    CHECK_EQ(ask(k, "POST / HTTP/1.1\r\nExpect: 100-continue\r\n"
                    "Content-Length: 7\r\nContent-Type: text/plain\r\n" END),
             415);
    client_close(k);
    web_stop(&web);
}

/* What came before the fault was right. */
static void faults(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    three_parts();
    b->len -= 4;
    CHECK_EQ(post(k, "/", MULTIPART, b), 400);
    CHECK(memcmp(k->body, THREE "errno", sizeof THREE + 4) == 0);
    three_parts();
    b->len -= sizeof BOUNDARY + 20;
    CHECK_EQ(post(k, "/", MULTIPART, b), 400);
    limits = (struct http_form_config){ .fields = 1, .files = 1 };
    three_parts();
    CHECK_EQ(post(k, "/", MULTIPART, b), 413);
    limits = (struct http_form_config){ .fields = 1, .files = 2 };
    CHECK_EQ(post(k, "/", MULTIPART, b), 200);
    CHECK(body_is(k, THREE));
    limits = (struct http_form_config){ .head_bytes = 50 };
    CHECK_EQ(post(k, "/", MULTIPART, b), 413);
    /* As much as there can be. */
    limits = (struct http_form_config){ .head_bytes = UINT32_MAX };
    b->len = 0;
    body_print(b,
               "--" BOUNDARY "\r\nContent-Disposition: form-data; "
               "name=%016345d\r\n\r\nx\r\n",
               1);
    body_end(b);
    CHECK_EQ(post(k, "/", MULTIPART, b), 200);
    b->len = 0;
    body_print(b,
               "--" BOUNDARY "\r\nContent-Disposition: form-data; "
               "name=%016346d\r\n\r\nx\r\n",
               1);
    body_end(b);
    CHECK_EQ(post(k, "/", MULTIPART, b), 413);
    limits = (struct http_form_config){ 0 };
    client_close(k);
    web_stop(&web);
}

/* Parts of all sizes around that of the buffer, with bytes between them that
 * look like the end. */
static void large(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    for (size_t size = 65536 - 300; size < 65536 + 10; size += 7) {
        size_t begin;

        b->len = 0;
        body_file(b, "a", "b", "", 0);
        b->len -= 2;
        begin = b->len;
        while (b->len < begin + size)
            body_print(b, "\r\n--%.*s", (int)(b->len % 12), BOUNDARY);
        size = b->len - begin;
        body_print(b, "\r\n");
        body_end(b);
        CHECK_EQ(post(k, "/", MULTIPART, b), 200);
        CHECK(k->body_len > size + 2);
        CHECK(memcmp(k->body + k->body_len - size - 1, b->data + begin, size) ==
              0);
        k->len = k->consumed = 0;
    }
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    RUN_CO(steps);
    RUN_CO(byte_by_byte);
    RUN_CO(among_others);
    RUN_CO(faults);
    RUN_CO(large);
    free(b);
    return 0;
}
