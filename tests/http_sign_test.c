/* http_sign_test.c - signed texts and cookies: what was signed is accepted
 * until it expires, and nothing else is.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_sign_text.h"
#include "tests/web_kit.h"

#define KEY_A "0123456789abcdef0123456789abcdef"
#define KEY_B "fedcba9876543210fedcba9876543210fedcba98"

static const struct http_sign_key only_a[] = { { KEY_A, 32 }, { NULL, 0 } };
static const struct http_sign_key only_b[] = { { KEY_B, 40 }, { NULL, 0 } };
static const struct http_sign_key b_then_a[] = { { KEY_B, 40 },
                                                 { KEY_A, 32 },
                                                 { NULL, 0 } };
static struct http_signer *a, *b, *ba;

/* ---- Texts -----------------------------------------------------------------
 */

enum { NOW = 1000000 };

static int check_text(const struct http_signer *s, const char *name,
                      const char *text, const char *value)
{
    char buf[500];
    ssize_t n = http_sign_take(s, name, text, NOW, buf, sizeof buf);

    if (n < 0)
        return errno;
    CHECK_EQ(n, strlen(value));
    CHECK(strcmp(buf, value) == 0);
    return 0;
}

/* Made by: printf 'user\0YWxpY2U.2000000' | openssl dgst -sha256 -hmac KEY_A
 * -binary | basenc --base64url */
static void known(void)
{
    char text[100];

    CHECK(http_sign_put(a, "user", "alice", 2000000, text, sizeof text) > 0);
    if (strcmp(text,
               "YWxpY2U.2000000.eyz1SuwO_IGva2_jmgxP_CChGPLCRwF1yv7cVGjZId8") !=
        0) {
        fprintf(stderr, "'%s'\n", text);
        exit(1);
    }
}

/* Of all lengths, with all bytes. */
static void there_and_back(void)
{
    char value[300], text[HTTP_SIGN_BYTES(300)], back[300];

    for (size_t len = 0; len < sizeof value - 1; len++) {
        ssize_t n;

        for (size_t i = 0; i < len; i++)
            value[i] = (char)(1 + (i * 7 + len) % 255);
        value[len] = '\0';
        n = http_sign_put(a, "n", value, INT64_MAX, text, HTTP_SIGN_BYTES(len));
        CHECK(n > 0);
        CHECK_EQ(n, strlen(text));
        CHECK_EQ(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
                              "qrstuvwxyz0123456789-_."),
                 n);
        CHECK_EQ(check_text(a, "n", text, value), 0);
        /* Room for neither more nor less. */
        CHECK_EQ(http_sign_put(a, "n", value, INT64_MAX, text, (size_t)n + 1),
                 n);
        CHECK_EQ(http_sign_put(a, "n", value, INT64_MAX, text, (size_t)n), -1);
        CHECK_EQ(errno, EMSGSIZE);
        CHECK_EQ(http_sign_put(a, "n", value, INT64_MAX, text, sizeof text), n);
        CHECK_EQ(http_sign_take(a, "n", text, NOW, back, len + 1), len);
        CHECK_EQ(http_sign_take(a, "n", text, NOW, back, len), -1);
        CHECK_EQ(errno, EMSGSIZE);
    }
}

static void tampered(void)
{
    char text[200], changed[200];
    ssize_t len = http_sign_put(a, "user", "alice & bob", NOW + 1, text, 200);

    CHECK_EQ(check_text(a, "user", text, "alice & bob"), 0);
    for (ssize_t i = 0; i <= len; i++)
        for (int c = 0; c < 256; c++) {
            strcpy(changed, text);
            if (changed[i] == (char)c)
                continue;
            changed[i] = (char)c;
            changed[len + 1] = '\0';
            CHECK_EQ(check_text(a, "user", changed, ""), EBADMSG);
        }
    for (ssize_t i = 0; i < len; i++) {
        (void)snprintf(changed, sizeof changed, "%.*s", (int)i, text);
        CHECK_EQ(check_text(a, "user", changed, ""), EBADMSG);
        CHECK_EQ(check_text(a, "user", text + i + 1, ""), EBADMSG);
        (void)snprintf(changed, sizeof changed, "%.*s%s", (int)i, text,
                       text + i + 1);
        CHECK_EQ(check_text(a, "user", changed, ""), EBADMSG);
    }
    CHECK_EQ(check_text(a, "User", text, ""), EBADMSG);
    CHECK_EQ(check_text(a, "", text, ""), EBADMSG);
    CHECK_EQ(check_text(a, "use", text, ""), EBADMSG);
    CHECK_EQ(check_text(b, "user", text, ""), EBADMSG);
    CHECK_EQ(check_text(a, "user", "", ""), EBADMSG);
    CHECK_EQ(check_text(a, "user", "..", ""), EBADMSG);
}

