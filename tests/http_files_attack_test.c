/* http_files_attack_test.c - clients that want files to cost much, and folders
 * that hold what should not be there.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files.h"
#include "tests/files_kit.h"
#include "tests/web_kit.h"
#include <malloc.h>
#include <sys/inotify.h>
#include <sys/resource.h>

#define GZIP "Accept-Encoding: gzip\r\n"

static struct http_files *files;
static struct http_route routes[2];
static struct web web;
static struct client *k; /* of the test */

static int get(const char *path, const char *fields)
{
    static char text[20000];

    CHECK(snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n%s" END, path,
                   fields) < (int)sizeof text);
    k->len = k->consumed = 0;
    return ask(k, text);
}

/* Bytes that compress, but not at once. */
static void put_text(const char *name, size_t len)
{
    char *data = malloc(len);
    unsigned seed = 1;

    CHECK(data != NULL);
    for (size_t i = 0; i < len; i++)
        data[i] = "abcdefgh\n"[rand_r(&seed) % 9];
    file_put(name, data, len);
    free(data);
}

/* ---- What is opened --------------------------------------------------------
 */

static int watch(const char *name)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    CHECK(fd >= 0);
    CHECK(inotify_add_watch(fd, file_path(name), IN_OPEN) >= 0);
    return fd;
}

/* How often it was. */
static int opened(int fd)
{
    struct inotify_event events[64];
    int count = 0;
    ssize_t n;

    while ((n = read(fd, events, sizeof events)) > 0)
        count += (int)(n / (ssize_t)sizeof *events);
    CHECK(n < 0 && errno == EAGAIN);
    return count;
}

/* Who waits to write to a pipe would take us for its reader. */
static void pipes_are_left_alone(void)
{
    int fd;

    CHECK_EQ(mkfifo(file_path("pipe"), 0666), 0);
    file_text("p.css", "p");
    CHECK_EQ(mkfifo(file_path("p.css.gz"), 0666), 0);
    fd = watch("pipe");
    CHECK_EQ(get("/pipe", ""), 404);
    CHECK_EQ(get("/pipe/", ""), 404);
    CHECK_EQ(get("/pipe", GZIP), 404);
    CHECK_EQ(opened(fd), 0);
    CHECK_EQ(close(fd), 0);
    fd = watch("p.css.gz");
    CHECK_EQ(get("/p.css", GZIP), 200);
    CHECK(body_is(k, "p"));
    CHECK_EQ(opened(fd), 0);
    CHECK_EQ(close(fd), 0);
}

/* Beside a file is something with the name of its packed form that is none: it
 * is not read for each request. */
static void stays_in_memory(const char *name)
{
    char path[100];
    int fd = watch(name);

    (void)snprintf(path, sizeof path, "/%s", name);
    CHECK_EQ(get(path, GZIP), 200);
    CHECK(opened(fd) > 0);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(get(path, GZIP), 200);
    CHECK_EQ(opened(fd), 0);
    CHECK_EQ(close(fd), 0);
}

static void odd_neighbours(void)
{
    static const char *const names[] = { "folder.css", "pipe.css", "out.css",
                                         "loop.css", "none.css" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        put_text(names[i], 1000);
        file_age(names[i]);
    }
    CHECK_EQ(mkdir(file_path("folder.css.gz"), 0755), 0);
    CHECK_EQ(mkfifo(file_path("pipe.css.gz"), 0666), 0);
    CHECK_EQ(symlink("/etc/passwd", file_path("out.css.gz")), 0);
    CHECK_EQ(symlink("loop.css.gz", file_path("loop.css.gz")), 0);
    file_settle();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        stays_in_memory(names[i]);
}

/* ---- What is asked ---------------------------------------------------------
 */

enum { ALIASES = 30, TEXT = 1000000 };

static int64_t cpu_ns(void)
{
    struct timespec t;

    CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return t.tv_sec * CO_SECOND + t.tv_nsec;
}

