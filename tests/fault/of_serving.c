/* of_serving.c - scenarios of served files: what fails costs an answer, which
 * says so or breaks off; never is something else sent, and the next request is
 * answered.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_beneath.h"
#include "net/http_cache.h"
#include "net/http_files.h"
#include "tests/fault/web.h"
#include "tests/files_kit.h"

enum {
    LARGE = 40000, /* more than is kept in memory */
    PAGE = 1000,
    ANSWER_MAX = 60000,
    ENTRIES = 300, /* more than a table has slots at first */
    TRIES = 5
};

static struct http_files *files;
static struct http_route routes[2];
static atomic_int faults;

static void count_fault(void *app, const char *line, size_t len)
{
    (void)app;
    CHECK(len > 0 && memchr(line, '\n', len) == NULL);
    atomic_fetch_add(&faults, 1);
}

static const struct http_config config = { .routes = routes,
                                           .fault = count_fault };

/* ---- The folder ------------------------------------------------------------
 */

static void put_page(const char *name)
{
    char text[PAGE];

    memset(text, 'p', sizeof text);
    file_put(name, text, sizeof text);
}

/* Once a process. */
static void make_tree(void)
{
    if (files_root[0] != '\0')
        return;
    files_make();
    file_text("a.txt", "alpha");
    file_large("large.bin", LARGE);
    file_large("other.bin", LARGE);
    put_page("page.css");
    put_page("packed.css");
    file_text("packed.css.gz", "packed");
    put_page("stale.css");
    file_text("stale.css.gz", "of another file");
    file_age("stale.css.gz");
    put_page("folder.css");
    CHECK_EQ(mkdir(file_path("folder.css.gz"), 0755), 0);
    CHECK_EQ(mkdir(file_path("sub"), 0755), 0);
    file_text("sub/index.html", "index");
    CHECK_EQ(mkdir(file_path("names"), 0755), 0);
    file_text("names/some", "some");
    file_settle();
}

/* ---- Who asks --------------------------------------------------------------
 */

struct wanted {
    const char *path, *fields;
    int status;
    const char *words;   /* of the head or the body */
    const char *instead; /* where something fails, also right */
    size_t large;        /* or so many bytes of a large file, */
    size_t from;         /* from there on */
};

static char answer[ANSWER_MAX];
static size_t got;

/* False when the client itself was made to fail. */
static bool fetch(const char *addr, const struct wanted *w)
{
    struct net_conn *c = net_dial(addr, SOON);
    char text[400];
    ssize_t n = -1;

    (void)snprintf(text, sizeof text, "GET %s HTTP/1.0\r\n%s\r\n", w->path,
                   w->fields == NULL ? "" : w->fields);
    got = 0;
    if (c != NULL && net_write(c, text, strlen(text), SOON) == 0)
        while ((n = net_read(c, answer + got, sizeof answer - 1 - got, SOON)) >
               0)
            got += (size_t)n;
    net_close(c);
    answer[got] = '\0';
    return n == 0;
}

static bool is_large(const char *body, const struct wanted *w, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (body[i] != file_byte(w->from + i))
            return false;
    return true;
}

/* What came may end early, when that was said, and may be an error. */
static void check_rest(const struct wanted *w, const char *body, size_t len,
                       size_t of)
{
    int status = atoi(answer + 9);

    if (len < of) {
        CHECK(w->large == 0 || is_large(body, w, len));
        CHECK(atomic_load(&faults) > 0 || !inject_fired_in(CALL_sendfile));
        return;
    }
    CHECK(status == 500 || status == 503 || status == 403);
}

