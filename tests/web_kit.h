/* web_kit.h - what tests of the HTTP server share: a server in the background,
 * and a client that writes bytes and takes answers apart.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_WEB_KIT_H
#define TESTS_WEB_KIT_H

#include "net/http.h"
#include "tests/net_tools.h"

/* ---- Server ----------------------------------------------------------------
 */

struct web {
    struct http_config config;
    struct net_listener *l;
    struct co *co;
    char addr[NET_ADDR_MAX];
    int result, err;
};

__attribute__((unused)) static void web_main(void *arg)
{
    struct web *web = arg;

    web->result = http_serve(web->l, &web->config);
    web->err = errno;
}

__attribute__((unused)) static void web_start(
    struct web *web, const struct http_config *config,
    const struct net_listen_options *options)
{
    web->config = *config;
    web->l = net_listen(TCP, options);
    CHECK(web->l != NULL);
    net_listener_addr(web->l, web->addr, sizeof web->addr);
    web->co = co_spawn(web_main, web, NULL);
    CHECK(web->co != NULL);
}

__attribute__((unused)) static void web_stop(struct web *web)
{
    co_cancel(web->co);
    CHECK_EQ(co_join(web->co, SOON), 0);
    CHECK_EQ(web->result, 0);
}

/* ---- Client ----------------------------------------------------------------
 */

struct client {
    struct net_conn *c;
    size_t len;      /* bytes that came */
    size_t consumed; /* by answers */
    int reads;
    char buf[1024 * 1024];

    /* The last answer. */
    int status;
    char head[16 * 1024]; /* with the status line, a zero behind it */
    char *body;
    size_t body_len;
};

__attribute__((unused)) static struct client *client_open(struct web *web)
{
    struct client *k = calloc(1, sizeof *k);

    CHECK(k != NULL);
    k->c = net_dial(web->addr, SOON);
    CHECK(k->c != NULL);
    return k;
}

__attribute__((unused)) static void client_close(struct client *k)
{
    net_close(k->c);
    free(k);
}

__attribute__((unused)) static void say(struct client *k, const char *text)
{
    CHECK_EQ(net_write(k->c, text, strlen(text), SOON), 0);
}

/* False at the end. */
__attribute__((unused)) static bool client_read(struct client *k)
{
    ssize_t n;

    CHECK(k->len < sizeof k->buf);
    n = net_read(k->c, k->buf + k->len, sizeof k->buf - k->len, SOON);
    CHECK(n >= 0);
    k->len += (size_t)n;
    k->reads++;
    return n > 0;
}

/* The value of a field of the last answer, or NULL. */
__attribute__((unused)) static const char *field(struct client *k,
                                                 const char *name)
{
    static char value[1024];
    const char *line = k->head;
    size_t len = strlen(name);

    while ((line = strstr(line, "\r\n")) != NULL) {
        line += 2;
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            (void)snprintf(value, sizeof value, "%.*s",
                           (int)strcspn(line + len + 2, "\r"), line + len + 2);
            return value;
        }
    }
    return NULL;
}

/* Decodes in place what is there; false when more is needed. */
static inline bool dechunk(struct client *k, char *p, size_t *taken)
{
    char *begin = p, *end = k->buf + k->len, *out = p;

    for (;;) {
        char *line_end = memmem(p, (size_t)(end - p), "\r\n", 2);
        size_t size;

        if (line_end == NULL)
            return false;
        size = strtoul(p, NULL, 16);
        if ((size_t)(end - line_end) < size + 4)
            return false;
        p = line_end + 2;
        if (size == 0) {
            CHECK(memcmp(p, "\r\n", 2) == 0);
            break;
        }
        p += size + 2;
    }
    *taken = (size_t)(p + 2 - begin);
    for (p = begin;;) {
        size_t size = strtoul(p, &p, 16);

        p += 2;
        if (size == 0)
            break;
        memmove(out, p, size);
        CHECK(memcmp(p + size, "\r\n", 2) == 0);
        out += size;
        p += size + 2;
    }
    k->body_len = (size_t)(out - begin);
    return true;
}

/* Takes one answer; its status, or 0 when the connection ended instead.  For
 * head_only none has a body. */
__attribute__((unused)) static int answer_to(struct client *k, bool head_only)
{
    char *begin = k->buf + k->consumed, *end;
    const char *length;
    size_t taken = 0;

    while ((end = memmem(begin, (size_t)(k->buf + k->len - begin), "\r\n\r\n",
                         4)) == NULL)
        if (!client_read(k)) {
            CHECK(k->len == k->consumed);
            return 0;
        }
    end += 4;
    CHECK((size_t)(end - begin) < sizeof k->head);
    memcpy(k->head, begin, (size_t)(end - begin));
    k->head[end - begin] = '\0';
    CHECK(memcmp(k->head, "HTTP/1.1 ", 9) == 0);
    k->status = atoi(k->head + 9);
    k->body = end;
    k->body_len = 0;
    length = field(k, "Content-Length");
    if (head_only || k->status < 200 || k->status == 204 || k->status == 304) {
        ;
    } else if (field(k, "Transfer-Encoding") != NULL) {
        while (!dechunk(k, end, &taken))
            CHECK(client_read(k));
    } else if ((length = field(k, "Content-Length")) != NULL) {
        taken = k->body_len = strtoul(length, NULL, 10);
        while ((size_t)(k->buf + k->len - end) < taken)
            CHECK(client_read(k));
    } else {
        while (client_read(k))
            ;
        taken = k->body_len = (size_t)(k->buf + k->len - end);
    }
    k->consumed = (size_t)(end - k->buf) + taken;
    return k->status;
}

__attribute__((unused)) static int answer(struct client *k)
{
    return answer_to(k, false);
}

__attribute__((unused)) static bool body_is(struct client *k, const char *text)
{
    if (k->body_len == strlen(text) && memcmp(k->body, text, k->body_len) == 0)
        return true;
    fprintf(stderr, "body: '%.*s'\n", (int)k->body_len, k->body);
    return false;
}

/* Sends and takes one answer. */
__attribute__((unused)) static int ask(struct client *k, const char *text)
{
    say(k, text);
    return answer(k);
}

/* The connection is closed behind the last answer. */
#define CHECK_CLOSED(k) CHECK_EQ(answer(k), 0)

/* A request of its own connection. */
__attribute__((unused)) static int ask_once(struct web *web, const char *text)
{
    struct client *k = client_open(web);
    int status = ask(k, text);

    client_close(k);
    return status;
}

#define HOST "Host: a\r\n"
#define END HOST "\r\n"

#endif
