/* http_route_test.c - which route a path finds.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http.h"
#include "net/http_route.h"
#include "tests/test.h"

static int handler(struct http_request *req, struct http_response *res)
{
    (void)req;
    (void)res;
    return 200;
}

#define ROUTE(method, pattern)                                                 \
    {                                                                          \
        (method), (pattern), handler, NULL, 0                                  \
    }

static const struct http_route routes[] = {
    ROUTE("GET", "/*"),
    ROUTE("GET", "/users/:id"),
    ROUTE("GET", "/users/me"),
    ROUTE("PUT", "/users/:name"),
    ROUTE("GET", "/users/:id/posts/:post"),
    ROUTE("GET", "/users/:id/posts/*"),
    ROUTE("GET", "/users/:id/:what"),
    ROUTE("GET", "/"),
    ROUTE("GET", "/static/*"),
    ROUTE(NULL, "/any"),
    ROUTE("GET", "/twice"),
    ROUTE("GET", "/twice"),
    ROUTE("HEAD", "/twice"),
    ROUTE("PURGE", "/cache/:key/"),
    ROUTE("PURGE", "/cache/:key"),
    { 0 },
};

static const char *find(struct http_router *r, const char *method,
                        const char *path, struct http_match *m)
{
    enum http_method id = strcmp(method, "GET") == 0    ? HTTP_GET
                          : strcmp(method, "PUT") == 0  ? HTTP_PUT
                          : strcmp(method, "HEAD") == 0 ? HTTP_HEAD
                          : strcmp(method, "POST") == 0 ? HTTP_POST
                                                        : HTTP_OTHER;

    if (!http_router_find(r, id, method, path, strlen(path), m))
        return "none";
    return m->route->pattern;
}

static void check_param(const struct http_match *m, const char *path,
                        const char *name, const char *value)
{
    const struct http_slice *s = http_match_param(m, name);

    if (value == NULL) {
        CHECK(s == NULL);
        return;
    }
    CHECK(s != NULL && s->len == strlen(value));
    CHECK(memcmp(path + s->at, value, s->len) == 0);
}

static void finds(void)
{
    static const struct {
        const char *method, *path, *pattern, *name, *value;
    } cases[] = {
        { "GET", "/", "/", "*", NULL },
        { "HEAD", "/", "/", NULL, NULL },
        { "GET", "/users/me", "/users/me", "id", NULL },
        { "GET", "/users/you", "/users/:id", "id", "you" },
        { "PUT", "/users/me", "/users/:name", "name", "me" },
        { "GET", "/users/", "/*", "*", "users/" },
        { "GET", "/users/7/posts/8", "/users/:id/posts/:post", "post", "8" },
        { "GET", "/users/7/posts/8", "/users/:id/posts/:post", "id", "7" },
        { "GET", "/users/7/posts/8/9", "/users/:id/posts/*", "*", "8/9" },
        { "GET", "/users/7/posts/", "/users/:id/posts/*", "*", "" },
        { "GET", "/users/7/posts", "/users/:id/:what", "what", "posts" },
        { "GET", "/static/a/b.css", "/static/*", "*", "a/b.css" },
        { "GET", "/static", "/*", "*", "static" },
        { "POST", "/any", "/any", NULL, NULL },
        { "GET", "/any", "/any", NULL, NULL },
        { "PURGE", "/cache/k", "/cache/:key", "key", "k" },
        { "PURGE", "/cache/k/", "/cache/:key/", "key", "k" },
        { "OTHER", "/cache/k", "none", NULL, NULL },
        { "POST", "/users/me", "none", NULL, NULL },
    };
    struct http_router *r = http_router_new(routes);

    CHECK(r != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_match m;
        const char *pattern = find(r, cases[i].method, cases[i].path, &m);

        if (strcmp(pattern, cases[i].pattern) != 0)
            fprintf(stderr, "%s found %s\n", cases[i].path, pattern);
        CHECK(strcmp(pattern, cases[i].pattern) == 0);
        if (cases[i].name != NULL)
            check_param(&m, cases[i].path, cases[i].name, cases[i].value);
        check_param(&m, cases[i].path, "nobody", NULL);
    }
    http_router_free(r);
}

static void first_of_equals(void)
{
    struct http_router *r = http_router_new(routes);
    struct http_match m;

    CHECK(r != NULL);
    (void)find(r, "GET", "/twice", &m);
    CHECK(m.route == &routes[10]);
    (void)find(r, "HEAD", "/twice", &m);
    CHECK(m.route == &routes[12]);
    http_router_free(r);
}

/* HEAD is answered by what answers GET, as long as no other is for it alone. */
static void heads(void)
{
    static const struct http_route table[] = {
        ROUTE(NULL, "/*"),     ROUTE("HEAD", "/:word"),
        ROUTE("GET", "/ok"),   ROUTE("GET", "/a/:x"),
        ROUTE("GET", "/b/:x"), ROUTE("POST", "/b/:y"),
        ROUTE(NULL, "/b/:y"),  ROUTE("HEAD", "/b/:z"),
        ROUTE(NULL, "/any"),   ROUTE("HEAD", "/any"),
        ROUTE("GET", "/own"),  ROUTE("POST", "/own"),
        ROUTE("HEAD", "/own"), { 0 },
    };
    static const struct {
        const char *path, *name;
        int get, head;
    } cases[] = {
        { "/ok", NULL, 2, 2 },    { "/a/1", "x", 3, 3 },
        { "/b/1", "z", 4, 7 },    { "/any", NULL, 8, 8 },
        { "/own", NULL, 10, 12 }, { "/x/y", NULL, 0, 0 },
        { "/x", "word", 0, 1 },
    };
    struct http_router *r = http_router_new(table);

    CHECK(r != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = cases[i].path;
        struct http_match m;

        (void)find(r, "GET", path, &m);
        CHECK_EQ(m.route - table, cases[i].get);
        (void)find(r, "HEAD", path, &m);
        CHECK_EQ(m.route - table, cases[i].head);
        if (cases[i].name != NULL)
            check_param(&m, path, cases[i].name, strrchr(path, '/') + 1);
    }
    http_router_free(r);
}

