/* http_files_test.c - files over HTTP: what a name leads to, what is sent, and
 * that changes are seen at once.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_files.h"
#include "tests/files_kit.h"
#include "tests/web_kit.h"

enum { LARGE = 300000, MIDDLE = 10240 };

static struct http_files *files, *all_files;
static struct http_route routes[8];
static struct web web;
static bool roomy; /* the cache */
static char fault[400];

static int send_named(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_set_header(res, "Cache-Control", "no-store"), 0);
    CHECK_EQ(http_set_header(res, "content-type", "text/x-own"), 0);
    return http_files_send((struct http_files *)req->arg, req, res, req->query);
}

/* Another status than that of the file. */
static int send_as(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(http_files_send((struct http_files *)req->arg, req, res,
                             http_param(req, "*")),
             200);
    return atoi(http_param(req, "status"));
}

static void note_fault(void *app, const char *line, size_t len)
{
    (void)app;
    (void)snprintf(fault, sizeof fault, "%.*s", (int)len, line);
}

/* ---- Requests --------------------------------------------------------------
 */

static struct client *k; /* of the test */

/* Fields, each with its line end. */
static int get_with(const char *path, const char *fields)
{
    char text[9000];

    CHECK(snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n%s" END, path,
                   fields) < (int)sizeof text);
    k->len = k->consumed = 0;
    return ask(k, text);
}

static int get(const char *path) { return get_with(path, ""); }

static bool field_is(const char *name, const char *value)
{
    const char *found = field(k, name);

    if (value == NULL || found == NULL)
        return value == found;
    return strcmp(value, found) == 0;
}

/* A field of the last answer as one of the next request. */
static const char *again(const char *name, const char *from)
{
    static char line[400];
    const char *value = field(k, from);

    CHECK(value != NULL);
    (void)snprintf(line, sizeof line, "%s: %s\r\n", name, value);
    return line;
}

static bool is_large(size_t first, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (k->body[i] != file_byte(first + i))
            return false;
    return k->body_len == len;
}

/* ---- Names -----------------------------------------------------------------
 */