/* A name with more slashes is the same name, for what is kept, too. */
static void slashes(void)
{
    char path[200];
    int64_t one, all;

    CHECK_EQ(mkdir(file_path("d"), 0755), 0);
    put_text("d/one.txt", TEXT);
    put_text("d/all.txt", TEXT);
    file_age("d/one.txt");
    file_age("d/all.txt");
    file_settle();
    one = cpu_ns();
    CHECK_EQ(get("/d/one.txt", GZIP), 200);
    one = cpu_ns() - one;
    all = cpu_ns();
    for (int i = 1; i <= ALIASES; i++) {
        (void)snprintf(path, sizeof path, "/d%.*sall.txt", i,
                       "////////////////////////////////////////");
        CHECK_EQ(get(path, GZIP), 200);
        CHECK(strcmp(field(k, "Content-Encoding"), "gzip") == 0);
    }
    all = cpu_ns() - all;
    CHECK(all < ALIASES / 2 * one);
}

enum { LINES = 90, SLOW = 20, PER_CLIENT = 100 * 1024 };

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static struct net_conn *ask_slowly(const char *text)
{
    struct net_conn *c = net_dial(web.addr, SOON);
    char byte;

    CHECK(c != NULL);
    CHECK_EQ(net_write(c, text, strlen(text), SOON), 0);
    CHECK_EQ(net_read(c, &byte, 1, SOON), 1);
    return c;
}

/* A list in as many lines as there may be does not need many times as much
 * memory as the head, as long as the client takes to read. */
static void many_lines(void)
{
    static char text[16000];
    struct net_conn *slow[SLOW];
    size_t before, n = 0;
    int fd = open(file_path("huge.bin"), O_CREAT | O_WRONLY, 0644);

    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, (off_t)1 << 32), 0);
    CHECK_EQ(close(fd), 0);
    n += (size_t)snprintf(text, sizeof text, "GET /huge.bin HTTP/1.1\r\n" HOST);
    for (int i = 0; i < LINES; i++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "If-None-Match: \"%0120d\"\r\n", i);
    (void)snprintf(text + n, sizeof text - n, "\r\n");
    before = allocated();
    for (int i = 0; i < SLOW; i++)
        slow[i] = ask_slowly(text);
    CHECK(allocated() - before < (size_t)SLOW * PER_CLIENT);
    for (int i = 0; i < SLOW; i++)
        net_close(slow[i]);
}

/* What changes all the time is not packed for each who asks. */
static void changing(void)
{
    int64_t end = SOON;

    do {
        CHECK(co_now() < end);
        put_text("log.txt", 2000);
        CHECK_EQ(get("/log.txt", GZIP), 200);
    } while (field(k, "Content-Encoding") != NULL);
    CHECK_EQ(k->body_len, 2000);
    file_settle();
    CHECK_EQ(get("/log.txt", GZIP), 200);
    CHECK(field(k, "Content-Encoding") != NULL);
}

/* ---- Descriptors -----------------------------------------------------------
 */

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
        CHECK_EQ(get(numbered("/n%d.bin", i), ""), 200);
    n = take_all(fds);
    CHECK_EQ(get("/n10.bin", ""), 200);
    CHECK_EQ(k->body_len, LARGE);
    give_back(fds, n);
    CHECK_EQ(unlink(file_path("n10.bin")), 0);
    CHECK_EQ(get("/n10.bin", ""), 404);
    file_large("n10.bin", LARGE);
    n = take_all(fds);
    for (int i = 20; i < 30; i++) {
        int status = get(numbered("/n%d.bin", i), "");

        CHECK(status == 503 || status == 200);
    }
    CHECK_EQ(get("/", ""), 503);
    give_back(fds, n);
    CHECK_EQ(get("/n20.bin", ""), 200);
    CHECK_EQ(get("/", ""), 403);
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
            CHECK_EQ(get(path, ""), 200);
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
static void few_descriptors(void)
{
    static const char *const patterns[] = { "/0/*", "/1/*", "/2/*", "/3/*",
                                            "/*" };
    struct http_files_config config = { .root = files_root };
    struct rlimit old, few = { FDS, FDS };
    struct http_route many[FOLDERS + 1] = { { 0 } };
    struct http_files *each[FOLDERS];

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
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
}

/* ---- All -------------------------------------------------------------------
 */

static void costs(void *arg)
{
    struct http_config config = { .routes = routes };

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    pipes_are_left_alone();
    odd_neighbours();
    slashes();
    many_lines();
    changing();
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    struct http_files_config config = { .root = files_root };
    int fds = fds_open();

    files_make();
    files = http_files_open(&config);
    CHECK(files != NULL);
    routes[0] = (struct http_route){ "GET", "/*", http_files, files, 0 };
    RUN_CO(costs);
    http_files_close(files);
    few_descriptors();
    CHECK_EQ(fds_open(), fds);
    return 0;
}
