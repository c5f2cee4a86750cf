/* http_cookie_test.c - cookies: what came is found, what goes is right, and
 * what no browser would keep is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_cookie.h"
#include "tests/web_kit.h"

/* ---- What came -------------------------------------------------------------
 */

/* name=value with a bar behind each; then what the cookie a is. */
static int shows(struct http_request *req, struct http_response *res)
{
    const struct http_pair *p = http_cookies(req);
    const char *a = http_cookie(req, "a");

    CHECK(p != NULL);
    if (a == NULL)
        CHECK_EQ(errno, ENOENT);
    for (; p->name != NULL; p++)
        http_printf(res, "%s=%s|", p->name, p->value);
    http_printf(res, "%s", a == NULL ? "none" : a);
    return 200;
}

static const struct {
    const char *fields, *told;
} came[] = {
    { "", "none" },
    { "Cookie: a=b\r\n", "a=b|b" },
    { "cookie: a=b; c=d\r\n", "a=b|c=d|b" },
    { "Cookie: c=d;a=b;a=e\r\n", "c=d|a=b|a=e|b" },
    { "Cookie: c=d\r\nX: a=x\r\nCookie: a=b; a=e\r\nCookie: a=f\r\n",
      "c=d|a=b|a=e|a=f|b" },
    { "Cookie: A=b; aa=c\r\n", "A=b|aa=c|none" },
    /* As browsers and scripts write them. */
    { "Cookie: \t c = d ;\ta= b c \t;;; \r\n", "c=d|a=b c|b c" },
    { "Cookie: a=b=c==\r\n", "a=b=c==|b=c==" },
    { "Cookie: a=\r\n", "a=|" },
    { "Cookie: a; b; =c; d=e\r\n", "d=e|none" },
    { "Cookie: a=\"b\"\r\n", "a=\"b\"|\"b\"" },
    { "Cookie: a=\"b; c=d\"\r\n", "a=\"b|c=d\"|\"b" },
    { "Cookie: a=\xc3\xa4,%20\r\n", "a=\xc3\xa4,%20|\xc3\xa4,%20" },
    { "Cookie:\r\n", "none" },
    { "Cookie: ;\r\n", "none" },
};

static void what_came(struct client *k)
{
    for (size_t i = 0; i < sizeof came / sizeof *came; i++) {
        char request[500];

        (void)snprintf(request, sizeof request, "GET /shows HTTP/1.1\r\n%s" END,
                       came[i].fields);
        CHECK_EQ(ask(k, request), 200);
        CHECK(body_is(k, came[i].told));
    }
}

/* As many as fit into a head. */
static void very_many(struct client *k)
{
    static char request[16000] = "GET /shows HTTP/1.1\r\nCookie: ";

    while (strlen(request) < sizeof request - 100)
        strcat(request, "b=c;");
    strcat(request, ";a=d\r\n" END);
    CHECK_EQ(ask(k, request), 200);
    CHECK(k->body_len > 15000);
    CHECK(memcmp(k->body + k->body_len - 5, "a=d|d", 5) == 0);
}

/* ---- What goes -------------------------------------------------------------
 */

static struct http_cookie to_set[2];
static int err; /* of the last one, 0 for none */

static int sets(struct http_request *req, struct http_response *res)
{
    (void)req;
    err = 0;
    for (int i = 0; i < 2 && to_set[i].name != NULL; i++)
        if (http_set_cookie(res, &to_set[i]) < 0)
            err = errno;
    return 204;
}

static int sets_late(struct http_request *req, struct http_response *res)
{
    struct http_cookie c = { .name = "a", .value = "b" };

    (void)req;
    CHECK_EQ(http_stream(res, 200), 0);
    CHECK_EQ(http_set_cookie(res, &c), -1);
    CHECK_EQ(errno, EINVAL);
    return 200;
}