static void names(void)
{
    static const struct {
        const char *path;
        int status;
        const char *body; /* or the location */
    } cases[] = {
        { "/a.txt", 200, "alpha" },
        { "//a.txt", 200, "alpha" },
        { "/sub//b.txt", 200, "beta" },
        { "/sub/../a.txt", 200, "alpha" },
        { "/%61.txt", 200, "alpha" },
        { "/sub%2Fb.txt", 200, "beta" },
        { "/", 200, "<p>index" },
        { "/?x", 200, "<p>index" },
        { "/a.txt?query", 200, "alpha" },
        { "/empty", 200, "" },
        { "/with%20space%3F", 200, "space" },
        { "/%C3%A4", 200, "umlaut" },
        { "/inside", 200, "beta" }, /* links */
        { "/folder-link/b.txt", 200, "beta" },
        { "/.well-known/acme", 200, "acme" },
        { "/sub", 301, "/sub/" },
        { "/sub?a=b&c", 301, "/sub/?a=b&c" },
        { "//sub", 301, "/sub/" }, /* not to the host "sub" */
        { "/s%20p", 301, "/s%20p/" },
        { "/folder-link", 301, "/folder-link/" },
        { "/sub/", 403, NULL },
        { "/s%20p/", 403, NULL },
        { "/none", 404, NULL },
        { "/none/", 404, NULL },
        { "/a.txt/", 404, NULL },
        { "/a.txt/x", 404, NULL },
        { "/outside", 404, NULL }, /* links that lead outside */
        { "/absolute", 404, NULL },
        { "/up/passwd", 404, NULL },
        { "/loop", 404, NULL },
        { "/.hidden", 404, NULL },
        { "/sub/.hidden", 404, NULL },
        { "/.git/config", 404, NULL },
        { "/%2ehidden", 404, NULL },
        { "/.well-known/.hidden", 404, NULL },
        { "/.well-knownx", 404, NULL },
        { "/sub/.well-known/acme", 404, NULL },
        { "/pipe", 404, NULL },
        { "/socket", 404, NULL },
        { "/../a.txt", 400, NULL },
        { "/%2e%2e/a.txt", 400, NULL },
        { "/..%2fa.txt", 400, NULL },
        { "/sub/..%2f..%2fetc/passwd", 400, NULL },
        { "/..;/a.txt", 404, NULL },
        { "/..%5ca.txt", 404, NULL },
        { "/%252e%252e/a.txt", 404, NULL },
        { "/%c0%ae%c0%ae/a.txt", 404, NULL },
        { "/a.txt%00", 400, NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *path = cases[i].path;
        bool link = strncmp(path, "/inside", 7) == 0 ||
                    strncmp(path, "/folder-link", 12) == 0;
        int wanted = link && !links_followed() ? 404 : cases[i].status;

        for (int twice = 0; twice < 2; twice++) {
            int status = get(path);

            if (status != wanted)
                fprintf(stderr, "GET %s\n", path);
            CHECK_EQ(status, wanted);
            if (status == 301)
                CHECK(field_is("Location", cases[i].body));
            else if (status == 200)
                CHECK(body_is(k, cases[i].body));
            if (status == 400) { /* which ends the connection */
                client_close(k);
                k = client_open(&web);
            }
        }
    }
}

static void long_names(void)
{
    char path[8100];

    for (size_t len = 250; len < sizeof path; len = len * 2 + 1) {
        path[0] = '/';
        memset(path + 1, 'x', len);
        path[1 + len] = '\0';
        CHECK_EQ(get(path), 404);
        for (size_t i = 2; i < len; i += 2)
            path[i] = '/';
        CHECK_EQ(get(path), 404);
    }
}

/* Whatever the handler says, nothing outside is sent. */
static void named_by_handlers(void)
{
    static const char *const outside[] = {
        "/send?../outside",
        "/send?/etc/passwd",
        "/send?sub/../../outside",
        "/send?sub/../../../../../../etc/passwd",
        "/send?absolute",
        "/send?outside",
        "/send?up/passwd",
        "/send?.",
        "/send?..",
        "/send?../",
    };

    CHECK_EQ(get("/send?a.txt"), 200);
    CHECK(body_is(k, "alpha"));
    CHECK(field_is("Cache-Control", "no-store"));
    CHECK(field_is("content-type", "text/x-own"));
    CHECK(field_is("Content-Type", NULL));
    CHECK(field(k, "ETag") != NULL);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        int status = get(outside[i]);

        CHECK(status == 404 || status == 301 || status == 403);
    }
    CHECK_EQ(get("/send?/a.txt"), 200);
    CHECK_EQ(get("/send?.hidden"), 200);
    CHECK_EQ(get("/send?sub/../a.txt"), links_followed() ? 200 : 404);
}

/* A file that was just written stays nowhere but in its answer. */
static void other_statuses(void)
{
    file_text("page", "<p>page");
    CHECK_EQ(get("/as/404/page"), 404);
    CHECK(body_is(k, "<p>page"));
    file_text("page", "<p>page");
    CHECK_EQ(get("/as/204/page"), 204);
    CHECK(field(k, "Content-Type") != NULL);
    file_text("page", "<p>page");
    CHECK_EQ(get("/as/304/page"), 304);
    CHECK(field(k, "Accept-Ranges") != NULL);
}

static void methods(void)
{
    CHECK_EQ(ask(k, "POST /a.txt HTTP/1.1\r\nContent-Length: 0\r\n" END), 405);
    CHECK(field_is("Allow", "GET, HEAD, OPTIONS"));
    say(k, "HEAD /a.txt HTTP/1.1\r\n" END);
    CHECK_EQ(answer_to(k, true), 200);
    CHECK(field_is("Content-Length", "5"));
    CHECK_EQ(ask(k, "POST /any/a.txt HTTP/1.1\r\nContent-Length: 0\r\n" END),
             405);
    CHECK(field_is("Allow", "GET, HEAD"));
    CHECK_EQ(get("/any/a.txt"), 200);
}

