/* http_debug_test.c - a service that can be looked into: /metrics is what
 * Prometheus reads, and true; /debug/coroutines ends with its client; /healthz
 * tells of a stop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/inside.h"
#include "net/http_debug.h"
#include "tests/hold_kit.h"
#include "tests/metrics_kit.h"
#include <dirent.h>
#include <sys/wait.h>

static const struct http_route routes[] = {
    { "GET", "/hold", hold, NULL, 0 },
    HTTP_DEBUG_ROUTES,
    { 0 },
};

static const struct http_config config = { .routes = routes };

/* ---- /metrics --------------------------------------------------------------
 */

static struct metrics *scrape(struct client *k)
{
    CHECK_EQ(ask(k, "GET /metrics HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Content-Type"),
                 "text/plain; version=0.0.4; charset=utf-8") == 0);
    return metrics_parse(k->body, k->body_len);
}

/* promtool has the last word, where it is. */
static void check_with_promtool(const char *text, size_t len)
{
    char command[64], path[] = "/tmp/http_debug_XXXXXX";
    int fd, status;

    if (system("command -v promtool >/dev/null 2>&1") != 0) {
        fprintf(stderr, "    promtool is not here\n");
        return;
    }
    fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    (void)snprintf(command, sizeof command, "promtool check metrics <%s", path);
    status = system(command);
    (void)close(fd);
    (void)unlink(path);
    CHECK_EQ(status, 0);
}