/* All Set-Cookie fields of the answer, with a bar behind each. */
static const char *set_fields(struct client *k)
{
    static char all[16 * 1024];
    const char *line = k->head;
    size_t len = 0;

    all[0] = '\0';
    while ((line = strstr(line, "\r\nSet-Cookie: ")) != NULL) {
        int n = (int)strcspn(line += 14, "\r");

        len += (size_t)snprintf(all + len, sizeof all - len, "%.*s|", n, line);
    }
    return all;
}

#define LAX "; HttpOnly; SameSite=Lax|"

static const struct {
    struct http_cookie cookie;
    const char *told; /* NULL: EINVAL */
} goes[] = {
    { { .name = "a", .value = "b" }, "a=b; Path=/" LAX },
    { { .name = "a", .value = "" }, "a=; Path=/" LAX },
    { { .name = "!#$%&'*+-.^_`|~09azAZ", .value = "b" },
      "!#$%&'*+-.^_`|~09azAZ=b; Path=/" LAX },
    { { .name = "a", .value = "!#$%&'()*+-./:<=>?@[]^_`{|}~09azAZ" },
      "a=!#$%&'()*+-./:<=>?@[]^_`{|}~09azAZ; Path=/" LAX },
    { { .name = "a", .value = "b", .path = "/c d" }, "a=b; Path=/c d" LAX },
    { { .name = "a", .value = "b", .domain = "c.example" },
      "a=b; Path=/; Domain=c.example" LAX },
    { { .name = "a", .value = "b", .max_age = 60 },
      "a=b; Path=/; Max-Age=60" LAX },
    { { .name = "a", .value = "b", .max_age = INT64_MAX },
      "a=b; Path=/; Max-Age=9223372036854775807" LAX },
    { { .name = "a", .max_age = -1 },
      "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT" LAX },
    { { .name = "a", .value = "b\r\n", .max_age = -1 },
      "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT" LAX },
    { { .name = "a", .value = "b", .secure = true },
      "a=b; Path=/; Secure" LAX },
    { { .name = "a", .value = "b", .scripts = true },
      "a=b; Path=/; SameSite=Lax|" },
    { { .name = "a", .value = "b", .same_site = HTTP_SAME_SITE_STRICT },
      "a=b; Path=/; HttpOnly; SameSite=Strict|" },
    { { .name = "a",
        .value = "b",
        .same_site = HTTP_SAME_SITE_NONE,
        .secure = true },
      "a=b; Path=/; Secure; HttpOnly; SameSite=None|" },
    { { .name = "__Host-a", .value = "b", .secure = true },
      "__Host-a=b; Path=/; Secure" LAX },
    { { .name = "__Secure-a",
        .value = "b",
        .secure = true,
        .path = "/c",
        .domain = "d" },
      "__Secure-a=b; Path=/c; Domain=d; Secure" LAX },
    { { .name = "__Hosta", .value = "b" }, "__Hosta=b; Path=/" LAX },
    /* What is none. */
    { { .name = "", .value = "b" }, NULL },
    { { .name = "a=", .value = "b" }, NULL },
    { { .name = "a b", .value = "b" }, NULL },
    { { .name = "a;", .value = "b" }, NULL },
    { { .name = "\xc3\xa4", .value = "b" }, NULL },
    { { .name = "a" }, NULL },
    { { .name = "a", .value = "b c" }, NULL },
    { { .name = "a", .value = "b;c" }, NULL },
    { { .name = "a", .value = "b,c" }, NULL },
    { { .name = "a", .value = "\"b\"" }, NULL },
    { { .name = "a", .value = "b\\c" }, NULL },
    { { .name = "a", .value = "b\r\nX: y" }, NULL },
    { { .name = "a", .value = "b\t" }, NULL },
    { { .name = "a", .value = "\x7f" }, NULL },
    { { .name = "a", .value = "\xc3\xa4" }, NULL },
    { { .name = "a", .value = "b", .path = "" }, NULL },
    { { .name = "a", .value = "b", .path = "c" }, NULL },
    { { .name = "a", .value = "b", .path = "/c;Domain=d" }, NULL },
    { { .name = "a", .value = "b", .path = "/c\r\nX: y" }, NULL },
    { { .name = "a", .value = "b", .domain = "" }, NULL },
    { { .name = "a", .value = "b", .domain = "c;d" }, NULL },
    { { .name = "a", .value = "b", .domain = "c d" }, NULL },
    { { .name = "a", .value = "b", .same_site = 3 }, NULL },
    { { .name = "a", .value = "b", .same_site = -1 }, NULL },
    { { .name = "a", .value = "b", .same_site = HTTP_SAME_SITE_NONE }, NULL },
    { { .name = "__Host-a", .value = "b" }, NULL },
    { { .name = "__hOST-a", .value = "b" }, NULL },
    { { .name = "__Host-a", .value = "b", .secure = true, .path = "/c" },
      NULL },
    { { .name = "__Host-a", .value = "b", .secure = true, .domain = "c" },
      NULL },
    { { .name = "__Secure-a", .value = "b" }, NULL },
    { { .name = "__secure-a", .value = "b" }, NULL },
};

