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
        file_packable(names[i], 1000);
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
    file_packable("d/one.txt", TEXT);
    file_packable("d/all.txt", TEXT);
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

enum { ENTRIES = 10000, NAME = 240, PAGES = 32 };

static void put_names(void)
{
    char name[NAME + 3] = "e/", first[PATH_MAX];

    CHECK_EQ(mkdir(file_path("e"), 0755), 0);
    file_text("e/first", "");
    (void)strcpy(first, file_path("e/first"));
    for (int i = 0; i < ENTRIES; i++) {
        (void)snprintf(name + 2, NAME + 1, "%0*d", NAME, i);
        CHECK_EQ(link(first, file_path(name)), 0);
    }
}

/* The status of an answer of which no more is read. */
static int ask_for_names(struct net_conn **c)
{
    static const char request[] = "GET /e/ HTTP/1.1\r\n" END;
    char text[13] = "";

    *c = net_dial(web.addr, SOON);
    CHECK(*c != NULL);
    CHECK_EQ(net_write(*c, request, sizeof request - 1, SOON), 0);
    for (size_t n = 0; n < sizeof text - 1;) {
        ssize_t more = net_read(*c, text + n, sizeof text - 1 - n, SOON);

        CHECK(more > 0);
        n += (size_t)more;
    }
    return atoi(text + 9);
}

/* Pages of folders with many names, which nobody reads, hold only so much. */
static void many_names(void)
{
    struct net_conn *slow[PAGES], *c;
    int shown = 0, refused = 0, status;

    put_names();
    for (int i = 0; i < PAGES; i++) {
        status = ask_for_names(&slow[i]);
        shown += status == 200;
        refused += status == 503;
    }
    CHECK_EQ(shown + refused, PAGES);
    CHECK(shown > PAGES / 4 && refused > 0);
    for (int i = 0; i < PAGES; i++)
        net_close(slow[i]);
    for (int64_t end = SOON; status != 200; net_close(c)) {
        status = ask_for_names(&c);
        CHECK(co_now() < end);
    }
}

/* What changes all the time is not packed for each who asks. */
static void changing(void)
{
    int64_t end = SOON;

    do {
        CHECK(co_now() < end);
        file_packable("log.txt", 2000);
        CHECK_EQ(get("/log.txt", GZIP), 200);
    } while (field(k, "Content-Encoding") != NULL);
    CHECK_EQ(k->body_len, 2000);
    file_settle();
    CHECK_EQ(get("/log.txt", GZIP), 200);
    CHECK(field(k, "Content-Encoding") != NULL);
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
    if (!under_valgrind())
        many_names();
    changing();
    client_close(k);
    web_stop(&web);
}

int main(void)
{
    struct http_files_config config = { .root = files_root, .listing = true };
    int fds = fds_open();

    files_make();
    files = http_files_open(&config);
    CHECK(files != NULL);
    routes[0] = (struct http_route){ "GET", "/*", http_files, files, 0 };
    RUN_CO(costs);
    http_files_close(files);
    CHECK_EQ(fds_open(), fds);
    return 0;
}
