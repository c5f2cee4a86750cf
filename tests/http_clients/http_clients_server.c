/* http_clients_server.c - what tests ask with clients of other makers.
 *
 *     http_clients_server [NAME=MILLISECONDS]...
 *
 * The names are those of the time-outs: head, body, write, idle, handler,
 * grace. Listens on a port that the kernel picks, says which, and serves until
 * SIGTERM.  Then it says what it read: for each connection that it accepted a
 * line with the port of the client and the number of bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/http.h"
#include <errno.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PERIOD = 65536, FDS_MAX = 32768, CONNS_MAX = 1 << 20 };

/* ---- What was read --------------------------------------------------------
 */

static struct { /* in the order of accepting */
    uint16_t port;
    _Atomic uint64_t bytes;
} conns[CONNS_MAX];
static atomic_uint conns_count;
static atomic_uint conn_of[FDS_MAX]; /* one more than the index in conns */

static int (*real_accept4)(int, struct sockaddr *, socklen_t *, int);
static int (*real_shutdown)(int, int);
static ssize_t (*real_recv)(int, void *, size_t, int);
static ssize_t (*real_read)(int, void *, size_t);

static int counted_accept4(int fd, struct sockaddr *addr, socklen_t *len,
                           int flags)
{
    int c = real_accept4(fd, addr, len, flags);

    if (c >= 0 && c < FDS_MAX && addr->sa_family == AF_INET) {
        unsigned i = atomic_fetch_add(&conns_count, 1);

        if (i < CONNS_MAX) {
            conns[i].port = ntohs(((struct sockaddr_in *)addr)->sin_port);
            atomic_store(&conn_of[c], i + 1);
        }
    }
    return c;
}

static ssize_t count(int fd, ssize_t n)
{
    unsigned i = n > 0 && fd < FDS_MAX ? atomic_load(&conn_of[fd]) : 0;

    if (i > 0)
        atomic_fetch_add(&conns[i - 1].bytes, (uint64_t)n);
    return n;
}

static ssize_t counted_recv(int fd, void *buf, size_t len, int flags)
{
    return count(fd, real_recv(fd, buf, len, flags));
}

static ssize_t counted_read(int fd, void *buf, size_t len)
{
    return count(fd, real_read(fd, buf, len));
}

/* What is read from then on is read to be dropped. */
static int counted_shutdown(int fd, int how)
{
    if (how == SHUT_WR && fd < FDS_MAX)
        atomic_store(&conn_of[fd], 0);
    return real_shutdown(fd, how);
}

static void count_reads(void)
{
    real_shutdown = sys.shutdown;
    sys.shutdown = counted_shutdown;
    real_accept4 = sys.accept4;
    real_recv = sys.recv;
    real_read = sys.read;
    sys.accept4 = counted_accept4;
    sys.recv = counted_recv;
    sys.read = counted_read;
}

static void print_counts(void)
{
    for (unsigned i = 0; i < conns_count && i < CONNS_MAX; i++)
        printf("%u %llu\n", conns[i].port, (unsigned long long)conns[i].bytes);
}

/* ---- Handlers --------------------------------------------------------------
 */

static unsigned char pattern[2 * PERIOD]; /* from any place on, a period */

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)http_text(res, "hello\n");
    return 200;
}

/* The body as it comes. */
static int echo(struct http_request *req, struct http_response *res)
{
    char buf[8192];
    ssize_t n = http_body(req, buf, sizeof buf, CO_FOREVER);

    if (n < 0 || http_stream(res, 200) < 0)
        return -1;
    for (; n > 0; n = http_body(req, buf, sizeof buf, CO_FOREVER))
        if (http_write(res, buf, (size_t)n) < 0)
            return -1;
    return n < 0 ? -1 : 200;
}

/* The body once all of it has come. */
static int give_back(struct http_request *req, struct http_response *res)
{
    char buf[8192];
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, CO_FOREVER)) > 0)
        if (http_write(res, buf, (size_t)n) < 0)
            return 413;
    return n < 0 ? -1 : 200;
}

/* How many bytes came, and whether they are those of the pattern. */
static int count_body(struct http_request *req, struct http_response *res)
{
    char buf[8192];
    size_t total = 0;
    bool good = true;
    ssize_t n;

    while ((n = http_body(req, buf, sizeof buf, CO_FOREVER)) > 0) {
        good = good && memcmp(buf, pattern + total % PERIOD, (size_t)n) == 0;
        total += (size_t)n;
    }
    if (n < 0)
        return -1;
    (void)http_printf(res, "%zu %s\n", total, good ? "good" : "bad");
    return 200;
}

