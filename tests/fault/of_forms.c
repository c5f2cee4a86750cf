/* of_forms.c - scenarios of forms and of files that come with them: what fails
 * is answered so, and leaves nothing behind.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_cookie.h"
#include "net/http_form.h"
#include "tests/fault/web.h"
#include <dirent.h>

enum { SIZE = 100000 }; /* of a file: some is written here, some elsewhere */

static char dir[] = "/tmp/corten-forms-XXXXXX";
static char path[64];

/* Only what a failure explains may be there. */
static void empty_dir(void)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    char name[300];

    CHECK(d != NULL);
    while ((entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        CHECK(strcmp(entry->d_name, "kept") == 0 ||
              inject_fired_in(CALL_unlink));
        (void)snprintf(name, sizeof name, "%s/%s", dir, entry->d_name);
        CHECK_EQ(unlink(name), 0);
    }
    (void)closedir(d);
}

static int upload(struct http_request *req, struct http_response *res)
{
    struct http_form_config limits = { .dir = dir };
    struct http_form *form;
    int status = http_form_read(req, &limits, &form, SOON);
    const struct http_upload *u;

    (void)res;
    if (status != 0) {
        CHECK(inject_fired());
        CHECK(status >= 500 || status == 400);
        return status;
    }
    u = http_form_upload(form, "file");
    CHECK(u != NULL);
    CHECK_EQ(u->size, SIZE);
    CHECK(strcmp(http_form_value(form, "a"), "b") == 0);
    (void)unlink(path);
    if (http_upload_keep(u, path) < 0)
        return 500;
    return 201;
}

/* All that is answered needs memory. */
static int form(struct http_request *req, struct http_response *res)
{
    const struct http_pair *query = http_query_pairs(req);
    const struct http_pair *cookies = http_cookies(req);
    const char *value = http_query(req, "a"), *cookie = http_cookie(req, "a");
    struct http_cookie set = { .name = "a", .value = "b" };
    struct http_form *f;
    int status = http_form_read(req, NULL, &f, SOON);

    if (status != 0)
        return status;
    if (query == NULL || value == NULL || cookies == NULL || cookie == NULL)
        return 503;
    if (http_set_cookie(res, &set) < 0)
        return 500;
    http_text(res, value);
    http_text(res, cookie);
    http_text(res, http_form_value(f, "a"));
    return 200;
}

static const struct http_route routes[] = {
    { "POST", "/upload", upload, NULL, 0 },
    { "POST", "/form", form, NULL, 0 },
    { 0 },
};

static const struct http_config config = { .routes = routes };

static void ask_upload(const char *addr)
{
    static const char begin[] =
        "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
        "--x\r\nContent-Disposition: form-data; name=file; filename=c\r\n\r\n";
    static char text[SIZE + 1000];

    (void)snprintf(text, sizeof text,
                   "POST /upload HTTP/1.0\r\nContent-Length: %zu\r\n"
                   "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
                   "%s%0*d\r\n--x--\r\n",
                   sizeof begin - 1 + SIZE + 9, begin, SIZE, 1);
    web_ask(addr, text, "201 Created");
}

/* Values that do not fit into what a request has. */
static void ask_form(const char *addr)
{
    static char text[40000];

    (void)snprintf(text, sizeof text,
                   "POST /form?a=%05000d HTTP/1.0\r\nContent-Length: 20002\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n"
                   "Cookie: a=%05000d\r\n\r\na=%020000d",
                   1, 2, 3);
    web_ask(addr, text, "0003");
}

static void use_upload(void) { web_server(&config, ask_upload); }

static void use_form(void) { web_server(&config, ask_form); }

static void http_upload(void)
{
    strcpy(dir + sizeof dir - 7, "XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(path, sizeof path, "%s/kept", dir);
    in_runtime(use_upload);
    empty_dir();
    CHECK_EQ(rmdir(dir), 0);
}

/* As on file systems that have only files with names. */
static void http_upload_named(void)
{
    inject_no_tmpfile = true;
    http_upload();
    inject_no_tmpfile = false;
}

static void http_form(void) { in_runtime(use_form); }

const struct scenario scenarios_forms[] = {
    { "http_form", http_form, 0 },
    { "http_upload", http_upload, 0 },
    { "http_upload_named", http_upload_named, 0 },
    { NULL, NULL, 0 },
};
