/* http_mime_test.c - types by names, from a table and without.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_mime.h"
#include "tests/test.h"
#include <fcntl.h>

static char path[] = "/tmp/corten-mime-XXXXXX";

static void write_table(const char *text, size_t len)
{
    int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

    CHECK(fd >= 0 && write(fd, text, len) == (ssize_t)len);
    CHECK_EQ(close(fd), 0);
}

static struct http_mime *open_table(const char *text, size_t len)
{
    struct http_mime *m;

    write_table(text, len);
    m = http_mime_open(path);
    CHECK(m != NULL);
    return m;
}

static void check(const struct http_mime *m, const char *name, const char *type)
{
    const char *found = http_mime_type(m, name);

    if (strcmp(found, type) != 0)
        fprintf(stderr, "%s: %s, not %s\n", name, found, type);
    CHECK(strcmp(found, type) == 0);
}

#define OCTETS "application/octet-stream"
#define UTF8 "; charset=utf-8"

static void built_in(void)
{
    struct http_mime *m = http_mime_open(NULL);

    CHECK(m != NULL);
    check(m, "index.html", "text/html" UTF8);
    check(m, "INDEX.HTM", "text/html" UTF8);
    check(m, "a/b.c/style.css", "text/css" UTF8);
    check(m, "app.js", "text/javascript" UTF8);
    check(m, "app.min.mjs", "text/javascript" UTF8);
    check(m, "data.json", "application/json" UTF8);
    check(m, "feed.atom", "application/atom+xml" UTF8);
    check(m, "site.webmanifest", "application/manifest+json" UTF8);
    check(m, "drawing.SVG", "image/svg+xml" UTF8);
    check(m, "a.png", "image/png");
    check(m, "a.tar.gz", "application/gzip");
    check(m, "a.woff2", "font/woff2");
    check(m, "a.pptx",
          "application/vnd.openxmlformats-officedocument."
          "presentationml.presentation");
    check(m, ".x.txt", "text/plain" UTF8);
    http_mime_close(m);
}

static void unknown(void)
{
    static const char *const names[] = {
        "",         "a",
        "html",     ".html",
        "a/.html",  "a.html/",
        "a.html/b", "a.",
        "a.html.",  "a.html ",
        "a.html~",  "a.nobody",
        "a.\xff",   "a.a-name-of-more-than-thirty-one-letters",
    };
    struct http_mime *m = http_mime_open("/nonexistent/mime.types");

    CHECK(m != NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check(m, names[i], OCTETS);
    check(m, "a.html", "text/html" UTF8);
    http_mime_close(m);
    http_mime_close(NULL);
}

static void a_table(void)
{
    static const char text[] =
        "# a comment\n"
        "\n"
        "text/x-mine\tmine  Mine2\r\n"
        "  application/x-own own#not html # xml comment\n"
        "application/no-extensions\n"
        "text/second mine other\n"
        "notype bad1\n"
        "text/ bad2\n"
        "/html bad3\n"
        "text/a/b bad4\n"
        "text/a;b bad5\n"
        "text/\xc3\xa4 bad6\n"
        "text/a\x01 bad7\n"
        "\n\ntext \n"
        "APPLICATION/JSON big\n"
        "application/x-last last";
    struct http_mime *m = open_table(text, sizeof text - 1);

    check(m, "a.mine", "text/x-mine" UTF8);
    check(m, "a.mine2", "text/x-mine" UTF8);
    check(m, "a.MINE2", "text/x-mine" UTF8);
    check(m, "a.other", "text/second" UTF8);
    check(m, "a.own#not", "application/x-own");
    check(m, "a.html", "application/x-own");
    check(m, "a.xml", "text/xml" UTF8);
    check(m, "a.htm", "text/html" UTF8);
    check(m, "a.big", "APPLICATION/JSON" UTF8);
    check(m, "a.last", "application/x-last");
    check(m, "a.comment", OCTETS);
    for (int i = 1; i <= 7; i++) {
        char name[16];

        snprintf(name, sizeof name, "a.bad%d", i);
        check(m, name, OCTETS);
    }
    http_mime_close(m);
}

/* As many as a table of the system has, and more. */
static void many(void)
{
    enum { MANY = 10000 };
    char *text = malloc(MANY * 48), *p = text;
    struct http_mime *m;

    CHECK(text != NULL);
    for (int i = 0; i < MANY; i++)
        p += sprintf(p, "application/x-number-%d x%d\n", i, i);
    m = open_table(text, (size_t)(p - text));
    for (int i = 0; i < MANY; i++) {
        char name[32], type[48];

        snprintf(name, sizeof name, "file.X%d", i);
        snprintf(type, sizeof type, "application/x-number-%d", i);
        check(m, name, type);
    }
    http_mime_close(m);
    free(text);
}

/* What stands here at most times. */
static void of_the_system(void)
{
    struct http_mime *m = http_mime_open("/etc/mime.types");

    CHECK(m != NULL);
    check(m, "a.html", "text/html" UTF8);
    check(m, "a.css", "text/css" UTF8);
    check(m, "a.png", "image/png");
    check(m, "a.zip", "application/zip");
    check(m, "a.nobody", OCTETS);
    http_mime_close(m);
}

/* A table that is there and cannot be read is not left out silently. */
static void refused(void)
{
    static const char zero[] = "text/x x\ntext/zero\0 zero\n";
    char line[8192] = "text/x ";

    write_table(zero, sizeof zero - 1);
    CHECK(http_mime_open(path) == NULL);
    CHECK_EQ(errno, EINVAL);
    memset(line + 7, 'x', sizeof line - 7);
    write_table(line, sizeof line);
    CHECK(http_mime_open(path) == NULL);
    CHECK_EQ(errno, EINVAL);
    line[4094] = '\n';
    http_mime_close(open_table(line, 4095));
    http_mime_close(open_table(line, 4094));
    CHECK(http_mime_open("/") == NULL);
    CHECK_EQ(errno, EISDIR);
    CHECK(http_mime_open("/dev/null/mime.types") == NULL);
    CHECK_EQ(errno, ENOTDIR);
}

static void texts(void)
{
    static const char *const yes[] = {
        "text/html",       "text/html; charset=utf-8", "TEXT/PLAIN",
        "image/svg+xml",   "image/svg+xml;charset=x",  "application/json",
        "application/xml", "application/ld+json",      "application/wasm",
        "font/ttf",        "application/javascript",
    };
    static const char *const no[] = {
        "",
        "text",
        "image/png",
        "application/zip",
        "font/woff2",
        OCTETS,
        "video/mp4",
        "application/jsonx",
        "xml",
        "image/jpeg; x=+xml",
        "application/vnd.xmlx",
    };

    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        CHECK(http_mime_is_text(yes[i]));
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        CHECK(!http_mime_is_text(no[i]));
}

int main(void)
{
    int fd = mkstemp(path);

    CHECK(fd >= 0 && close(fd) == 0);
    RUN(built_in);
    RUN(unknown);
    RUN(a_table);
    RUN(many);
    RUN(of_the_system);
    RUN(refused);
    RUN(texts);
    CHECK_EQ(unlink(path), 0);
    return 0;
}