static void expired(void)
{
    char text[200], buf[200];

    CHECK(http_sign_put(a, "n", "v", NOW, text, sizeof text) > 0);
    CHECK_EQ(http_sign_take(a, "n", text, NOW - 1, buf, sizeof buf), 1);
    CHECK_EQ(http_sign_take(a, "n", text, NOW, buf, sizeof buf), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK_EQ(http_sign_take(a, "n", text, INT64_MAX, buf, sizeof buf), -1);
    CHECK_EQ(errno, ETIMEDOUT);
    /* By the clock. */
    CHECK(http_sign_text(a, "n", "v", 1, text, sizeof text) > 0);
    if (http_sign_check(a, "n", text, buf, sizeof buf) < 0)
        CHECK_EQ(errno, ETIMEDOUT);
    while (http_sign_check(a, "n", text, buf, sizeof buf) >= 0)
        test_sleep_ms(10);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(http_sign_text(a, "n", "v", INT64_MAX, text, sizeof text) > 0);
    CHECK_EQ(http_sign_check(a, "n", text, buf, sizeof buf), 1);
    CHECK_EQ(http_sign_text(a, "n", "v", 0, text, sizeof text), -1);
    CHECK_EQ(errno, EINVAL);
}

static void rotated(void)
{
    char text[200];

    CHECK(http_sign_put(a, "n", "v", NOW + 1, text, sizeof text) > 0);
    CHECK_EQ(check_text(ba, "n", text, "v"), 0);
    CHECK(http_sign_put(ba, "n", "v", NOW + 1, text, sizeof text) > 0);
    CHECK_EQ(check_text(b, "n", text, "v"), 0);
    CHECK_EQ(check_text(a, "n", text, "v"), EBADMSG);
}

static void keys(void)
{
    const struct http_sign_key none[] = { { NULL, 0 } };
    const struct http_sign_key weak[] = { { KEY_A, 31 }, { NULL, 0 } };
    const struct http_sign_key weak_too[] = { { KEY_A, 32 },
                                              { KEY_B, 0 },
                                              { NULL, 0 } };

    CHECK(http_sign_new(none) == NULL && errno == EINVAL);
    CHECK(http_sign_new(weak) == NULL && errno == EINVAL);
    CHECK(http_sign_new(weak_too) == NULL && errno == EINVAL);
    http_sign_free(NULL);
}

/* Signed with a key of ours by somebody who writes something else. */
static void foreign(void)
{
    char text[200];

    CHECK(http_sign_put(a, "n", "", -5, text, sizeof text) > 0);
    CHECK_EQ(check_text(a, "n", text, ""), ETIMEDOUT);
    CHECK(http_sign_put(a, "n", "", 0, text, sizeof text) > 0);
    CHECK_EQ(check_text(a, "n", text, ""), ETIMEDOUT);
}

/* ---- By many ---------------------------------------------------------------
 */

static void sign_often(void *arg)
{
    const char *value = arg;

    for (long i = test_count(3000); i > 0; i--) {
        char text[200], back[200];

        CHECK(http_sign_text(ba, value, value, 1000, text, sizeof text) > 0);
        CHECK(http_sign_check(ba, value, text, back, sizeof back) > 0);
        CHECK(strcmp(back, value) == 0);
        co_yield_now();
    }
}

static void by_many(void *arg)
{
    static const char *const values[] = { "one", "two", "three", "four" };
    struct co *co[4];

    (void)arg;
    for (int i = 0; i < 4; i++) {
        struct co_attr attr = { .on = co_sched_at((unsigned)i % 2) };

        co[i] = co_spawn(sign_often, (void *)values[i], &attr);
        CHECK(co[i] != NULL);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(co_join(co[i], SOON), 0);
}

/* ---- Cookies ---------------------------------------------------------------
 */

static struct http_cookie to_set;

static int sets(struct http_request *req, struct http_response *res)
{
    (void)req;
    if (http_sign_set_cookie(a, res, &to_set) == 0)
        return 204;
    http_printf(res, "%d", errno);
    return 500;
}

static int shows(struct http_request *req, struct http_response *res)
{
    const char *value = http_sign_cookie(ba, req, "user");

    if (value == NULL)
        http_printf(res, "errno %d", errno);
    else
        http_text(res, value);
    return 200;
}

static const struct http_route routes[] = {
    { "GET", "/sets", sets, NULL, 0 },
    { "GET", "/shows", shows, NULL, 0 },
    { 0 },
};

static void show(struct client *k, const char *format, const char *cookie)
{
    char request[9000], cookies[8000];

    (void)snprintf(cookies, sizeof cookies, format, cookie);
    (void)snprintf(request, sizeof request,
                   "GET /shows HTTP/1.1\r\nCookie: %s\r\n" END, cookies);
    CHECK_EQ(ask(k, request), 200);
}

static void check_errno(struct client *k, int err)
{
    char text[32];

    (void)snprintf(text, sizeof text, "errno %d", err);
    CHECK(body_is(k, text));
}

static void cookies(void *arg)
{
    struct http_config config = { .routes = routes };
    static char value[5000];
    struct client *k;
    struct web web;
    char *cookie, *end;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    to_set = (struct http_cookie){ .name = "user",
                                   .value = "alice; \"\xff\"\r\n",
                                   .max_age = 60 };
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    cookie = strdup(field(k, "Set-Cookie"));
    CHECK(cookie != NULL);
    end = strchr(cookie, ';');
    CHECK(strcmp(end, "; Path=/; Max-Age=60; HttpOnly; SameSite=Lax") == 0);
    *end = '\0';
    show(k, "%s", cookie);
    CHECK(body_is(k, to_set.value));
    /* Others of that name do not hide it. */
    show(k, "user=x; x=y; user=a.b.c; %s; user=z", cookie);
    CHECK(body_is(k, to_set.value));
    show(k, "user=x; %s1; user=z", cookie);
    check_errno(k, EBADMSG);
    show(k, "x%s", cookie);
    check_errno(k, ENOENT);
    /* Under another name. */
    memcpy(cookie, "abcd", 4);
    show(k, "user=x; %s", cookie);
    check_errno(k, EBADMSG);
    show(k, "user=%s", cookie + 5);
    CHECK(body_is(k, to_set.value));
    free(cookie);

    to_set.max_age = -1;
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 204);
    CHECK(strncmp(field(k, "Set-Cookie"), "user=; Path=/; Expires=", 23) == 0);
    to_set = (struct http_cookie){ .name = "user" };
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 500);
    to_set = (struct http_cookie){ .value = "user" };
    CHECK_EQ(ask(k, "GET /sets HTTP/1.1\r\n" END), 500);
    to_set = (struct http_cookie){ .name = "user", .value = value };
    for (size_t len = 10; len < sizeof value; len += 10) {
        int status;

        memset(value, 'v', len);
        status = ask(k, "GET /sets HTTP/1.1\r\n" END);
        CHECK_EQ(status, len <= 3000 ? 204 : len > 3100 ? 500 : status);
        k->len = k->consumed = 0;
    }
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    a = http_sign_new(only_a);
    b = http_sign_new(only_b);
    ba = http_sign_new(b_then_a);
    CHECK(a != NULL && b != NULL && ba != NULL);
    RUN(known);
    RUN(there_and_back);
    RUN(tampered);
    RUN(expired);
    RUN(rotated);
    RUN(keys);
    RUN(foreign);
    RUN_CO(by_many);
    RUN_CO(cookies);
    http_sign_free(a);
    http_sign_free(b);
    http_sign_free(ba);
    return 0;
}