/* ---- Fields ----------------------------------------------------------------
 */

static void fields(void)
{
    CHECK_EQ(get("/a.txt"), 200);
    CHECK(field_is("Content-Type", "text/plain; charset=utf-8"));
    CHECK(field_is("Accept-Ranges", "bytes"));
    CHECK(field_is("Cache-Control", "max-age=60"));
    CHECK(field_is("Vary", "Accept-Encoding"));
    CHECK(field_is("Content-Length", "5"));
    CHECK_EQ(get("/large.bin"), 200);
    CHECK(field_is("Content-Type", "application/octet-stream"));
    CHECK(field_is("Vary", NULL));
    CHECK(is_large(0, LARGE));
}

static void conditions(void)
{
    static const char *const paths[] = { "/a.txt", "/middle.bin",
                                         "/large.bin" };

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *p = paths[i];

        CHECK_EQ(get(p), 200);
        CHECK_EQ(get_with(p, again("If-None-Match", "ETag")), 304);
        CHECK_EQ(k->body_len, 0);
        CHECK(field_is("Content-Length", NULL));
        CHECK(field_is("Content-Type", NULL));
        CHECK(field_is("Cache-Control", "max-age=60"));
        CHECK_EQ(get_with(p, again("If-Match", "ETag")), 200);
        CHECK_EQ(get_with(p, again("If-Modified-Since", "Last-Modified")), 304);
        CHECK_EQ(get_with(p, again("If-Unmodified-Since", "Last-Modified")),
                 200);
        CHECK_EQ(get_with(p, "If-None-Match: \"x\"\r\n"), 200);
        CHECK_EQ(get_with(p, "If-None-Match: *\r\n"), 304);
        CHECK_EQ(get_with(p, "If-Match: \"x\"\r\n"), 412);
        CHECK_EQ(get_with(p, "If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 "
                             "GMT\r\n"),
                 412);
        CHECK_EQ(get_with(p, "If-Modified-Since: Sat, 01 Jan 2000 00:00:00 "
                             "GMT\r\n"),
                 200);
    }
    /* A list may stand in several lines. */
    CHECK_EQ(get("/a.txt"), 200);
    {
        char lines[600];

        (void)snprintf(lines, sizeof lines,
                       "If-None-Match: \"x\", \"y\"\r\n%s"
                       "If-None-Match: \"z\"\r\n",
                       again("If-None-Match", "ETag"));
        CHECK_EQ(get_with("/a.txt", lines), 304);
    }
}

static void ranges(void)
{
    static const struct {
        const char *path;
        size_t size;
    } cases[] = { { "/middle.bin", MIDDLE }, { "/large.bin", LARGE } };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *p = cases[i].path;
        size_t size = cases[i].size;
        char text[100];

        CHECK_EQ(get_with(p, "Range: bytes=0-0\r\n"), 206);
        CHECK(is_large(0, 1));
        (void)snprintf(text, sizeof text, "bytes 0-0/%zu", size);
        CHECK(field_is("Content-Range", text));
        CHECK(field_is("Content-Length", "1"));
        CHECK_EQ(get_with(p, "Range: bytes=100-5099\r\n"), 206);
        CHECK(is_large(100, 5000));
        CHECK_EQ(get_with(p, "Range: bytes=100-\r\n"), 206);
        CHECK(is_large(100, size - 100));
        CHECK_EQ(get_with(p, "Range: bytes=-100\r\n"), 206);
        CHECK(is_large(size - 100, 100));
        CHECK_EQ(get_with(p, "Range: bytes=100-99999999\r\n"), 206);
        CHECK(is_large(100, size - 100));
        CHECK_EQ(get_with(p, "Range: bytes=99999999-\r\n"), 416);
        (void)snprintf(text, sizeof text, "bytes */%zu", size);
        CHECK(field_is("Content-Range", text));
        CHECK_EQ(get_with(p, "Range: lines=1-2\r\n"), 200);
        CHECK(is_large(0, size));
        say(k, "HEAD ");
        say(k, p);
        say(k, " HTTP/1.1\r\nRange: bytes=0-0\r\n" END);
        CHECK_EQ(answer_to(k, true), 200);

        CHECK_EQ(get(p), 200);
        (void)snprintf(text, sizeof text, "Range: bytes=5-6\r\n%s",
                       again("If-Range", "ETag"));
        CHECK_EQ(get_with(p, text), 206);
        CHECK_EQ(get_with(p, "Range: bytes=5-6\r\nIf-Range: \"x\"\r\n"), 200);
        CHECK(is_large(0, size));
    }
}

