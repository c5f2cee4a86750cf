/* http_log_test.c - lines of the access log, and the dates.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_date.h"
#include "tests/web_kit.h"
#include <fcntl.h>
#include <stddef.h>
#include <sys/un.h>

static char lines[16][8192];
static unsigned count;

static void keep_line(void *app, const char *line, size_t len)
{
    CHECK(app == &count && count < 16 && len < sizeof lines[0]);
    memcpy(lines[count], line, len);
    lines[count++][len] = '\0';
}

static int hello(struct http_request *req, struct http_response *res)
{
    (void)req;
    CHECK_EQ(http_text(res, "hello"), 0);
    return 200;
}

static int drop(struct http_request *req, struct http_response *res)
{
    if (*req->query != '\0') {
        CHECK_EQ(http_stream(res, 200), 0);
        CHECK_EQ(http_text(res, "part"), 0);
    }
    return -1;
}

static const struct http_route routes[] = {
    { "GET", "/drop", drop, NULL, 0 },
    { "GET", "/*", hello, NULL, 0 },
    { 0 },
};

static void requests(struct web *web)
{
    struct client *k = client_open(web);

    count = 0;
    CHECK_EQ(ask(k, "GET /a%22b?\"\\ HTTP/1.1\r\n" END), 400);
    client_close(k);
    k = client_open(web);
    CHECK_EQ(ask(k, "GET /a%22b?c\\ HTTP/1.0\r\nConnection: keep-alive\r\n"
                    "User-Agent: x\"\\\t\xc3\xa4\r\nReferer: r\r\n" END),
             200);
    CHECK_EQ(ask(k, "POST /none HTTP/1.1\r\n" END), 405);
    client_close(k);
}

/* text, in which each '#' stands for any digit. */
static bool like(const char *line, const char *text)
{
    const char *l = line, *t = text;

    for (; *l != '\0' && *t != '\0'; l++, t++)
        if (*t == '#' ? (*l < '0' || *l > '9') : *l != *t)
            break;
    if (*l == *t)
        return true;
    fprintf(stderr, "%s\nis not like\n%s\n", line, text);
    return false;
}

/* Its month is none of digits. */
static void blank_month(char *line)
{
    char *slash = strchr(line, '/');

    CHECK(slash != NULL && slash[4] == '/');
    memcpy(slash + 1, "MMM", 3);
}

static void common(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_COMMON,
                                  .log = keep_line };
    struct web web;

    (void)arg;
    web_start(&web, &config, NULL);
    requests(&web);
    web_stop(&web);
    CHECK_EQ(count, 3);
    for (unsigned i = 0; i < 3; i++)
        blank_month(lines[i]);
    CHECK(like(lines[0],
               "127.0.0.1 - - [##/MMM/####:##:##:## +0000] \"-\" 400 48"));
    CHECK(like(lines[1], "127.0.0.1 - - [##/MMM/####:##:##:## +0000] "
                         "\"GET /a%22b?c\\\\ HTTP/1.0\" 200 5"));
    CHECK(like(lines[2], "127.0.0.1 - - [##/MMM/####:##:##:## +0000] "
                         "\"POST /none HTTP/1.1\" 405 23"));
}

static void json(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_JSON,
                                  .log = keep_line };
    struct web web;
    char *us;

    (void)arg;
    web_start(&web, &config, NULL);
    requests(&web);
    web_stop(&web);
    CHECK_EQ(count, 3);
    CHECK(strstr(lines[0], "\"status\":400,\"bytes\":48,\"us\":0}") != NULL);
    us = strstr(lines[1], ",\"us\":");
    CHECK(us != NULL && us[strlen(us) - 1] == '}');
    (void)strcpy(us, "}");
    CHECK(like(lines[1],
               "{\"time\":\"####-##-##T##:##:##Z\",\"client\":\"127.0.0.1\","
               "\"method\":\"GET\",\"target\":\"/a%22b?c\\\\\","
               "\"host\":\"a\",\"agent\":\"x\\\"\\\\\\u####\\u##c3\\u##a4\","
               "\"referer\":\"r\",\"version\":1.0,\"status\":200,"
               "\"bytes\":5}"));
}

