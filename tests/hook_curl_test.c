/* hook_curl_test.c - libcurl's easy interface in coroutines, against an nginx
 * of our own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <curl/curl.h>

struct fetch {
    const char *scheme, *path;
    int port;
    long timeout_ms; /* 0: none */
    size_t size;     /* out */
    unsigned sum;    /* out, of all bytes */
    CURLcode code;   /* out */
};

static size_t got_data(char *data, size_t size, size_t n, void *arg)
{
    struct fetch *f = arg;

    f->size += size * n;
    for (size_t i = 0; i < size * n; i++)
        f->sum += (unsigned char)data[i];
    return size * n;
}

static void fetches(void *arg)
{
    struct fetch *f = arg;
    char url[100];
    CURL *curl = curl_easy_init();
    long status = 0;

    CHECK(curl != NULL);
    f->size = f->sum = 0;
    (void)snprintf(url, sizeof url, "%s://localhost:%d%s", f->scheme, f->port,
                   f->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CAINFO, server_text("HTTPS_CERT"));
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, got_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, f->timeout_ms);
    f->code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    CHECK_EQ(status, f->code == CURLE_OK ? 200 : 0);
    curl_easy_cleanup(curl);
}

static void succeeds(void *arg)
{
    struct fetch *f = arg;

    fetches(f);
    if (f->code != CURLE_OK)
        fprintf(stderr, "    %s\n", curl_easy_strerror(f->code));
    CHECK_EQ(f->code, CURLE_OK);
}

static void many_at_once(void)
{
    struct fetch fetch[50];
    int64_t begin = co_now();

    for (int i = 0; i < 50; i++)
        fetch[i] = (struct fetch){ .scheme = "https",
                                   .path = "/slow",
                                   .port = server_port("HTTPS_PORT") };
    at_once(succeeds, fetch, sizeof *fetch, 50);
    check_within(begin, 20 * CO_SECOND); /* one by one: 50 s */
    for (int i = 0; i < 50; i++)
        CHECK_EQ(fetch[i].size, 150000);
}

/* One of each scheme at a time is the measure of the others. */
static void bytes_are_the_same(void)
{
    struct fetch fetch[20];
    unsigned sum = 0;

    for (unsigned i = 0; i < 65536; i++)
        sum += i * i >> 8 & 255;
    for (int i = 0; i < 20; i++)
        fetch[i] = (struct fetch){
            .scheme = i % 2 == 0 ? "https" : "http",
            .path = "/large",
            .port = server_port(i % 2 == 0 ? "HTTPS_PORT" : "HTTP_PORT")
        };
    at_once(succeeds, fetch, sizeof *fetch, 20);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(fetch[i].size, 1 << 20);
        CHECK_EQ(fetch[i].sum, sum * 16);
    }
}

static void own_timeout(void)
{
    struct fetch fetch[20];
    int64_t begin = co_now();
    int port = silent_port();

    for (int i = 0; i < 20; i++)
        fetch[i] = (struct fetch){ .scheme = i % 2 == 0 ? "https" : "http",
                                   .path = "/",
                                   .port = port,
                                   .timeout_ms = 500 };
    at_once(fetches, fetch, sizeof *fetch, 20);
    check_within(begin, 5 * CO_SECOND); /* one by one: 10 s */
    for (int i = 0; i < 20; i++)
        CHECK_EQ(fetch[i].code, CURLE_OPERATION_TIMEDOUT);
}

static void other_errors(void)
{
    struct fetch fetch[] = {
        { .scheme = "http", .path = "/", .port = 1 },
        { .scheme = "https", .path = "/", .port = server_port("HTTP_PORT") },
    };

    at_once(fetches, fetch, sizeof *fetch, 2);
    CHECK_EQ(fetch[0].code, CURLE_COULDNT_CONNECT);
    CHECK_EQ(fetch[1].code, CURLE_SSL_CONNECT_ERROR);
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

static void fails(void *arg)
{
    struct fetch *f = arg;

    fetches(f);
    if (f->code != CURLE_BAD_FUNCTION_ARGUMENT) /* what curl 7.88 says */
        fprintf(stderr, "    %s\n", curl_easy_strerror(f->code));
    CHECK(f->code != CURLE_OK);
}

static void limit_and_cancel(void)
{
    struct fetch fetch[4];
    struct ending endings[4];
    int port = silent_port();

    for (int i = 0; i < 4; i++) {
        fetch[i] = (struct fetch){ .scheme = i / 2 == 0 ? "https" : "http",
                                   .path = "/",
                                   .port = port };
        endings[i] = (struct ending){ fails, &fetch[i], i % 2 != 0 };
    }
    at_once(ends_in_time, endings, sizeof *endings, 4);
}

static void tests(void)
{
    RUN(many_at_once);
    RUN(bytes_are_the_same);
    RUN(own_timeout);
    RUN(other_errors);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

int main(void)
{
    int status;

    CHECK_EQ(curl_global_init(CURL_GLOBAL_ALL), 0);
    status = run_clients(tests);
    curl_global_cleanup();
    return status;
}