static void metrics(void *arg)
{
    struct web web;
    struct client *k;
    struct metrics *m;
    double fds, switches;

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    m = scrape(k);
    check_with_promtool(k->body, k->body_len);
    CHECK(metric(m, "corten_coroutines{scheduler=\"0\"}") +
              metric(m, "corten_coroutines{scheduler=\"1\"}") >=
          3);
    CHECK(metric(m, "corten_coroutines{scheduler=\"2\"}") < 0);
    CHECK(metric(m, "corten_stack_bytes") > 0);
    switches = metric(m, "corten_switches_total{scheduler=\"0\"}");
    CHECK(metric(m, "http_requests_total{class=\"2xx\"}") == 0);
    CHECK(metric(m, "http_connections") == 1);
    CHECK(metric(m, "process_resident_memory_bytes") > 1e5);
    CHECK(metric(m, "process_virtual_memory_bytes") >
          metric(m, "process_resident_memory_bytes"));
    CHECK(metric(m, "process_start_time_seconds") > 1.6e9);
    CHECK(metric(m, "process_start_time_seconds") < (double)time(NULL) + 2);
    CHECK(metric(m, "process_start_time_seconds") > (double)time(NULL) - 3600);
    CHECK(metric(m, "process_cpu_seconds_total") >= 0);
    CHECK(metric(m, "process_max_fds") == (double)sysconf(_SC_OPEN_MAX));
    fds = metric(m, "process_open_fds");
    metrics_free(m);

    CHECK_EQ(ask(k, "GET /none HTTP/1.1\r\n" END), 404);
    struct client *other = client_open(&web);
    CHECK_EQ(ask(other, "GET /healthz HTTP/1.1\r\n" END), 200);
    m = scrape(k);
    CHECK(metric(m, "http_requests_total{class=\"2xx\"}") == 2);
    CHECK(metric(m, "http_requests_total{class=\"4xx\"}") == 1);
    CHECK(metric(m, "http_connections") == 2);
    CHECK(metric(m, "http_connections_accepted_total") == 2);
    CHECK(metric(m, "http_request_duration_seconds_count") == 3);
    CHECK(metric(m, "http_request_duration_seconds_sum") > 0);
    CHECK(metric(m, "http_request_duration_seconds_bucket{le=\"+Inf\"}") == 3);
    CHECK(metric(m, "process_open_fds") == fds + 2); /* both ends */
    CHECK(metric(m, "corten_switches_total{scheduler=\"0\"}") > switches);
    metrics_free(m);
    client_close(other);
    say(k, "HEAD /metrics HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    client_close(k);
    web_stop(&web);
}

/* ---- /debug/coroutines -----------------------------------------------------
 */

/* Asks until the answer is not, or is, of that status. */
static void ask_until(struct client *k, const char *text, bool is, int status)
{
    int64_t end = SOON;

    do {
        CHECK(co_now() < end);
        k->len = k->consumed = 0;
    } while ((ask(k, text) == status) != is);
}

static bool contains(struct client *k, const char *text)
{
    return memmem(k->body, k->body_len, text, strlen(text)) != NULL;
}

static void coroutines(void *arg)
{
    struct web web;
    struct client *k, *held;

    (void)arg;
    web_start(&web, &config, NULL);
    held = client_open(&web);
    hold_begin(held);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /debug/coroutines HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Content-Type"), "text/plain; charset=utf-8") == 0);
    CHECK(contains(k, " \"http_serve\""));
    CHECK(contains(k, " semaphore 0x"));
    CHECK_EQ(ask(k, "GET /debug/coroutines?form=grouped HTTP/1.1\r\n" END),
             200);
    CHECK(contains(k, "1 in co_sem_wait"));
    CHECK_EQ(ask(k, "GET /debug/coroutines?form=json HTTP/1.1\r\n" END), 200);
    CHECK(strcmp(field(k, "Content-Type"), "application/x-ndjson") == 0);
    CHECK(k->body[0] == '{' && k->body[k->body_len - 1] == '\n');
    CHECK(contains(k, "\"name\":\"http_debug\""));
    CHECK_EQ(ask(k, "GET /debug/coroutines?form=x HTTP/1.1\r\n" END), 400);
    say(k, "HEAD /debug/coroutines HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    co_sem_post(&hold_end);
    CHECK_EQ(answer(held), 204);
    client_close(held);
    client_close(k);
    web_stop(&web);
}

static void sleep_on(void *arg)
{
    (void)arg;
    (void)co_sleep_until(CO_FOREVER);
}

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

static uint64_t living(void)
{
    struct co_stats s;

    co_stats(NULL, &s);
    return s.living;
}

/* More is told than sockets hold: some clients read all of it, others leave at
 * once, or after a part; when they are gone, so is all that was made for them.
 */
static void leaving(void *arg)
{
    enum { SLEEPERS = 2000 };
    struct co_group group = { 0 };
    struct web web;
    struct client *k;
    int fds;
    uint64_t before;
    int64_t end = SOON;

    (void)arg;
    for (int i = 0; i < SLEEPERS; i++)
        CHECK_EQ(co_group_go(&group, sleep_on, NULL), 0);
    web_start(&web, &config, NULL);
    k = client_open(&web); /* what stays open is open from here on */
    CHECK_EQ(ask(k, "GET /debug/coroutines HTTP/1.1\r\n" END), 200);
    CHECK(k->body_len > 100 * SLEEPERS);
    fds = count_fds();
    before = living();
    for (long i = 0, n = test_count(200); i < n; i++) {
        struct client *rude = client_open(&web);

        say(rude, "GET /debug/coroutines?form=json HTTP/1.1\r\n" END);
        if (i % 2 == 1)
            CHECK(client_read(rude));
        client_close(rude);
        CHECK_EQ(ask(k, "GET /healthz HTTP/1.1\r\n" END), 200);
    }
    while (count_fds() != fds || living() != before) {
        CHECK(co_now() < end);
        (void)co_sleep_until(co_after(CO_MSEC));
    }
    ask_until(k, "GET /debug/coroutines?form=grouped HTTP/1.1\r\n" END, true,
              200);
    CHECK(contains(k, "2,000 in "));
    client_close(k);
    co_group_cancel(&group);
    CHECK_EQ(co_group_wait(&group, SOON), 0);
    web_stop(&web);
}

static int keep_little(int fd, int buffer)
{
    int size = 4096;

    return setsockopt(fd, SOL_SOCKET, buffer, &size, sizeof size);
}

static int send_little(struct http_request *req, struct http_response *res)
{
    (void)res;
    CHECK_EQ(keep_little(net_fd(req->conn), SO_SNDBUF), 0);
    return 0;
}

/* Who does not read keeps his place, and nobody else's. */
static void places(void *arg)
{
    enum { PLACES = 4, SLEEPERS = 2000 };
    static http_handler *const before[] = { send_little, NULL };
    static const struct http_config c = { .routes = routes, .before = before };
    struct co_group group = { 0 };
    struct client *slow[PLACES], *k;
    struct web web;

    (void)arg;
    for (int i = 0; i < SLEEPERS; i++)
        CHECK_EQ(co_group_go(&group, sleep_on, NULL), 0);
    web_start(&web, &c, NULL);
    for (int i = 0; i < PLACES; i++) {
        slow[i] = client_open(&web);
        CHECK_EQ(keep_little(net_fd(slow[i]->c), SO_RCVBUF), 0);
        say(slow[i], "GET /debug/coroutines?form=json HTTP/1.1\r\n" END);
        CHECK(client_read(slow[i]));
    }
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /debug/coroutines HTTP/1.1\r\n" END), 503);
    CHECK_EQ(ask(k, "GET /healthz HTTP/1.1\r\n" END), 200);
    for (int i = 0; i < PLACES; i++)
        client_close(slow[i]);
    co_group_cancel(&group);
    CHECK_EQ(co_group_wait(&group, SOON), 0);
    ask_until(k, "GET /debug/coroutines HTTP/1.1\r\n" END, true, 200);
    client_close(k);
    web_stop(&web);
}

/* ---- /healthz --------------------------------------------------------------
 */

static void health(void *arg)
{
    struct web web;
    struct client *k, *held;

    (void)arg;
    web_start(&web, &config, NULL);
    held = client_open(&web);
    hold_begin(held);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /healthz HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "ok\n"));
    co_cancel(web.co);
    co_yield_now();
    ask_until(k, "GET /healthz HTTP/1.1\r\n" END, false, 200);
    CHECK_EQ(k->status, 503);
    CHECK(body_is(k, "stopping\n"));
    client_close(k);
    co_sem_post(&hold_end);
    CHECK_EQ(answer(held), 204);
    client_close(held);
    CHECK_EQ(co_join(web.co, SOON), 0);
}

static int mine(struct http_request *req, struct http_response *res)
{
    (void)req;
    http_text(res, "mine");
    return 200;
}

/* The first in the table counts. */
static void own_health(void *arg)
{
    static const struct http_route own[] = {
        { "GET", "/healthz", mine, NULL, 0 },
        HTTP_DEBUG_ROUTES,
        { 0 },
    };
    static const struct http_config c = { .routes = own };
    struct web web;
    struct client *k;

    (void)arg;
    web_start(&web, &c, NULL);
    k = client_open(&web);
    CHECK_EQ(ask(k, "GET /healthz HTTP/1.1\r\n" END), 200);
    CHECK(body_is(k, "mine"));
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    RUN(metrics_kit_self_test);
    RUN_CO(metrics);
    RUN_CO(coroutines);
    RUN_CO(leaving);
    RUN_CO(places);
    RUN_CO(health);
    RUN_CO(own_health);
    return 0;
}