/* A client of a unix socket may bind to any name, and forges no line by it. */
static void unix_client(void *arg)
{
    static const char get[] = "GET / HTTP/1.0\r\n\r\n";
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_COMMON,
                                  .log = keep_line };
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t base = offsetof(struct sockaddr_un, sun_path) + 1;
    struct web web = { .config = config };
    char answer[1024];
    int fd = co_socket(AF_UNIX, SOCK_STREAM, 0), n;

    (void)arg;
    count = 0;
    CHECK(fd >= 0);
    n = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "%d\n10.0.0.1 - -:1",
                 (int)getpid());
    CHECK_EQ(bind(fd, (void *)&un, (socklen_t)(base + (size_t)n)), 0);
    web.l = net_listen(local_addr(), NULL);
    CHECK(web.l != NULL);
    web.co = co_spawn(web_main, &web, NULL);
    n = snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "%s",
                 local_addr() + strlen("unix:@"));
    CHECK_EQ(co_connect(fd, (void *)&un, (socklen_t)(base + (size_t)n), SOON),
             0);
    CHECK_EQ(co_write(fd, get, strlen(get), SOON), (ssize_t)strlen(get));
    while (co_read(fd, answer, sizeof answer, SOON) > 0)
        ;
    CHECK_EQ(co_close(fd), 0);
    web_stop(&web);
    CHECK_EQ(count, 1);
    CHECK(strncmp(lines[0], "- - - [", 7) == 0);
}

/* What had no answer, or not all of it, has its line, too. */
static void dropped(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_COMMON,
                                  .log = keep_line };
    struct client *k;
    struct web web;

    (void)arg;
    count = 0;
    web_start(&web, &config, NULL);
    for (int i = 0; i < 2; i++) {
        k = client_open(&web);
        say(k,
            i ? "GET /drop?x HTTP/1.1\r\n" END : "GET /drop HTTP/1.1\r\n" END);
        while (client_read(k))
            ;
        client_close(k);
    }
    web_stop(&web);
    CHECK_EQ(count, 2);
    CHECK(strstr(lines[0], "\"GET /drop HTTP/1.1\" 0 0") != NULL);
    CHECK(strstr(lines[1], "\"GET /drop?x HTTP/1.1\" 200 4") != NULL);
}

/* A log that nobody reads holds no answer back. */
static void slow_log(void *arg)
{
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_COMMON };
    struct client *k;
    struct web web;
    int fds[2];
    char c;

    (void)arg;
    CHECK_EQ(pipe(fds), 0);
    while (co_write(fds[1], "x", 1, CO_NOWAIT) == 1)
        ;
    config.log_fd = fds[1];
    web_start(&web, &config, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET / HTTP/1.1\r\n" END), 200);
    client_close(k);
    while (co_read(fds[0], &c, 1, SOON) == 1 && c == 'x')
        ;
    CHECK_EQ(c, '1'); /* of the address */
    web_stop(&web);
    CHECK_EQ(co_close(fds[0]), 0);
    CHECK_EQ(co_close(fds[1]), 0);
}

static void to_a_descriptor(void *arg)
{
    FILE *file = tmpfile();
    struct http_config config = { .routes = routes,
                                  .app = &count,
                                  .log_form = HTTP_LOG_COMMON };
    struct web web;
    char line[256];
    int n = 0;

    (void)arg;
    CHECK(file != NULL);
    config.log_fd = fileno(file);
    web_start(&web, &config, NULL);
    requests(&web);
    web_stop(&web);
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL)
        n += strchr(line, '\n') != NULL;
    CHECK_EQ(n, 3);
    CHECK_EQ(fclose(file), 0);
}

static void dates(void)
{
    char iso[DATE_LOG], common_date[DATE_LOG], text[64];
    time_t before = time(NULL), after;
    struct tm tm = { .tm_isdst = 0 };

    memcpy(text, http_date_line(http_now()), DATE_LINE);
    text[DATE_LINE] = '\0';
    after = time(NULL);
    CHECK(strptime(text, "Date: %a, %d %b %Y %T GMT\r\n", &tm) != NULL);
    CHECK(timegm(&tm) >= before - 1 && timegm(&tm) <= after);
    http_date_iso(iso);
    http_date_common(common_date);
    CHECK_EQ(strlen(iso), 20);
    CHECK_EQ(strlen(common_date), 26);
    CHECK(co_now() - http_now() < CO_SECOND && co_now() >= http_now());
}

int main(void)
{
    RUN(dates);
    RUN_CO(common);
    RUN_CO(json);
    RUN_CO(unix_client);
    RUN_CO(dropped);
    RUN_CO(slow_log);
    RUN_CO(to_a_descriptor);
    return 0;
}
