/* http_forms_server.c - says what it understood of queries, forms and cookies,
 * for programs that know what was meant.
 *
 *     http_forms_server DIR KEY...
 *
 * Bytes are in hexadecimal: a line a pair, its name and its value; a file has
 * four words behind "file".  Uploads go through DIR.  The keys sign.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_form.h"
#include "net/http_sign.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEYS_MAX = 4, BODY_MAX = 64 * 1024 * 1024 };

static struct http_form_config limits;
static struct http_signer *signer;

static void print_hex(struct http_response *res, const void *data, size_t len)
{
    const unsigned char *p = data;
    char text[2 * 1024];

    for (size_t n; len > 0; len -= n, p += n) {
        n = len < 1024 ? len : 1024;
        for (size_t i = 0; i < n; i++) {
            text[2 * i] = "0123456789abcdef"[p[i] >> 4];
            text[2 * i + 1] = "0123456789abcdef"[p[i] & 15];
        }
        http_write(res, text, 2 * n);
    }
}

static void print_pairs(struct http_response *res, const struct http_pair *p)
{
    for (; p->name != NULL; p++) {
        print_hex(res, p->name, strlen(p->name));
        http_text(res, " ");
        print_hex(res, p->value, strlen(p->value));
        http_text(res, "\n");
    }
}

static int query(struct http_request *req, struct http_response *res)
{
    const struct http_pair *pairs = http_query_pairs(req);

    if (pairs == NULL)
        return 400;
    print_pairs(res, pairs);
    return 200;
}

static void print_upload(struct http_response *res, const struct http_upload *u)
{
    char *data = malloc(u->size + 1);

    if (data == NULL || pread(u->fd, data, u->size, 0) != (ssize_t)u->size)
        abort();
    http_text(res, "file ");
    print_hex(res, u->name, strlen(u->name));
    http_text(res, " ");
    print_hex(res, u->filename, strlen(u->filename));
    http_text(res, " ");
    print_hex(res, u->type, strlen(u->type));
    http_text(res, " ");
    print_hex(res, data, u->size);
    http_text(res, "\n");
    free(data);
}

static int form(struct http_request *req, struct http_response *res)
{
    const struct http_upload *u;
    struct http_form *f;
    int status = http_form_read(req, &limits, &f, CO_FOREVER);

    if (status != 0)
        return status;
    print_pairs(res, http_form_pairs(f));
    for (unsigned i = 0; (u = http_form_upload_at(f, i)) != NULL; i++)
        print_upload(res, u);
    return 200;
}

static int cookies(struct http_request *req, struct http_response *res)
{
    const struct http_pair *pairs = http_cookies(req);

    if (pairs == NULL)
        return 500;
    print_pairs(res, pairs);
    return 200;
}

static int64_t number(struct http_request *req, const char *name)
{
    const char *value = http_query(req, name);

    return value == NULL ? 0 : atoll(value);
}

/* What the query says: as in struct http_cookie. */
static int set_cookie(struct http_request *req, struct http_response *res)
{
    struct http_cookie c = { .name = http_query(req, "name"),
                             .value = http_query(req, "value"),
                             .path = http_query(req, "path"),
                             .domain = http_query(req, "domain"),
                             .max_age = number(req, "max_age"),
                             .same_site = (int)number(req, "same_site"),
                             .secure = number(req, "secure") != 0,
                             .scripts = number(req, "scripts") != 0 };

    return http_set_cookie(res, &c) == 0 ? 204 : 400;
}

static int sign(struct http_request *req, struct http_response *res)
{
    char text[HTTP_SIGN_BYTES(8192)];

    if (http_sign_text(signer, http_query(req, "name"),
                       http_query(req, "value"), number(req, "seconds"), text,
                       sizeof text) < 0)
        return 400;
    http_text(res, text);
    return 200;
}

static int check(struct http_request *req, struct http_response *res)
{
    char value[8192];

    if (http_sign_check(signer, http_query(req, "name"),
                        http_query(req, "text"), value, sizeof value) >= 0) {
        http_text(res, value);
        return 200;
    }
    return errno == EBADMSG ? 403 : errno == ETIMEDOUT ? 410 : 500;
}

static const struct http_route routes[] = {
    { "GET", "/query", query, NULL, 0 },
    { "POST", "/form", form, NULL, BODY_MAX },
    { "GET", "/cookies", cookies, NULL, 0 },
    { "GET", "/set_cookie", set_cookie, NULL, 0 },
    { "GET", "/sign", sign, NULL, 0 },
    { "GET", "/check", check, NULL, 0 },
    { 0 },
};

static void root(void *arg)
{
    struct http_config config = { .routes = routes };
    struct net_listener *l = net_listen("127.0.0.1:0", NULL);
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

int main(int argc, char **argv)
{
    struct http_sign_key keys[KEYS_MAX + 1] = { { 0 } };

    if (argc < 3 || argc > 2 + KEYS_MAX) {
        fprintf(stderr, "usage: http_forms_server DIR KEY...\n");
        return 2;
    }
    limits.dir = argv[1];
    for (int i = 2; i < argc; i++)
        keys[i - 2] = (struct http_sign_key){ argv[i], strlen(argv[i]) };
    signer = http_sign_new(keys);
    if (signer == NULL || co_run(root, NULL, NULL) < 0)
        return 1;
    http_sign_free(signer);
    return 0;
}
