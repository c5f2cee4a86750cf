/* fetch.c - a hundred blocking libcurl transfers at once, on one thread.
 *
 *     fetch URL [COUNT]          100 unless given
 *
 * Linked with corten-hook: curl_easy_perform() waits in poll(), which suspends
 * the coroutine.  The function that fetches is what it would be on a thread of
 * its own, and libcurl is the one that the system has.  Between them runs a
 * coroutine that shows how far they are.  CURL_CA_BUNDLE in the environment
 * names the file of other certificates to trust.
 *
 * Needs libcurl4-openssl-dev. SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include <curl/curl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* All coroutines are on one scheduler: nothing of this needs a lock. */
static const char *url;
static int wanted = 100, done, failed;
static int64_t bytes;

static size_t count_bytes(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    bytes += (int64_t)(size * n);
    return size * n;
}

static void fetch(void *arg)
{
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_OUT_OF_MEMORY;
    char why[CURL_ERROR_SIZE] = "";

    (void)arg;
    if (curl != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, count_bytes);
        curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, why);
        if (getenv("CURL_CA_BUNDLE") != NULL)
            curl_easy_setopt(curl, CURLOPT_CAINFO, getenv("CURL_CA_BUNDLE"));
        code = curl_easy_perform(curl);
        curl_easy_cleanup(curl);
    }
    if (code != CURLE_OK && failed++ == 0) /* the others fail likewise */
        fprintf(stderr, "%s\n", *why ? why : curl_easy_strerror(code));
    done++;
}

static void show(void *arg)
{
    bool all;

    (void)arg;
    do {
        all = done == wanted;
        fprintf(stderr, "\r%d of %d, %" PRId64 " bytes ", done, wanted, bytes);
    } while (!all && usleep(100000) == 0);
    fprintf(stderr, "\n");
}

static void root(void *arg)
{
    struct co_group group = { 0 };
    int64_t begin = co_now();

    (void)arg;
    for (int i = 0; i < wanted; i++)
        if (co_group_go(&group, fetch, NULL) < 0) {
            fprintf(stderr, "only %d: %s\n", i, co_spawn_why());
            wanted = i;
        }
    if (isatty(STDERR_FILENO))
        (void)co_group_go(&group, show, NULL);
    if (co_group_wait(&group, CO_FOREVER) < 0) { /* Ctrl-C */
        co_group_cancel(&group);
        (void)co_hold_cancel(true);
        (void)co_group_wait(&group, co_after(5 * CO_SECOND));
    }
    printf("%d done, %d failed, %" PRId64 " bytes, %.1f s\n", done, failed,
           bytes, (double)(co_now() - begin) / CO_SECOND);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s URL [COUNT]\n", argv[0]);
        return 2;
    }
    url = argv[1];
    if (argc > 2)
        wanted = atoi(argv[2]);
    if (curl_global_init(CURL_GLOBAL_ALL) != CURLE_OK ||
        co_run(root, NULL, &(struct co_config){ .schedulers = 1 }) < 0)
        return 1;
    curl_global_cleanup();
    return failed > 0;
}
