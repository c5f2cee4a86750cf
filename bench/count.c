/* count OPERATION N - does one operation N times, for bench/instructions.py.
 * Without arguments, lists them.
 *
 * Everything runs on one scheduler, so that instructions are counted and not
 * interleavings; no operation waits for time.
 *
 *   switch  one context_switch(), no scheduler
 *   yield   one co_yield_now() among ten ready coroutines
 *   spawn   co_spawn(), run, end, co_join()
 *   chan    a round trip over two unbuffered channels
 *   head    parsing the head of a request, as short as load generators send it
 *   browser the same, as long as browsers do
 *   echo    a round trip of 64 bytes over TCP, client and server together
 *   http    a request with a parameter and its printed answer, likewise
 *   batch   one of 16 such requests that are written at once
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/http_parse/requests.h"
#include "co/co.h"
#include "co/context.h"
#include "net/http.h"
#include "net/http_parse.h"
#include "net/net.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STACK_BYTES = 64 * 1024, YIELDERS = 10, MESSAGE = 64, BATCH = 16 };

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- switch -------------------------------------------------------------- */

static struct context home, away;

static void bounce(void *arg)
{
    (void)arg;
    for (;;)
        context_switch(&away, &home);
}

static void count_switch(long n)
{
    void *stack = aligned_alloc(4096, STACK_BYTES);

    if (stack == NULL || context_make(&away, stack, STACK_BYTES, bounce, NULL))
        die("context_make");
    for (long i = 0; i < n / 2; i++)
        context_switch(&home, &away);
    free(stack);
}

/* ---- yield, spawn -------------------------------------------------------- */

static void yielder(void *arg)
{
    for (long i = *(long *)arg / YIELDERS; i > 0; i--)
        co_yield_now();
}

static void count_yield(void *arg)
{
    struct co *all[YIELDERS];

    for (int i = 0; i < YIELDERS; i++)
        if ((all[i] = co_spawn(yielder, arg, NULL)) == NULL)
            die("co_spawn");
    for (int i = 0; i < YIELDERS; i++)
        if (co_join(all[i], CO_FOREVER) < 0)
            die("co_join");
}

static void nothing(void *arg) { (void)arg; }

static void count_spawn(void *arg)
{
    for (long i = *(long *)arg; i > 0; i--) {
        struct co *c = co_spawn(nothing, NULL, NULL);

        if (c == NULL || co_join(c, CO_FOREVER) < 0)
            die("co_spawn");
    }
}

/* ---- chan ---------------------------------------------------------------- */

struct ping_pong {
    struct co_chan *ping, *pong;
};

static void answer(void *arg)
{
    struct ping_pong *p = arg;
    int token;

    while (co_chan_recv(p->ping, &token, CO_FOREVER) == 0)
        if (co_chan_send(p->pong, &token, CO_FOREVER) < 0)
            die("co_chan_send");
}

static void count_chan(void *arg)
{
    struct ping_pong p = { co_chan_new(sizeof(int), 0),
                           co_chan_new(sizeof(int), 0) };
    struct co *c = co_spawn(answer, &p, NULL);
    int token = 0;

    if (p.ping == NULL || p.pong == NULL || c == NULL)
        die("set-up");
    for (long i = *(long *)arg; i > 0; i--)
        if (co_chan_send(p.ping, &token, CO_FOREVER) < 0 ||
            co_chan_recv(p.pong, &token, CO_FOREVER) < 0)
            die("round trip");
    co_chan_close(p.ping);
    if (co_join(c, CO_FOREVER) < 0)
        die("co_join");
    co_chan_free(p.ping);
    co_chan_free(p.pong);
}

/* ---- head, browser ------------------------------------------------------- */

static void parse(const char *request, long n)
{
    struct http_field fields[32];
    struct http_head h = { .fields = fields,
                           .fields_max = 32,
                           .target_max = 8192,
                           .bytes_max = 16384 };
    size_t len = strlen(request);

    for (; n > 0; n--) {
        http_head_start(&h);
        if (http_parse_request(&h, request, len) != (ssize_t)len)
            die("http_parse_request");
    }
}

static void count_head(void *arg) { parse(request_wrk, *(long *)arg); }

static void count_browser(void *arg) { parse(request_browser, *(long *)arg); }

/* ---- echo ---------------------------------------------------------------- */

static void echo(struct net_conn *c, void *arg)
{
    char buf[4096];
    ssize_t n;

    (void)arg;
    while ((n = net_read(c, buf, sizeof buf, co_after(60 * CO_SECOND))) > 0)
        if (net_write(c, buf, (size_t)n, co_after(10 * CO_SECOND)) < 0)
            break;
}