static bool is_wanted(const struct wanted *w)
{
    char *body = strstr(answer, "\r\n\r\n");
    const char *length = strstr(answer, "\r\nContent-Length: ");
    size_t len, of;

    if (body == NULL)
        return false; /* nothing, or less than a head */
    body += 4;
    len = got - (size_t)(body - answer);
    /* A page that is streamed ends with the connection. */
    of = length == NULL || length > body ? len : strtoul(length + 18, NULL, 10);
    CHECK(len <= of);
    if (len == of && atoi(answer + 9) == w->status) {
        if (w->large != 0)
            return len == w->large && is_large(body, w, len);
        if (memmem(answer, got, w->words, strlen(w->words)) != NULL)
            return true;
        if (w->instead != NULL && inject_fired())
            return memmem(answer, got, w->instead, strlen(w->instead)) != NULL;
    }
    CHECK(inject_fired());
    check_rest(w, body, len, of);
    return false;
}

/* Until the answer comes: again only when a call has been made to fail. */
static void want(const char *addr, struct wanted w)
{
    for (int tries = 0; !web_failed(); tries++) {
        if (fetch(addr, &w) && is_wanted(&w))
            return;
        CHECK(inject_fired());
        CHECK(tries < TRIES);
        (void)co_sleep_until(co_after(CO_MSEC));
    }
}
#define WANT(...) want(addr, (struct wanted){ __VA_ARGS__ })

/* ---- What they ask for -----------------------------------------------------
 */

#define GZIP "Accept-Encoding: gzip\r\n"

/* Each twice: it is read, and found. */
static void ask_small(const char *addr)
{
    for (int i = 0; i < 2; i++)
        WANT(.path = "/a.txt", .status = 200, .words = "\r\n\r\nalpha");
    WANT(.path = "/a.txt", .fields = "Range: bytes=1-2\r\n", .status = 206,
         .words = "\r\n\r\nlp");
    WANT(.path = "/none", .status = 404, .words = "404 Not Found");
    /* Is never old enough to be kept. */
    inject_off();
    file_text("change.txt", "one");
    inject_on();
    WANT(.path = "/change.txt", .status = 200, .words = "one");
    inject_off();
    file_text("change.txt", "two");
    inject_on();
    WANT(.path = "/change.txt", .status = 200, .words = "two");
}

/* There is room for one descriptor. */
static void ask_large(const char *addr)
{
    for (int i = 0; i < 2; i++)
        WANT(.path = "/large.bin", .status = 200, .large = LARGE);
    WANT(.path = "/other.bin", .fields = "Range: bytes=100-\r\n", .status = 206,
         .large = LARGE - 100, .from = 100);
}

static void ask_ranges(const char *addr)
{
    WANT(.path = "/a.txt", .fields = "Range: bytes=0-0,3-3\r\n", .status = 206,
         .words = "Content-Range: bytes 3-3/5\r\n\r\nh");
    WANT(.path = "/large.bin", .fields = "Range: bytes=0-0,9-9\r\n",
         .status = 206, .words = "Content-Range: bytes 9-9/40000\r\n\r\n");
    WANT(.path = "/a.txt", .fields = "Range: bytes=9-9\r\n", .status = 416,
         .words = "bytes */5\r\n");
}

static void ask_packed(const char *addr)
{
    for (int i = 0; i < 2; i++)
        WANT(.path = "/packed.css", .fields = GZIP, .status = 200,
             .words = "\r\n\r\npacked", .instead = "\r\n\r\nppppppp");
#ifdef FAULT_ZLIB
    WANT(.path = "/page.css", .fields = GZIP, .status = 200,
         .words = "\r\n\r\n\x1f\x8b", .instead = "\r\n\r\nppppppp");
    WANT(.path = "/stale.css", .fields = GZIP, .status = 200,
         .words = "\r\n\r\n\x1f\x8b", .instead = "\r\n\r\nppppppp");
    WANT(.path = "/folder.css", .fields = GZIP, .status = 200,
         .words = "\r\n\r\n\x1f\x8b", .instead = "\r\n\r\nppppppp");
#endif
}

static void ask_folders(const char *addr)
{
    WANT(.path = "/sub/", .status = 200, .words = "\r\n\r\nindex");
    WANT(.path = "/sub", .status = 301, .words = "Location: /sub/\r\n");
    WANT(.path = "/names/", .status = 200, .words = "</table>\n");
}