/* As many bytes of the pattern. */
static int send_pattern(struct http_request *req, struct http_response *res)
{
    size_t left = strtoull(http_param(req, "bytes"), NULL, 10);
    bool streams = *(const char *)req->arg == 's';

    if (streams && http_stream(res, 200) < 0)
        return -1;
    while (left > 0) {
        size_t n = left < PERIOD ? left : PERIOD;

        if (http_write(res, pattern, n) < 0)
            return -1;
        left -= n;
    }
    return 200;
}

static int redirect(struct http_request *req, struct http_response *res)
{
    int left = atoi(http_param(req, "count"));
    char to[32] = "/hello";

    if (left > 1)
        (void)snprintf(to, sizeof to, "/redirect/%d", left - 1);
    (void)http_set_header(res, "Location", to);
    return 302;
}

/* Which connection this is. */
static int peer(struct http_request *req, struct http_response *res)
{
    char addr[NET_ADDR_MAX];

    net_peer(req->conn, addr, sizeof addr);
    (void)http_printf(res, "%s\n", addr);
    return 200;
}

static int slow(struct http_request *req, struct http_response *res)
{
    int ms = atoi(http_param(req, "ms"));

    (void)co_sleep_until(co_after(ms * CO_MSEC));
    (void)http_printf(res, "after %d ms\n", ms);
    return 200;
}

/* A page with links to two more, three levels deep. */
static int page(struct http_request *req, struct http_response *res)
{
    const char *name = http_param(req, "*");

    (void)http_set_header(res, "Content-Type", "text/html");
    (void)http_printf(res, "<html><body>page '%s'\n", name);
    if (strlen(name) < 3)
        (void)http_printf(res,
                          "<a href=\"/tree/%sa\">a</a>\n"
                          "<a href=\"/tree/%sb\">b</a>\n",
                          name, name);
    (void)http_text(res, "</body></html>\n");
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/hello", hello, NULL, 0 },
    { NULL, "/echo", echo, NULL, 1 << 30 },
    { NULL, "/back", give_back, NULL, 1 << 30 },
    { NULL, "/count", count_body, NULL, 1 << 30 },
    { "GET", "/stream/:bytes", send_pattern, "stream", 0 },
    { "GET", "/large/:bytes", send_pattern, "large", 0 },
    { "GET", "/redirect/:count", redirect, NULL, 0 },
    { "GET", "/peer", peer, NULL, 0 },
    { "GET", "/slow/:ms", slow, NULL, 0 },
    { "GET", "/tree/*", page, NULL, 0 },
    { 0 },
};

/* ---- Start -----------------------------------------------------------------
 */

static struct http_config config = { .routes = routes };
static struct net_listen_options options;

static void root(void *arg)
{
    struct net_listener *l = net_listen("127.0.0.1:0", &options);
    char addr[NET_ADDR_MAX];

    (void)arg;
    if (l != NULL) {
        net_listener_addr(l, addr, sizeof addr);
        printf("listening on %s\n", addr);
        (void)fflush(stdout);
    }
    if (http_serve(l, &config) < 0)
        perror("http_serve");
}

static int take_option(const char *text)
{
    static const struct {
        const char *name;
        int64_t *value;
    } names[] = {
        { "head=", &config.head_timeout },
        { "body=", &config.body_timeout },
        { "write=", &config.write_timeout },
        { "idle=", &config.idle_timeout },
        { "grace=", &options.grace },
        { "handler=", &config.handler_timeout },
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t len = strlen(names[i].name);

        if (strncmp(text, names[i].name, len) == 0) {
            *names[i].value = atoi(text + len) * CO_MSEC;
            return 0;
        }
    }
    fprintf(stderr, "'%s' is no option\n", text);
    return -1;
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < 2 * PERIOD; i++)
        pattern[i] = (unsigned char)((i % PERIOD) * (i % PERIOD) >> 8);
    for (int i = 1; i < argc; i++)
        if (take_option(argv[i]) < 0)
            return 2;
    count_reads();
    if (co_run(root, NULL, NULL) < 0)
        return 1;
    print_counts();
    return 0;
}