static void serve(void *arg)
{
    if (net_serve(arg, echo, NULL) < 0)
        die("net_serve");
}

static void count_echo(void *arg)
{
    struct net_listener *l = net_listen("127.0.0.1:0", NULL);
    char addr[64], message[MESSAGE] = "";

    if (l == NULL)
        die("net_listen");
    net_listener_addr(l, addr, sizeof addr);
    struct co *server = co_spawn(serve, l, NULL);
    struct net_conn *c = net_dial(addr, co_after(10 * CO_SECOND));
    if (server == NULL || c == NULL)
        die("net_dial");
    for (long i = *(long *)arg; i > 0; i--)
        if (net_write(c, message, MESSAGE, CO_FOREVER) < 0 ||
            net_read_full(c, message, MESSAGE, CO_FOREVER) < 0)
            die("round trip");
    net_close(c);
    co_cancel(server);
    if (co_join(server, CO_FOREVER) < 0)
        die("co_join");
}

/* ---- http, batch --------------------------------------------------------- */

static int greet(struct http_request *req, struct http_response *res)
{
    if (http_printf(res, "hello, %s\n", http_param(req, "name")) < 0)
        return -1;
    return 200;
}

static void serve_http(void *arg)
{
    static const struct http_route routes[] = {
        { "GET", "/greet/:name", greet, NULL, 0 },
        { 0 },
    };
    struct http_config config = { .routes = routes,
                                  .max_requests = 1000000000 };

    if (http_serve(arg, &config) < 0)
        die("http_serve");
}

/* n requests, as many at once as requests has. */
static void request(long n, const char *requests, long batch)
{
    static const char end[] = "hello, corten\n";
    struct net_listener *l = net_listen("127.0.0.1:0", NULL);
    size_t len = strlen(requests), answers = 0;
    char addr[64], buf[BATCH * 256];

    if (l == NULL)
        die("net_listen");
    net_listener_addr(l, addr, sizeof addr);
    struct co *server = co_spawn(serve_http, l, NULL);
    struct net_conn *c = net_dial(addr, co_after(10 * CO_SECOND));
    if (server == NULL || c == NULL)
        die("net_dial");
    for (; n > 0; n -= batch) {
        ssize_t got = 0;

        if (net_write(c, requests, len, CO_FOREVER) < 0)
            die("net_write");
        if (answers == 0) /* all have the same length */
            got = net_read(c, buf, sizeof buf, co_after(10 * CO_SECOND));
        else if (net_read_full(c, buf, answers, CO_FOREVER) == 0)
            got = (ssize_t)answers;
        if (got < (ssize_t)sizeof end ||
            memcmp(buf + got - (sizeof end - 1), end, sizeof end - 1) != 0)
            die("the answer");
        answers = (size_t)got;
    }
    net_close(c);
    co_cancel(server);
    if (co_join(server, CO_FOREVER) < 0)
        die("co_join");
}

static const char one[] = "GET /greet/corten HTTP/1.1\r\n"
                          "Host: 127.0.0.1:8080\r\n\r\n";

static void count_http(void *arg) { request(*(long *)arg, one, 1); }

static void count_batch(void *arg)
{
    char batch[BATCH * sizeof one] = "";

    for (int i = 0; i < BATCH; i++)
        strcat(batch, one);
    request(*(long *)arg, batch, BATCH);
}

/* -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    long n;    /* enough for a stable count */
    co_fn *fn; /* gets its n; NULL: count_switch(), outside any coroutine */
} operations[] = {
    { "switch", 20000, NULL },       { "yield", 20000, count_yield },
    { "spawn", 10000, count_spawn }, { "chan", 10000, count_chan },
    { "head", 10000, count_head },   { "browser", 10000, count_browser },
    { "echo", 1000, count_echo },    { "http", 1000, count_http },
    { "batch", 4800, count_batch },
};

int main(int argc, char **argv)
{
    struct co_config config = { .schedulers = 1 };
    long n = argc == 3 ? atol(argv[2]) : 0;

    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (argc == 1) {
            printf("%s %ld\n", operations[i].name, operations[i].n);
        } else if (n > 0 && strcmp(argv[1], operations[i].name) == 0) {
            if (operations[i].fn == NULL)
                count_switch(n);
            else if (co_run(operations[i].fn, &n, &config) < 0)
                die("co_run");
            return 0;
        }
    }
    if (argc == 1)
        return 0;
    fprintf(stderr, "usage: %s [OPERATION N]\n", argv[0]);
    return 2;
}