/* The parts of a multipart answer, one after the other. */
static void several_ranges(void)
{
    static const struct {
        size_t first, len;
    } want[] = { { 5, 5 }, { 100, 300 }, { MIDDLE - 7, 7 } };
    static const char *const paths[] = { "/middle.bin", "/large.bin" };

    for (size_t i = 0; i < 2; i++) {
        size_t size = i == 0 ? MIDDLE : LARGE;
        char boundary[100], head[300];
        char *p;

        (void)snprintf(head, sizeof head,
                       "Range: bytes=5-9, 100-399, %d-%d\r\n", MIDDLE - 7,
                       MIDDLE - 1);
        CHECK_EQ(get_with(paths[i], head), 206);
        CHECK_EQ(sscanf(field(k, "Content-Type"),
                        "multipart/byteranges; boundary=%99s", boundary),
                 1);
        CHECK(field_is("Content-Range", NULL));
        p = k->body;
        for (size_t j = 0; j < 3; j++) {
            int n = snprintf(head, sizeof head,
                             "%s--%s\r\nContent-Type: application/octet-stream"
                             "\r\nContent-Range: bytes %zu-%zu/%zu\r\n\r\n",
                             j == 0 ? "" : "\r\n", boundary, want[j].first,
                             want[j].first + want[j].len - 1, size);

            CHECK(memcmp(p, head, (size_t)n) == 0);
            p += n;
            for (size_t b = 0; b < want[j].len; b++)
                CHECK_EQ(*p++, file_byte(want[j].first + b));
        }
        (void)snprintf(head, sizeof head, "\r\n--%s--\r\n", boundary);
        CHECK(memcmp(p, head, strlen(head)) == 0);
        CHECK_EQ((size_t)(p - k->body) + strlen(head), k->body_len);
    }
    /* More than the file has is no help to anybody. */
    CHECK_EQ(get_with("/middle.bin", "Range: bytes=0-,0-,0-,0-\r\n"), 200);
    CHECK(is_large(0, MIDDLE));
}

/* ---- Changes ---------------------------------------------------------------
 */

static void change(bool settle)
{
    char tag[100];

    file_text("change.txt", "first");
    if (settle)
        file_settle();
    CHECK_EQ(get("/change.txt"), 200);
    CHECK(body_is(k, "first"));
    for (int i = 0; i < 20; i++) {
        char text[32];

        CHECK_EQ(get("/change.txt"), 200);
        tag[0] = '\0';
        if (field(k, "ETag") != NULL)
            (void)strcpy(tag, again("If-None-Match", "ETag"));
        (void)snprintf(text, sizeof text, "version %d", i);
        if (i % 2 == 0)
            file_text("change.txt", text); /* in place */
        else
            file_replace("change.txt", text);
        CHECK_EQ(get_with("/change.txt", tag), 200);
        CHECK(body_is(k, text));
        if (settle && i % 4 == 0)
            file_settle();
    }
    CHECK_EQ(unlink(file_path("change.txt")), 0);
    CHECK_EQ(get("/change.txt"), 404);
    file_text("change.txt", "back");
    CHECK_EQ(get("/change.txt"), 200);
    CHECK(body_is(k, "back"));
    CHECK_EQ(chmod(file_path("change.txt"), 0), 0);
    if (geteuid() != 0)
        CHECK_EQ(get("/change.txt"), 403);
    CHECK_EQ(unlink(file_path("change.txt")), 0);
}