/* In which order they stand in the table does not matter. */
static void any_order(void)
{
    static const char *const patterns[] = { "/:x/*", "/:x", "/:x/b" };

    for (int i = 0; i < 27; i++) {
        int a = i % 3, b = i / 3 % 3, c = i / 9;
        const struct http_route table[] = { ROUTE("GET", patterns[a]),
                                            ROUTE("GET", patterns[b]),
                                            ROUTE("GET", patterns[c]),
                                            { 0 } };
        struct http_router *r;
        struct http_match m;

        if (a == b || b == c || c == a)
            continue;
        r = http_router_new(table);
        CHECK(r != NULL);
        CHECK(strcmp(find(r, "GET", "/q/b", &m), "/:x/b") == 0);
        CHECK(strcmp(find(r, "GET", "/q/c", &m), "/:x/*") == 0);
        CHECK(strcmp(find(r, "GET", "/q", &m), "/:x") == 0);
        http_router_free(r);
    }
}

static void allows(void)
{
    static const struct {
        const char *path, *allow;
    } cases[] = {
        { "/users/me", "GET, HEAD, PUT, OPTIONS" },
        { "/cache/x", "PURGE, GET, HEAD, OPTIONS" },
        { "/twice", "GET, HEAD, OPTIONS" },
        { "x", "" },
    };
    struct http_router *r = http_router_new(routes);
    char allow[ROUTE_ALLOW_MAX];

    CHECK(r != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n =
            http_router_allow(r, cases[i].path, strlen(cases[i].path), allow);

        if (strcmp(allow, cases[i].allow) != 0)
            fprintf(stderr, "%s: %s\n", cases[i].path, allow);
        CHECK(strcmp(allow, cases[i].allow) == 0);
        CHECK_EQ(n, strlen(allow));
    }
    CHECK(http_router_allow(r, NULL, 0, allow) > 0);
    CHECK(strstr(allow, "PURGE") != NULL && strstr(allow, "PUT") != NULL);
    http_router_free(r);
}

/* A table of a thousand is found as one of ten is. */
static void many(void)
{
    enum { MANY = 1000 };
    static struct http_route table[MANY + 1];
    static char patterns[MANY][32];
    struct http_router *r;
    struct http_match m;

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(patterns[i], sizeof patterns[i],
                       i % 2 ? "/word/%d" : "/%d/:x", i);
        table[i] = (struct http_route)ROUTE("GET", patterns[i]);
    }
    r = http_router_new(table);
    CHECK(r != NULL);
    for (int i = 0; i < MANY; i++) {
        char path[32];

        (void)snprintf(path, sizeof path, i % 2 ? "/word/%d" : "/%d/y", i);
        (void)find(r, "GET", path, &m);
        CHECK(m.route == &table[i]);
    }
    http_router_free(r);
}

static void empty_table(void)
{
    struct http_router *r = http_router_new(NULL);
    char allow[ROUTE_ALLOW_MAX];
    struct http_match m;

    CHECK(r != NULL);
    CHECK(strcmp(find(r, "GET", "/", &m), "none") == 0);
    CHECK_EQ(http_router_allow(r, "/", 1, allow), 0);
    http_router_free(r);
}

int main(void)
{
    RUN(finds);
    RUN(first_of_equals);
    RUN(heads);
    RUN(any_order);
    RUN(allows);
    RUN(many);
    RUN(empty_table);
    return 0;
}
