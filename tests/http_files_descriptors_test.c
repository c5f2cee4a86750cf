/* http_files_descriptors_test.c - serving files where few may be open.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files.h"
#include "tests/files_kit.h"
#include "tests/web_kit.h"
#include <sys/resource.h>

static struct web web;
static struct client *k; /* of the test */

static int get(const char *path)
{
    char text[200];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, path);
    k->len = k->consumed = 0;
    return ask(k, text);
}

enum { FDS = 200, LARGE = 40000, NAMES = 60, FOLDERS = 5 };

static const char *numbered(const char *format, int i)
{
    static char text[40];

    (void)snprintf(text, sizeof text, format, i);
    return text;
}

/* Takes all that are left, into a list of FDS. */
static int take_all(int *fds)
{
    int n = 0;

    while (n < FDS && (fds[n] = dup(STDERR_FILENO)) >= 0)
        n++;
    CHECK(n < FDS && errno == EMFILE);
    return n;
}

static void give_back(const int *fds, int n)
{
    for (int i = 0; i < n; i++)
        CHECK_EQ(close(fds[i]), 0);
}

/* With files kept open there are some to open others; without there is an
 * answer, and afterwards all is well. */
static void none_left(void)
{
    int fds[FDS], n;

    for (int i = 0; i < 10; i++)
        CHECK_EQ(get(numbered("/n%d.bin", i)), 200);
    n = take_all(fds);
    CHECK_EQ(get("/n10.bin"), 200);
    CHECK_EQ(k->body_len, LARGE);
    give_back(fds, n);
    CHECK_EQ(unlink(file_path("n10.bin")), 0);
    CHECK_EQ(get("/n10.bin"), 404);
    file_large("n10.bin", LARGE);
    n = take_all(fds);
    for (int i = 20; i < 30; i++) {
        int status = get(numbered("/n%d.bin", i));

        CHECK(status == 503 || status == 200);
    }
    CHECK_EQ(get("/"), 503);
    give_back(fds, n);
    CHECK_EQ(get("/n20.bin"), 200);
    CHECK_EQ(get("/"), 403);
}

static void descriptors(void *arg)
{
    struct http_config config = { .routes = arg };

    web_start(&web, &config, NULL);
    k = client_open(&web);
    for (int f = 0; f < FOLDERS; f++)
        for (int i = 0; i < NAMES; i++) {
            char path[40];

            (void)snprintf(path, sizeof path, "/%d/n%d.bin", f, i);
            CHECK_EQ(get(path), 200);
        }
    CHECK(fds_open() < FDS / 4 + 50);
    client_close(k);
    k = client_open(&web);
    none_left();
    client_close(k);
    web_stop(&web);
}

/* Files that are kept open leave most descriptors to connections, however many
 * folders are served. */
int main(void)
{
    static const char *const patterns[] = { "/0/*", "/1/*", "/2/*", "/3/*",
                                            "/*" };
    struct http_files_config config = { .root = files_root };
    struct rlimit old, few = { FDS, FDS };
    struct http_route many[FOLDERS + 1] = { { 0 } };
    struct http_files *each[FOLDERS];
    int fds = fds_open();

    files_make();
    for (int i = 0; i < NAMES; i++)
        file_large(numbered("n%d.bin", i), LARGE);
    CHECK_EQ(mkdir(file_path("4"), 0755), 0);
    for (int i = 0; i < NAMES; i++)
        file_large(numbered("4/n%d.bin", i), LARGE);
    file_settle();
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    few.rlim_max = old.rlim_max;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int i = 0; i < FOLDERS; i++) {
        each[i] = http_files_open(&config);
        CHECK(each[i] != NULL);
        many[i] =
            (struct http_route){ "GET", patterns[i], http_files, each[i], 0 };
    }
    fprintf(stderr, "  descriptors\n");
    CHECK_EQ(co_run(descriptors, many, &(struct co_config){ .schedulers = 2 }),
             0);
    for (int i = 0; i < FOLDERS; i++)
        http_files_close(each[i]);
    CHECK_EQ(fds_open(), fds);
    return 0;
}