static void changes(void)
{
    change(false);
    change(true);
}

/* A folder that is a link to one of two versions. */
static void deploys(void)
{
    char link[PATH_MAX], other[PATH_MAX];

    (void)strcpy(link, file_path("current"));
    (void)strcpy(other, file_path("next"));
    CHECK_EQ(mkdir(file_path("v1"), 0755), 0);
    CHECK_EQ(mkdir(file_path("v2"), 0755), 0);
    file_text("v1/page.txt", "one");
    file_text("v2/page.txt", "two");
    CHECK_EQ(symlink("v1", link), 0);
    file_settle();
    for (int i = 0; i < 4; i++) {
        CHECK_EQ(get("/current/page.txt"), 200);
        CHECK(body_is(k, i % 2 == 0 ? "one" : "two"));
        CHECK_EQ(symlink(i % 2 == 0 ? "v2" : "v1", other), 0);
        CHECK_EQ(rename(other, link), 0);
    }
    /* To the outside: what was in memory is not served any more. */
    CHECK_EQ(unlink(link), 0);
    CHECK_EQ(symlink("/etc", link), 0);
    CHECK_EQ(get("/current/page.txt"), 404);
    CHECK_EQ(get("/current/passwd"), 404);
}

/* ---- Gzip ------------------------------------------------------------------
 */

#define GZIP "Accept-Encoding: gzip\r\n"

static void packed_files(void)
{
    char tag[200];

    file_text("p.css", "body { color: red }");
    CHECK_EQ(get_with("/p.css", GZIP), 200);
    CHECK(field_is("Content-Encoding", NULL)); /* too short */
    file_text("p.css.gz", "packed");
    file_settle();
    CHECK_EQ(get_with("/p.css", GZIP), 200);
    CHECK(body_is(k, "packed"));
    CHECK(field_is("Content-Encoding", "gzip"));
    CHECK(field_is("Content-Type", "text/css; charset=utf-8"));
    CHECK(field_is("Vary", "Accept-Encoding"));
    (void)strcpy(tag, again("If-None-Match", "ETag"));
    CHECK_EQ(get_with("/p.css", tag), 200); /* of the other variant */
    CHECK(body_is(k, "body { color: red }"));
    CHECK(field_is("Vary", "Accept-Encoding"));
    (void)strcat(tag, GZIP);
    CHECK_EQ(get_with("/p.css", tag), 304);
    CHECK_EQ(get_with("/p.css", "Accept-Encoding: gzip;q=0\r\n"), 200);
    CHECK(field_is("Content-Encoding", NULL));
    CHECK_EQ(get_with("/p.css", GZIP "Range: bytes=1-3\r\n"), 206);
    CHECK(body_is(k, "ack"));
    CHECK(field_is("Content-Encoding", "gzip"));
    CHECK_EQ(get("/p.css.gz"), 200);
    CHECK(field_is("Content-Encoding", NULL));

    /* What was packed before the file changed is not sent. */
    file_settle();
    file_text("p.css", "changed");
    CHECK_EQ(get_with("/p.css", GZIP), 200);
    CHECK(body_is(k, "changed"));
    file_text("p.css.gz", "anew");
    CHECK_EQ(get_with("/p.css", GZIP), 200);
    CHECK(body_is(k, "anew"));
    CHECK_EQ(unlink(file_path("p.css.gz")), 0);
    CHECK_EQ(get_with("/p.css", GZIP), 200);
    CHECK(body_is(k, "changed"));
}

enum { CROWD = 40, TEXT_BYTES = 2000000 };

