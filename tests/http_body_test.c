/* http_body_test.c - bodies of requests: with a length and chunked, read, left
 * alone, announced, broken and too long.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static int body_errno;

/* Echoes the body, read in pieces of the size that the query says. */
static int echo_body(struct http_request *req, struct http_response *res)
{
    size_t size = strtoul(req->query, NULL, 10);
    char buf[8192];
    ssize_t n;

    while ((n = http_body(req, buf, size > 0 ? size : sizeof buf, SOON)) > 0)
        CHECK_EQ(http_write(res, buf, (size_t)n), 0);
    if (n < 0) {
        body_errno = errno;
        CHECK_EQ(http_body(req, buf, sizeof buf, SOON), -1);
        CHECK_EQ(errno, body_errno);
        return -1;
    }
    CHECK_EQ(http_body(req, buf, sizeof buf, SOON), 0);
    return 200;
}

static int stream_body(struct http_request *req, struct http_response *res)
{
    char buf[8192];
    ssize_t n;

    CHECK_EQ(http_stream(res, 200), 0);
    while ((n = http_body(req, buf, sizeof buf, SOON)) > 0)
        CHECK_EQ(http_write(res, buf, (size_t)n), 0);
    return 200;
}

static int length(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_printf(res, "%lld", (long long)req->content_length), 0);
    return 200;
}

/* Reads one byte and leaves the rest. */
static int taste(struct http_request *req, struct http_response *res)
{
    char c;

    CHECK_EQ(http_body(req, &c, 1, SOON), 1);
    CHECK_EQ(http_write(res, &c, 1), 0);
    return 200;
}

static const struct http_route routes[] = {
    { "POST", "/echo", echo_body, NULL, 0 },
    { "POST", "/stream", stream_body, NULL, 0 },
    { "POST", "/length", length, NULL, 0 },
    { "POST", "/taste", taste, NULL, 0 },
    { "POST", "/small", echo_body, NULL, 10 },
    { 0 },
};

static const struct http_config config = { .routes = routes };

static struct web web;
static struct client *k;

static void with_length(void)
{
    CHECK_EQ(ask(k, "POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" END "abcde"),
             200);
    CHECK(body_is(k, "abcde"));
    CHECK_EQ(ask(k, "POST /echo?2 HTTP/1.1\r\nContent-Length: 5\r\n" END
                    "abcdePOST /length HTTP/1.1\r\nContent-Length: 2\r\n" END
                    "xyPOST /length HTTP/1.1\r\n" END),
             200);
    CHECK(body_is(k, "abcde"));
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, "2"));
    CHECK_EQ(answer(k), 200);
    CHECK(body_is(k, "0"));
}

static void chunked(void)
{
    for (int size = 0; size < 4; size++) {
        char text[512];

        (void)snprintf(text, sizeof text,
                       "POST /echo?%d HTTP/1.1\r\n"
                       "Transfer-Encoding: chunked\r\n" END
                       "3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: x\r\n\r\n"
                       "POST /length HTTP/1.1\r\n"
                       "Transfer-Encoding: chunked\r\n" END
                       "1\r\nx\r\n0\r\n\r\n",
                       size);
        CHECK_EQ(ask(k, text), 200);
        CHECK(body_is(k, "abc0123456789"));
        CHECK_EQ(answer(k), 200);
        CHECK(body_is(k, "-1"));
    }
}

/* Larger than the buffers, sent while the answer is read. */
static void sender(void *arg)
{
    bool chunks = *(bool *)arg;
    char buf[1024];

    for (int i = 0; i < 600; i++) {
        memset(buf, 'a' + i % 26, sizeof buf);
        if (chunks)
            say(k, "400\r\n");
        CHECK_EQ(net_write(k->c, buf, sizeof buf, SOON), 0);
        if (chunks)
            say(k, "\r\n");
    }
    if (chunks)
        say(k, "0\r\n\r\n");
}

static void check_large(const char *path, bool chunks)
{
    char text[256];
    struct co *co;

    k->len = k->consumed = 0;
    (void)snprintf(text, sizeof text, "POST %s HTTP/1.1\r\n%s\r\n" END, path,
                   chunks ? "Transfer-Encoding: chunked"
                          : "Content-Length: 614400");
    say(k, text);
    co = co_spawn(sender, &chunks, NULL);
    CHECK(co != NULL);
    CHECK_EQ(answer(k), 200);
    CHECK_EQ(co_join(co, SOON), 0);
    CHECK_EQ(k->body_len, 614400);
    for (int i = 0; i < 614400; i++)
        CHECK_EQ(k->body[i], 'a' + i / 1024 % 26);
}

static void large(void)
{
    for (int i = 0; i < 4; i++)
        check_large(i / 2 ? "/stream" : "/echo", i % 2);
}

