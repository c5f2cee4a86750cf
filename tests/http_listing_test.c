/* http_listing_test.c - the page of a folder: its links lead to the files, and
 * no name is more than a name.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_escape.h"
#include "net/http_framing.h"
#include "net/http_listing.h"
#include "tests/files_kit.h"
#include "tests/web_kit.h"
#include <stdatomic.h>

static char root[] = "/tmp/corten-listing-XXXXXX";
static int root_fd;
static atomic_int faults;

/* "/list/..." of the folder, with the query as the flags. */
static int list(struct http_request *req, struct http_response *res)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    return http_listing(req, res, fd, (unsigned)atoi(req->query));
}

static int no_folder(struct http_request *req, struct http_response *res)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    CHECK(fd >= 0);
    return http_listing(req, res, fd, 0);
}

static void fault(void *app, const char *line, size_t len)
{
    (void)app;
    CHECK(memmem(line, len, "cannot be listed", 16) != NULL);
    atomic_fetch_add(&faults, 1);
}

static const struct http_route routes[] = {
    { "GET", "/list/*", list, NULL, 0 },
    { "GET", "/none", no_folder, NULL, 0 },
    { 0 },
};

static struct web web;

static void make(const char *name)
{
    int fd =
        openat(root_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_EQ(close(fd), 0);
}

/* The page for that target, zero-terminated, in the client's buffer. */
static char *page(struct client *k, const char *target)
{
    char text[9000];

    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" END, target);
    CHECK_EQ(ask(k, text), 200);
    CHECK(k->len < sizeof k->buf);
    k->body[k->body_len] = '\0';
    CHECK_EQ(strlen(k->body), k->body_len);
    return k->body;
}

/* The i-th link of a page, decoded. */
static bool link_at(const char *html, int i, char link[1024])
{
    static const char begin[] = "<a href=\"";
    size_t len;
    ssize_t n;

    for (; i >= 0; i--) {
        html = strstr(html, begin);
        if (html == NULL)
            return false;
        html += sizeof begin - 1;
    }
    len = strcspn(html, "\"");
    CHECK(len < 1024);
    /* Nothing in it that a browser would not take for a path of this host. */
    CHECK(strspn(html, "%-._~/0123456789abcdefghijklmnopqrstuvwxyz"
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len);
    CHECK(*html != '/');
    n = http_percent_decode(link, html, len);
    CHECK(n > 0);
    link[n] = '\0';
    return true;
}

static void small(void)
{
    struct client *k = client_open(&web);
    char *html, link[1024];
    int fd;

    CHECK_EQ(mkdirat(root_fd, "sub", 0700), 0);
    fd = openat(root_fd, "a.txt", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, 1234567), 0);
    CHECK_EQ(futimens(fd, (struct timespec[2]){ { 784111777, 0 },
                                                { 784111777, 0 } }),
             0);
    CHECK_EQ(close(fd), 0);
    make(".hidden");
    CHECK_EQ(symlinkat("/etc/passwd", root_fd, "zlink"), 0);
    html = page(k, "/list/x/");
    CHECK(strcmp(field(k, "Content-Type"), "text/html; charset=utf-8") == 0);
    CHECK(strstr(field(k, "Content-Security-Policy"), "default-src 'none'"));
    CHECK(strstr(html, "<!DOCTYPE html>") == html);
    CHECK(strstr(html, "<title>/list/x/</title>") != NULL);
    CHECK(strstr(html, "<p>1 folder, 2 files</p>") != NULL);
    CHECK(link_at(html, 0, link) && strcmp(link, "../") == 0);
    CHECK(link_at(html, 1, link) && strcmp(link, "sub/") == 0);
    CHECK(link_at(html, 2, link) && strcmp(link, "a.txt") == 0);
    CHECK(link_at(html, 3, link) && strcmp(link, "zlink") == 0);
    CHECK(!link_at(html, 4, link));
    CHECK(strstr(html, ">a.txt</a><td>1.2 MiB<td>1994-11-06<i> 08:49</i>\n"));
    CHECK(strstr(html, ">zlink</a><td><td>\n") != NULL);

    html = page(k, "/list/?2"); /* the root */
    CHECK(link_at(html, 0, link) && strcmp(link, "sub/") == 0);
    html = page(k, "/list/?1"); /* with dotfiles */
    CHECK(link_at(html, 2, link) && strcmp(link, ".hidden") == 0);
    client_close(k);
    files_empty(root);
}

/* In a page that is as it should be, each '<' begins a tag of ours. */
static void check_tags(const char *html)
{
    static const char *const tags[] = {
        "!DOCTYPE html>", "html ",  "meta ",  "title>", "/title>", "style>",
        "/style>",        "h1>",    "/h1>",   "p>",     "/p>",     "table>",
        "/table>",        "thead>", "tbody>", "tr>",    "th>",     "td>",
        "a href=\"",      "/a>",    "i>",     "/i>",
    };

    while ((html = strchr(html, '<')) != NULL) {
        bool known = false;

        html++;
        for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
            known |= strncmp(html, tags[i], strlen(tags[i])) == 0;
        if (!known)
            fprintf(stderr, "what is <%.40s?\n", html);
        CHECK(known);
    }
}

static const char *const nasty[] = {
    "\x01\x1b[31m",
    "\n",
    " ",
    "\"onmouseover=alert(1) x=\"",
    "#frag",
    "%",
    "%2e%2e",
    "%zz",
    "&lt;script&gt;",
    "' '",
    "+",
    "...",
    "<a href=evil>",
    "<script>alert(1)<!--",
    "?query=1",
    "C:\\temp",
    "\\\\host\\share",
    "a b",
    "a:b",
    "https:evil.example",
    "javascript:alert(1)",
    "x\r\nSet-Cookie: a=b",
    "x\ty",
    "{}|^`",
    "~user",
    "\xc0\xae\xc0\xae",
    "\xc3\xa4\xc3\xb6\xf0\x9f\x98\x80",
    "\342\200\256gpj.exe",
    "\xed\xa0\x80",
    "\xff\xfe<b>",
};

static void nasty_names(void)
{
    enum { COUNT = sizeof nasty / sizeof *nasty };
    struct client *k = client_open(&web);
    char *html, link[1024];
    bool seen[COUNT] = { false };

    for (int i = 0; i < COUNT; i++)
        if (i % 2 == 0)
            make(nasty[i]);
        else
            CHECK_EQ(mkdirat(root_fd, nasty[i], 0700), 0);
    html = page(k, "/list/?1");
    check_tags(html);
    for (int i = 1; link_at(html, i, link); i++) {
        size_t len = strlen(link);
        bool folder = link[len - 1] == '/';
        struct stat st;

        if (folder)
            link[len - 1] = '\0';
        CHECK_EQ(fstatat(root_fd, link, &st, AT_SYMLINK_NOFOLLOW), 0);
        CHECK_EQ(S_ISDIR(st.st_mode), folder);
        for (int n = 0; n < COUNT; n++)
            seen[n] |= strcmp(link, nasty[n]) == 0;
    }
    for (int i = 0; i < COUNT; i++)
        CHECK(seen[i]);
    client_close(k);
    files_empty(root);
}

/* The path stands in the page, too. */
static void nasty_paths(void)
{
    struct client *k = client_open(&web);
    static char target[8000];
    char *html;
    size_t len;

    html = page(k, "/list/%3Cscript%3Ealert(1)%3C/script%3E/&amp;/%22%FF%0A/");
    check_tags(html);
    CHECK(strstr(html, "/list/&lt;script&gt;alert(1)&lt;/script&gt;/&amp;amp;/"
                       "&quot;\xef\xbf\xbd\xef\xbf\xbd/</h1>"));
    len = (size_t)snprintf(target, sizeof target, "/list/");
    while (len < sizeof target - 20)
        len += (size_t)snprintf(target + len, sizeof target - len, "&&&&&&&&/");
    html = page(k, target);
    check_tags(html);
    CHECK(strlen(html) > 60000);
    CHECK(strstr(html, "</table>\n") != NULL);
    client_close(k);
}

static void methods(void)
{
    struct client *k = client_open(&web);

    make("a.txt");
    say(k, "HEAD /list/ HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    CHECK(strcmp(field(k, "Content-Type"), "text/html; charset=utf-8") == 0);
    CHECK(strstr(page(k, "/list/"), "a.txt") != NULL);
    CHECK_EQ(ask(k, "GET /list/ HTTP/1.0\r\n\r\n"), 200);
    CHECK(memmem(k->body, k->body_len, "a.txt", 5) != NULL);
    client_close(k);
    files_empty(root);
}

static void failing(void)
{
    CHECK_EQ(ask_once(&web, "GET /none HTTP/1.1\r\n" END), 500);
    CHECK_EQ(atomic_load(&faults), 1);
}

/* Counts the rows as they come: a page of tens of megabytes. */
static long count_rows(void)
{
    struct net_conn *c = net_dial(web.addr, SOON);
    char buf[8192], last[5] = "";
    long rows = 0;
    ssize_t n;

    CHECK(c != NULL);
    CHECK_EQ(net_write(c, "GET /list/ HTTP/1.0\r\n\r\n", 23, SOON), 0);
    while ((n = net_read(c, buf + 4, sizeof buf - 4, SOON)) > 0) {
        memcpy(buf, last, 4); /* a tag may come in two parts */
        for (char *p = buf, *end = buf + 4 + n;
             (p = memmem(p, (size_t)(end - p), "<tr>", 4)) != NULL; p++)
            rows += p + 4 > buf + 4;
        memcpy(last, buf + n, 4);
    }
    CHECK_EQ(n, 0);
    net_close(c);
    return rows;
}

/* Who goes away while the page is sent ends it, and nothing is left over. */
static void leave_early(void)
{
    struct net_conn *c = net_dial(web.addr, SOON);
    char buf[4096];

    CHECK(c != NULL);
    CHECK_EQ(net_write(c, "GET /list/ HTTP/1.0\r\n\r\n", 23, SOON), 0);
    CHECK(net_read(c, buf, sizeof buf, SOON) > 0);
    net_close(c);
}

static void large(void)
{
    long count = test_count(100000);

    for (long i = 0; i < count; i++) {
        char name[64];

        snprintf(name, sizeof name, "file number %ld of a large folder", i);
        CHECK_EQ(mknodat(root_fd, name, S_IFREG | 0600, 0), 0);
    }
    CHECK_EQ(count_rows(), count + 2); /* its head, and the folder above */
    for (int i = 0; i < 10; i++)
        leave_early();
    CHECK_EQ(count_rows(), count + 2);
    files_empty(root);
}

static void all(void *arg)
{
    struct http_config config = { .routes = routes, .fault = fault };

    (void)arg;
    web_start(&web, &config, NULL);
    RUN(small);
    RUN(nasty_names);
    RUN(nasty_paths);
    RUN(methods);
    RUN(failing);
    RUN(large);
    web_stop(&web);
}

int main(void)
{
    CHECK(mkdtemp(root) != NULL);
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    CHECK(root_fd >= 0);
    CHECK_EQ(co_run(all, NULL, NULL), 0);
    CHECK_EQ(close(root_fd), 0);
    CHECK_EQ(rmdir(root), 0);
    return 0;
}