static void ask_closed(const char *addr)
{
    WANT(.path = "/names/", .status = 403, .words = "403 Forbidden");
}

/* ---- Scenarios -------------------------------------------------------------
 */

static void serve(const struct http_files_config *c,
                  void (*ask)(const char *addr))
{
    struct http_files_config mine = *c;

    mine.root = files_root;
    atomic_store(&faults, 0);
    files = http_files_open(&mine);
    if (!WENT(files != NULL, ENOMEM, EMFILE, ENOENT, EACCES, EIO, ))
        return;
    routes[0] = (struct http_route){ "GET", "/*", http_files, files, 0 };
    web_server(&config, ask);
    http_files_close(files);
}

static const struct http_files_config usual = {
    .cache_control = "no-cache",
    .cache_files = 1,
    .mime_types = FAULT_ROOT "/tests/fault/mime.types",
};

static const struct http_files_config with_pages = {
    .listing = true,
    .mime_types = FAULT_ROOT "/tests/fault/mime.types",
};

static void use_small(void) { serve(&usual, ask_small); }
static void use_large(void) { serve(&usual, ask_large); }
static void use_ranges(void) { serve(&usual, ask_ranges); }
static void use_packed(void) { serve(&usual, ask_packed); }
static void use_folders(void) { serve(&with_pages, ask_folders); }
static void use_closed(void) { serve(&usual, ask_closed); }

static void run(void (*use)(void))
{
    inject_off();
    make_tree();
    in_runtime(use);
}

static void small(void) { run(use_small); }
static void large(void) { run(use_large); }
static void ranges(void) { run(use_ranges); }
static void packed(void) { run(use_packed); }
static void folders(void) { run(use_folders); }
static void closed(void) { run(use_closed); }

/* Also where the kernel cannot hold the walk. */
static void beneath(void)
{
    int root, fd;

    inject_off();
    make_tree();
    root = open(files_root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(root >= 0);
    inject_on();
    fd = http_beneath(root, "sub/index.html", 0);
    if (WENT(fd >= 0, EMFILE, EACCES, ))
        CHECK_EQ(close(fd), 0);
    CHECK(http_beneath(root, "sub/none", 0) < 0);
    CHECK(errno == ENOENT || inject_fired());
    CHECK_EQ(close(root), 0);
}

static void put_entry(struct http_cache *c, const char *key)
{
    struct http_entry *e = calloc(1, sizeof *e);

    CHECK(e != NULL);
    atomic_fetch_add(&inject_blocks, 1); /* until the cache frees it */
    e->fd = -1;
    e->key = key;
    e->key_len = (uint32_t)strlen(key);
    e->hash = (uint32_t)atoi(key);
    atomic_init(&e->refs, 1);
    http_cache_put(c, e);
    http_entry_release(e);
}

/* Without memory for a larger table, the old one holds them. */
static void cache(void)
{
    static char keys[ENTRIES][8];
    struct http_cache *c = http_cache_open(1 << 20, 1);

    if (!WENT(c != NULL, ENOMEM, ))
        return;
    for (int i = 0; i < ENTRIES; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "%d", i);
        put_entry(c, keys[i]);
    }
    for (int i = 0; i < ENTRIES; i++) {
        struct http_entry *e =
            http_cache_get(c, (uint32_t)i, keys[i], strlen(keys[i]));

        CHECK(e != NULL && e->key == keys[i]);
        http_entry_release(e);
    }
    http_cache_close(c);
}

const struct scenario scenarios_serving[] = {
    { "files_small", small, 0 },
    { "files_large", large, 0 },
    { "files_ranges", ranges, PLACES_ALONE },
    { "files_packed", packed, 0 },
    { "files_folders", folders, PLACES_ALONE },
    { "files_closed", closed, PLACES_ALONE },
    { "files_cache", cache, 0 },
    { "beneath", beneath, 0 },
    { NULL, NULL, 0 },
};