/* A head that leaves no room for the body in its buffer. */
static void long_head(void)
{
    static char text[20000], pad[15900];

    memset(pad, 'p', sizeof pad - 1);
    (void)snprintf(text, sizeof text,
                   "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
                   "X: %s\r\n" END,
                   pad);
    CHECK(strlen(text) < 16384);
    for (int i = 0; i < 3; i++) {
        say(k, text);
        settle();
        say(k, "3\r\nabc\r\n");
        settle();
        CHECK_EQ(ask(k, "3\r\ndef\r\n0\r\n\r\n"), 200);
        CHECK(body_is(k, "abcdef"));
    }
}

static void continues(void)
{
    say(k, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
           "Content-Length: 3\r\n" END);
    CHECK_EQ(answer(k), 100);
    CHECK_EQ(ask(k, "abc"), 200);
    CHECK(body_is(k, "abc"));
    /* The body is there already, so there is nothing to wait for. */
    CHECK_EQ(ask(k, "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
                    "Content-Length: 3\r\n" END "abc"),
             200);
    /* An answer before is not held back. */
    say(k, "POST /length HTTP/1.1\r\n" END
           "POST /echo HTTP/1.1\r\nExpect: 100-continue\r\n"
           "Content-Length: 3\r\n" END);
    CHECK_EQ(answer(k), 200);
    CHECK_EQ(answer(k), 100);
    CHECK_EQ(ask(k, "abc"), 200);
    /* Nobody asks for it: whether it comes is not known, so that was it. */
    say(k, "POST /length HTTP/1.1\r\nExpect: 100-continue\r\n"
           "Content-Length: 3\r\n" END);
    CHECK_EQ(answer(k), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
}

/* What the handler left is taken away, up to a limit. */
static void left_alone(void)
{
    static char text[200000];

    CHECK_EQ(ask(k, "POST /taste HTTP/1.1\r\nContent-Length: 3\r\n" END "abc"),
             200);
    CHECK_EQ(
        ask(k, "POST /taste HTTP/1.1\r\nContent-Length: 30000\r\n" END "x"),
        200);
    CHECK(field(k, "Connection") == NULL);
    memset(text, 'x', 29999);
    CHECK_EQ(net_write(k->c, text, 29999, SOON), 0);
    CHECK_EQ(ask(k, "POST /taste HTTP/1.1\r\n"
                    "Transfer-Encoding: chunked\r\n" END "2\r\nab\r\n"),
             200);
    CHECK_EQ(ask(k, "2\r\nab\r\n0\r\n\r\nPOST /length HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "0"));
    say(k, "POST /taste HTTP/1.1\r\nContent-Length: 200000\r\n" END);
    memset(text, 'x', sizeof text);
    CHECK_EQ(net_write(k->c, text, 1000, SOON), 0);
    CHECK_EQ(answer(k), 200);
    CHECK(strcmp(field(k, "Connection"), "close") == 0);
    CHECK_CLOSED(k);
}

static void too_long(void)
{
    CHECK_EQ(ask_once(&web, "POST /echo HTTP/1.1\r\n"
                            "Content-Length: 1048577\r\n" END),
             413);
    CHECK_EQ(ask_once(&web, "POST /small HTTP/1.1\r\n"
                            "Content-Length: 11\r\n" END),
             413);
    CHECK_EQ(ask_once(&web, "POST /small HTTP/1.1\r\n"
                            "Content-Length: 10\r\n" END "0123456789"),
             200);
    CHECK_EQ(ask_once(&web, "POST /small HTTP/1.1\r\n"
                            "Transfer-Encoding: chunked\r\n" END
                            "A\r\n0123456789\r\n0\r\n\r\n"),
             200);
    CHECK_EQ(ask(k, "POST /small HTTP/1.1\r\n"
                    "Transfer-Encoding: chunked\r\n" END
                    "9\r\n012345678\r\n2\r\n01\r\n0\r\n\r\n"
                    "GET / HTTP/1.1\r\n" END),
             413);
    CHECK_EQ(body_errno, EMSGSIZE);
    CHECK_CLOSED(k);
}

static void broken(void)
{
    CHECK_EQ(ask(k, "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" END
                    "3\r\nabcd\r\n0\r\n\r\n"),
             400);
    CHECK_EQ(body_errno, EBADMSG);
    CHECK_CLOSED(k);
}

static void cut_off(void)
{
    say(k, "POST /echo HTTP/1.1\r\nContent-Length: 10\r\n" END "abc");
    CHECK_EQ(net_shutdown(k->c), 0);
    CHECK_EQ(answer(k), 400);
    CHECK_EQ(body_errno, ECONNRESET);
    CHECK_CLOSED(k);
}

static void each(const char *name, void (*test)(void))
{
    fprintf(stderr, "  %s\n", name);
    k = client_open(&web);
    test();
    client_close(k);
}

static void root(void *arg)
{
    (void)arg;
    web_start(&web, &config, NULL);
    each("with_length", with_length);
    each("chunked", chunked);
    each("large", large);
    each("long_head", long_head);
    each("continues", continues);
    each("left_alone", left_alone);
    each("too_long", too_long);
    each("broken", broken);
    each("cut_off", cut_off);
    web_stop(&web);
}

int main(void)
{
    run_co(root);
    return 0;
}
