/* http_before.c - functions before the handlers of an HTTP service: a log of
 * requests, CORS, a limit for each client, and a password.
 *
 *     http_before [ADDRESS]   127.0.0.1:8080 unless given
 *
 * Try: curl -i -u you:secret http://127.0.0.1:8080/
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What printf you:secret | base64 says. */
#define CREDENTIALS "eW91OnNlY3JldA=="
#define ORIGIN "https://app.example"

enum { PER_SECOND = 10, BURST = 20, BUCKETS = 1024 };

/* Clients choose what is in a path, so control bytes do not go to a terminal.
 * http_config.log_form is for logs with the answer's status. */
static int log_request(struct http_request *req, struct http_response *res)
{
    char client[NET_ADDR_MAX], line[160];
    int n;

    (void)res;
    net_peer(req->conn, client, sizeof client);
    n = snprintf(line, sizeof line, "%s %s %s", client, req->method, req->path);
    for (int i = 0; i < n && i < (int)sizeof line; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = '?';
    fprintf(stderr, "%s\n", line);
    return 0;
}

/* Pages of ORIGIN may read the answers.  Their browsers ask first, without a
 * password. */
static int cors(struct http_request *req, struct http_response *res)
{
    const char *origin = http_header(req, "Origin");

    http_add_header(res, "Vary", "Origin");
    if (origin == NULL || strcmp(origin, ORIGIN) != 0)
        return 0;
    http_set_header(res, "Access-Control-Allow-Origin", origin);
    if (strcmp(req->method, "OPTIONS") != 0 ||
        http_header(req, "Access-Control-Request-Method") == NULL)
        return 0;
    http_set_header(res, "Access-Control-Allow-Methods", "GET, POST");
    http_set_header(res, "Access-Control-Allow-Headers", "Authorization");
    http_set_header(res, "Access-Control-Max-Age", "600");
    return 204;
}

/* A bucket of tokens is known by when it will be full again.  Clients whose
 * addresses have the same hash share one. */
static int limit_rate(struct http_request *req, struct http_response *res)
{
    static _Atomic int64_t full_at[BUCKETS];
    const int64_t token = CO_SECOND / PER_SECOND;
    int64_t now = co_now(), old, full;
    char client[NET_ADDR_MAX];
    const char *end;
    unsigned hash = 0;

    net_peer(req->conn, client, sizeof client);
    end = strrchr(client, ':'); /* of a Unix socket there is no port */
    for (const char *p = client; *p != '\0' && p != end; p++)
        hash = hash * 31 + (unsigned char)*p;
    old = atomic_load(&full_at[hash % BUCKETS]);
    do {
        full = (old > now ? old : now) + token;
        if (full > now + BURST * token) {
            http_set_header(res, "Retry-After", "1");
            return 429;
        }
    } while (
        !atomic_compare_exchange_weak(&full_at[hash % BUCKETS], &old, full));
    return 0;
}

/* In a time that does not tell how much of it is right. */
static bool same(const char *a, const char *b)
{
    size_t len = strlen(b);
    int other = strlen(a) != len;

    for (size_t i = 0; i < len && a[i] != '\0'; i++)
        other |= a[i] ^ b[i];
    return other == 0;
}

static int authenticate(struct http_request *req, struct http_response *res)
{
    const char *given = http_header(req, "Authorization");

    if (given != NULL && strncasecmp(given, "Basic ", 6) == 0 &&
        same(given + 6, CREDENTIALS))
        return 0;
    http_set_header(res, "WWW-Authenticate", "Basic realm=\"corten\"");
    return 401;
}

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    http_text(res, "hello\n");
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/", hello, NULL, 0 },
    { 0 },
};

static http_handler *const before[] = { log_request, cors, limit_rate,
                                        authenticate, NULL };

static int failed;

static void root(void *addr)
{
    struct http_config config = { .routes = routes, .before = before };

    if (http_serve(net_listen(addr, NULL), &config) < 0) {
        perror(addr);
        failed = 1;
    }
}

int main(int argc, char **argv)
{
    char *addr = argc > 1 ? argv[1] : "127.0.0.1:8080";

    return co_run(root, addr, NULL) < 0 || failed;
}