static void get_packed(void *arg)
{
    struct client *own = client_open(&web);
    char text[200];

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" GZIP END,
                   (const char *)arg);
    CHECK_EQ(ask(own, text), 200);
    CHECK(strcmp(field(own, "Content-Encoding"), "gzip") == 0);
    CHECK(own->body_len > 100000 && memcmp(own->body, "\x1f\x8b", 2) == 0);
    CHECK(strncmp(field(own, "ETag"), "W/", 2) == 0);
    CHECK(field(own, "Accept-Ranges") == NULL);
    client_close(own);
}

static int64_t cpu_ns(void)
{
    struct timespec t;

    CHECK_EQ(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t), 0);
    return t.tv_sec * CO_SECOND + t.tv_nsec;
}

/* Of many who ask together, one has it packed. */
static void packs_once(void)
{
    struct co_group g = { 0 };
    int64_t one, all;

    file_packable("one.txt", TEXT_BYTES);
    file_packable("all.txt", TEXT_BYTES);
    file_settle();
    one = cpu_ns();
    get_packed("/one.txt");
    one = cpu_ns() - one;
    all = cpu_ns();
    for (int i = 0; i < CROWD; i++)
        CHECK_EQ(co_group_go(&g, get_packed, "/all.txt"), 0);
    CHECK_EQ(co_group_wait(&g, SOON), 0);
    all = cpu_ns() - all;
    CHECK(all < CROWD / 2 * one);
}

/* ---- Errors ----------------------------------------------------------------
 */

static void large_shrinks(void)
{
    char *data = calloc(1, LARGE);

    CHECK(data != NULL);
    file_put("shrink.bin", data, LARGE);
    file_settle();
    CHECK_EQ(get("/shrink.bin"), 200);
    CHECK_EQ(k->body_len, LARGE);
    CHECK_EQ(truncate(file_path("shrink.bin"), 10), 0);
    CHECK_EQ(get("/shrink.bin"), 200);
    CHECK_EQ(k->body_len, 10);
    free(data);
}

/* ---- All -------------------------------------------------------------------
 */

static void make_tree(void)
{
    files_make();
    file_text("a.txt", "alpha");
    file_text("empty", "");
    file_text("index.html", "<p>index");
    file_text("with space?", "space");
    file_text("\xc3\xa4", "umlaut");
    file_text(".hidden", "hidden");
    file_large("middle.bin", MIDDLE);
    file_large("large.bin", LARGE);
    CHECK_EQ(mkdir(file_path("sub"), 0755), 0);
    CHECK_EQ(mkdir(file_path("s p"), 0755), 0);
    CHECK_EQ(mkdir(file_path(".git"), 0755), 0);
    CHECK_EQ(mkdir(file_path(".well-known"), 0755), 0);
    CHECK_EQ(mkdir(file_path("sub/.well-known"), 0755), 0);
    file_text("sub/b.txt", "beta");
    file_text("sub/.hidden", "hidden");
    file_text("sub/.well-known/acme", "hidden");
    file_text(".git/config", "hidden");
    file_text(".well-known/acme", "acme");
    file_text(".well-known/.hidden", "hidden");
    file_text(".well-knownx", "hidden");
    CHECK_EQ(symlink("sub/b.txt", file_path("inside")), 0);
    CHECK_EQ(symlink("sub", file_path("folder-link")), 0);
    CHECK_EQ(symlink("../outside", file_path("outside")), 0);
    CHECK_EQ(symlink("/etc/passwd", file_path("absolute")), 0);
    CHECK_EQ(symlink("../../etc", file_path("up")), 0);
    CHECK_EQ(symlink("loop", file_path("loop")), 0);
    CHECK_EQ(mkfifo(file_path("pipe"), 0644), 0);
    CHECK_EQ(mknod(file_path("socket"), S_IFSOCK | 0644, 0), 0);
    file_age("a.txt");
    file_age("middle.bin");
    file_age("large.bin");
    file_settle();
}

