/* http_hostile_test.c - spoilt requests: each gets an answer or the end, the
 * same whether it comes in one piece or in many, and the next client finds the
 * server as it was.
 *
 * Several requests behind one another are made, some bytes of them changed, and
 * sent twice; all that comes back is compared but for the dates.  The seed is
 * printed, and may be given.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/web_kit.h"

static uint64_t seed;

static unsigned pick(unsigned n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static int hello(struct http_request *req, struct http_response *res)
{
    const char *name, *value;

    (void)http_printf(res, "%s %s?%s %s", req->method, req->path, req->query,
                      req->host);
    for (unsigned i = 0; http_header_at(req, i, &name, &value) == 0; i++)
        (void)http_printf(res, " %s=%s", name, value);
    return 200;
}

static int body(struct http_request *req, struct http_response *res)
{
    char buf[7];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, SOON)) > 0)
        (void)http_write(res, buf, (size_t)n);
    return n < 0 ? -1 : 200;
}

static int stream(struct http_request *req, struct http_response *res)
{
    const char *name = http_param(req, "name");

    if (http_stream(res, 200) < 0)
        return -1;
    (void)http_text(res, name);
    (void)http_text(res, name);
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/hello/*", hello, NULL, 0 },
    { "POST", "/body", body, NULL, 0 },
    { "GET", "/stream/:name", stream, NULL, 0 },
    { "POST", "/unread", hello, NULL, 0 },
    { 0 },
};

static const char *const requests[] = {
    "GET /hello/a%20b/../c?d=e HTTP/1.1\r\nHost: h\r\nX-Y: z, z\r\n\r\n",
    "POST /body HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n0123456789a",
    "POST /body HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;q=\"x\"\r\nabcde\r\n00C\r\n0123456789ab\r\n0\r\nT: u\r\n\r\n",
    "GET /stream/data HTTP/1.1\r\nHost: h:80\r\n\r\n",
    "POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
    "POST /unread HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3\r\nabc\r\n0\r\n\r\n",
    "HEAD /hello/ HTTP/1.1\r\nHost: h\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET http://g/hello/x HTTP/1.1\r\nHost: h\r\n\r\n",
    "GET /hello/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
};

/* Some of them in a row, and some bytes changed. */
static size_t make(char *text)
{
    static const char likely[] = "\r\n :;,0\t/%\x01\xff";
    size_t len = 0;
    unsigned count = 1 + pick(4);

    for (unsigned i = 0; i < count; i++) {
        const char *r = requests[pick(sizeof requests / sizeof *requests)];

        memcpy(text + len, r, strlen(r));
        len += strlen(r);
    }
    for (unsigned i = pick(4); i > 0; i--) {
        size_t at = pick((unsigned)len), n = 1 + pick(8);

        switch (pick(4)) {
        case 0:
            text[at] = likely[pick(sizeof likely - 1)];
            break;
        case 1:
            text[at] ^= (char)(1 << pick(8));
            break;
        case 2: /* some less */
            n = n < len - at ? n : len - at - 1;
            memmove(text + at, text + at + n, len - at - n);
            len -= n;
            break;
        default: /* some twice */
            n = n < len - at ? n : len - at;
            memmove(text + at + n, text + at, len - at);
            len += n;
            break;
        }
    }
    return len;
}

/* Until the end; a client that said close, and went on, may find a reset behind
 * its answer. */
static void read_all(struct client *k)
{
    ssize_t n;

    do {
        n = net_read(k->c, k->buf + k->len, sizeof k->buf - 1 - k->len, SOON);
        CHECK(n >= 0 || errno == ECONNRESET);
        k->len += n > 0 ? (size_t)n : 0;
    } while (n > 0);
}

/* All that comes back for the bytes at text, without the dates. */
static char *talk(struct web *web, const char *text, size_t len, bool pieces)
{
    struct client *k = client_open(web);
    size_t done = 0;
    char *all, *p;

    while (done < len) {
        size_t n = pieces ? 1 + pick(9) : len;

        n = n < len - done ? n : len - done;
        /* The server may be gone already. */
        if (net_write(k->c, text + done, n, SOON) < 0)
            break;
        done += n;
        if (pieces)
            settle();
    }
    (void)net_shutdown(k->c);
    read_all(k);
    k->buf[k->len] = '\0';
    while ((p = strstr(k->buf, "Date: ")) != NULL)
        memmove(p, p + 37, strlen(p + 37) + 1);
    all = strdup(k->buf);
    CHECK(all != NULL);
    client_close(k);
    return all;
}

static void hostile(void *arg)
{
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    for (long i = test_count(5000); i > 0; i--) {
        char text[4096];
        uint64_t begun = seed;
        size_t len = make(text);
        char *whole = talk(&web, text, len, false);
        char *pieces = talk(&web, text, len, true);

        if (strcmp(whole, pieces) != 0) {
            fprintf(stderr,
                    "seed %llu\n%.*s\n-- whole:\n%s\n-- in pieces:\n%s\n",
                    (unsigned long long)begun, (int)len, text, whole, pieces);
            exit(1);
        }
        free(whole);
        free(pieces);
    }
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /hello/a HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "GET /hello/a? a Host=a"));
    client_close(k);
    web_stop(&web);
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)co_now();
    fprintf(stderr, "  seed %llu\n", (unsigned long long)seed);
    RUN_CO(hostile);
    return 0;
}