static void what_goes(struct client *k)
{
    for (size_t i = 0; i < sizeof goes / sizeof *goes; i++) {
        to_set[0] = goes[i].cookie;
        CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
        CHECK_EQ(err, goes[i].told == NULL ? EINVAL : 0);
        if (strcmp(set_fields(k), goes[i].told == NULL ? "" : goes[i].told) ==
            0)
            continue;
        fprintf(stderr, "'%s', not '%s'\n", set_fields(k), goes[i].told);
        exit(1);
    }
}

static void one_of_a_name(struct client *k)
{
    to_set[0] = (struct http_cookie){ .name = "a", .value = "1" };
    to_set[1] = (struct http_cookie){ .name = "a", .value = "2" };
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    CHECK(strcmp(set_fields(k), "a=2; Path=/" LAX) == 0);
    to_set[1].name = "aa";
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    CHECK(strcmp(set_fields(k), "a=1; Path=/" LAX "aa=2; Path=/" LAX) == 0);
    to_set[1].name = "A";
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    CHECK(strcmp(set_fields(k), "a=1; Path=/" LAX "A=2; Path=/" LAX) == 0);
    to_set[1] = (struct http_cookie){ .name = "a", .max_age = -1 };
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    CHECK(strncmp(set_fields(k), "a=; Path=/; Expires=", 20) == 0);
    to_set[1].name = NULL;
}

static void bounds(struct client *k)
{
    static char text[5000];

    memset(text, 'v', sizeof text - 1);
    for (int over = 0; over < 2; over++) {
        text[4093 + over] = '\0';
        to_set[0] = (struct http_cookie){ .name = "abc", .value = text };
        CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
        CHECK_EQ(err, over ? EMSGSIZE : 0);
        to_set[1] = to_set[0]; /* in its place, there is room for it */
        CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
        CHECK_EQ(err, over ? EMSGSIZE : 0);
        to_set[1].name = NULL;
        text[4093 + over] = 'v';
        text[1024 + over] = '\0';
        text[0] = '/';
        to_set[0] = (struct http_cookie){
            .name = "a", .value = "b", .path = text, .domain = text + 1
        };
        CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
        CHECK_EQ(err, over ? EMSGSIZE : 0);
        text[0] = text[1024 + over] = 'v';
    }
}

static void too_late(struct client *k)
{
    CHECK_EQ(ask(k, "GET /sets_late HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(set_fields(k), "") == 0);
}

/* ---- Main ------------------------------------------------------------------
 */

static const struct http_route routes[] = {
    { "GET", "/shows", shows, NULL, 0 },
    { "GET", "/sets", sets, NULL, 0 },
    { "GET", "/sets_late", sets_late, NULL, 0 },
    { 0 },
};

static void all(void *arg)
{
    void (*const tests[])(struct client *) = { what_came, very_many,
                                               what_goes, one_of_a_name,
                                               bounds,    too_late };
    struct http_config config = { .routes = routes };
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        fprintf(stderr, "  %zu\n", i);
        tests[i](k);
    }
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    run_co(all);
    return 0;
}