static void bad_configs(void)
{
    static const struct {
        struct http_files_config config;
        int err;
    } cases[] = {
        { { .root = NULL }, EINVAL },
        { { .root = "/", .index = "a/b" }, EINVAL },
        { { .root = "/", .cache_control = "a\r\nb" }, EINVAL },
        { { .root = "/", .unchecked = -1 }, EINVAL },
        { { .root = "/none/such" }, ENOENT },
        { { .root = "/etc/passwd" }, ENOTDIR },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(http_files_open(&cases[i].config) == NULL);
        CHECK_EQ(errno, cases[i].err);
    }
    http_files_close(NULL);
}

/* A folder whose files may not be opened is found out at once; one that may
 * only not be listed is none of these. */
static void locked_folders(void)
{
    const uid_t self = geteuid(), nobody = 65534;
    struct http_files_config config = { .root = files_root };
    struct http_files *f;

    files_make();
    if (self == 0)
        CHECK_EQ(seteuid(nobody), 0);
    else
        CHECK_EQ(chmod(files_root, 0), 0);
    CHECK(http_files_open(&config) == NULL);
    CHECK_EQ(errno, EACCES);
    CHECK_EQ(seteuid(self), 0);
    CHECK_EQ(chmod(files_root, 0711), 0);
    if (self == 0)
        CHECK_EQ(seteuid(nobody), 0);
    f = http_files_open(&config);
    CHECK(f != NULL);
    http_files_close(f);
    CHECK_EQ(seteuid(self), 0);
    CHECK_EQ(chmod(files_root, 0700), 0);
    files_remove();
}

/* Until a second is over a file has no date, then it has. */
static void dates(void)
{
    int64_t begun = co_now();
    bool seen = false;

    file_text("young.txt", "young");
    do {
        CHECK_EQ(get("/young.txt"), 200);
        seen |= field(k, "Last-Modified") == NULL;
        CHECK(co_now() < begun + 20 * CO_SECOND);
        (void)co_sleep_until(co_after(10 * CO_MSEC));
    } while (field(k, "Last-Modified") == NULL);
    CHECK(seen);
    CHECK_EQ(
        get_with("/young.txt", again("If-Modified-Since", "Last-Modified")),
        304);
}

static void root(void *arg)
{
    struct http_config config = { .routes = routes, .fault = note_fault };

    (void)arg;
    web_start(&web, &config, NULL);
    k = client_open(&web);
    names();
    long_names();
    named_by_handlers();
    other_statuses();
    methods();
    fields();
    conditions();
    ranges();
    several_ranges();
    changes();
    if (links_followed())
        deploys();
    packed_files();
    if (roomy)
        packs_once();
    large_shrinks();
    if (roomy)
        dates();
    client_close(k);
    web_stop(&web);
}

/* Once with everything kept, once with nothing, once with room for a few. */
static void run_with(size_t bytes, unsigned descriptors)
{
    struct http_files_config config = { .root = files_root,
                                        .cache_control = "max-age=60",
                                        .cache_bytes = bytes,
                                        .cache_files = descriptors };
    int fds = fds_open();

    roomy = bytes == 0;
    make_tree();
    files = http_files_open(&config);
    config.dotfiles = true;
    config.cache_control = NULL;
    all_files = http_files_open(&config);
    CHECK(files != NULL && all_files != NULL);
    routes[0] = (struct http_route){ "GET", "/*", http_files, files, 0 };
    routes[1] = (struct http_route){ NULL, "/any/*", http_files, files, 0 };
    routes[2] = (struct http_route){ "GET", "/send", send_named, all_files, 0 };
    routes[3] =
        (struct http_route){ "GET", "/as/:status/*", send_as, files, 0 };
    RUN_CO(root);
    http_files_close(files);
    http_files_close(all_files);
    CHECK_EQ(fds_open(), fds);
    files_remove();
}

int main(void)
{
    bad_configs();
    locked_folders();
    run_with(0, 0);
    run_with(1, 1);
    run_with(20000, 2);
    return 0;
}
