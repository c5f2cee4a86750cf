/* upload.c - a page with forms: visitors say who they are, which a signed
 * cookie remembers, and leave files in a folder.
 *
 *     upload [ADDRESS [FOLDER]]   127.0.0.1:8080, a new folder below /tmp
 *
 * Try: curl -F file=@README.md http://127.0.0.1:8080/files
 * Open: 127.0.0.1:8080
 *
 * Needs libssl-dev.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_form.h"
#include "net/http_sign.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    DAYS_30 = 30 * 24 * 60 * 60,
    NAME_MAX_BYTES = 100,
    TRIES = 1000,
    FILE_MAX = 100 * 1024 * 1024,
    BODY_MAX = 500 * 1024 * 1024
};

static char made[] = "/tmp/upload-XXXXXX";
static const char *folder = made;
static struct http_signer *signer;

/* ---- The page --------------------------------------------------------------
 */

static const char head[] =
    "<!doctype html>\n"
    "<meta name=viewport content='width=device-width'>\n"
    "<title>Files</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark }\n"
    "body { font: 1rem/2 sans-serif; margin: 2rem auto;\n"
    "       max-width: 40rem; padding: 0 1rem }\n"
    "</style>\n"
    "<h1>Hello, ";

static const char forms[] =
    "</h1>\n"
    "<form action=/user method=post>\n"
    "<label>Your name <input name=user maxlength=100></label>\n"
    "<button>Remember</button> <button name=forget>Forget</button>\n"
    "</form>\n"
    "<form action=/files method=post enctype=multipart/form-data>\n"
    "<label>Files <input type=file name=file multiple></label>\n"
    "<button>Send</button>\n"
    "</form>\n"
    "<h2>What is here</h2>\n";

/* What visitors wrote, which is no part of the page's own text. */
static void put_text(struct http_response *res, const char *text)
{
    for (; *text != '\0'; text++)
        if (strchr("&<>\"'", *text) != NULL)
            http_printf(res, "&#%d;", *text);
        else
            http_write(res, text, 1);
}

static void put_files(struct http_response *res)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    struct stat st;

    http_text(res, "<ul>\n");
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        http_text(res, "<li>");
        put_text(res, entry->d_name);
        http_printf(res, ", %lld bytes\n", (long long)st.st_size);
    }
    http_text(res, "</ul>\n");
    if (dir != NULL)
        closedir(dir);
}

static int page(struct http_request *req, struct http_response *res)
{
    const char *user = http_sign_cookie(signer, req, "user");

    http_set_header(res, "Content-Type", "text/html; charset=utf-8");
    http_set_header(res, "Cache-Control", "no-store");
    http_set_header(res, "Content-Security-Policy",
                    "default-src 'none'; style-src 'unsafe-inline'; "
                    "frame-ancestors 'none'");
    http_text(res, head);
    put_text(res, user != NULL ? user : "whoever you are");
    http_text(res, forms);
    put_files(res);
    return 200;
}

/* ---- Forms -----------------------------------------------------------------
 */

/* Other pages may have forms that lead here: browsers say where one stands. */
static int refuse_others(struct http_request *req, struct http_response *res)
{
    const char *origin = http_header(req, "Origin");
    const char *host = origin == NULL ? NULL : strstr(origin, "://");

    (void)res;
    if (strcmp(req->method, "POST") != 0 || origin == NULL)
        return 0;
    return host != NULL && strcmp(host + 3, req->host) == 0 ? 0 : 403;
}

/* A page that is then loaded again sends nothing twice. */
static int back(struct http_response *res)
{
    return http_set_header(res, "Location", "/") < 0 ? 500 : 303;
}

static int set_user(struct http_request *req, struct http_response *res)
{
    struct http_cookie cookie = { .name = "user", .max_age = DAYS_30 };
    struct http_form *form;
    int status = http_form_read(req, NULL, &form, co_after(10 * CO_SECOND));

    if (status != 0)
        return status;
    cookie.value = http_form_value(form, "user");
    if (http_form_value(form, "forget") != NULL)
        cookie.max_age = -1;
    else if (cookie.value == NULL || *cookie.value == '\0' ||
             strlen(cookie.value) > NAME_MAX_BYTES)
        return 400;
    return http_sign_set_cookie(signer, res, &cookie) < 0 ? 500 : back(res);
}

/* What the client calls it is a wish: of its characters the harmless ones
 * remain, and a number before them makes the name a new one. */
static int keep(const struct http_upload *u)
{
    char name[NAME_MAX_BYTES + 1], path[4096];
    size_t len = 0;

    for (; u->filename[len] != '\0' && len < NAME_MAX_BYTES; len++) {
        unsigned char c = (unsigned char)u->filename[len];

        name[len] = (char)(isalnum(c) || strchr(".-_", c) != NULL ? c : '_');
    }
    name[len] = '\0';
    for (int i = 1; i <= TRIES; i++) {
        (void)snprintf(path, sizeof path, "%s/%d-%s", folder, i, name);
        if (http_upload_keep(u, path) == 0)
            return 0;
        if (errno != EEXIST)
            break;
    }
    perror(path);
    return -1;
}

/* They are written to the folder's file system while they come, and stay only
 * if this keeps them. */
static int take_files(struct http_request *req, struct http_response *res)
{
    struct http_form_config limits = { .dir = folder, .file_max = FILE_MAX };
    const struct http_upload *u;
    struct http_form *form;
    int status = http_form_read(req, &limits, &form, CO_FOREVER);

    if (status != 0)
        return status;
    for (unsigned i = 0; (u = http_form_upload_at(form, i)) != NULL; i++)
        if (keep(u) < 0)
            return 500;
    return back(res);
}

/* ---- The program -----------------------------------------------------------
 */

static const struct http_route routes[] = {
    { "GET", "/", page, NULL, 0 },
    { "POST", "/user", set_user, NULL, 0 },
    { "POST", "/files", take_files, NULL, BODY_MAX },
    { 0 },
};

static http_handler *const before[] = { refuse_others, NULL };

static int failed;

static void root(void *addr)
{
    struct http_config config = { .routes = routes, .before = before };

    if (http_serve(net_listen(addr, NULL), &config) < 0) {
        perror(addr);
        failed = 1;
    }
}

/* A service that runs on several machines, or is started anew, has a key in a
 * file; here names are forgotten with the process. */
static struct http_signer *new_signer(void)
{
    unsigned char key[HTTP_SIGN_KEY_MIN];
    struct http_sign_key keys[] = { { key, sizeof key }, { NULL, 0 } };

    if (getrandom(key, sizeof key, 0) != (ssize_t)sizeof key)
        return NULL;
    return http_sign_new(keys);
}

int main(int argc, char **argv)
{
    char *addr = argc > 1 ? argv[1] : "127.0.0.1:8080";

    if (argc > 2)
        folder = argv[2];
    else if (mkdtemp(made) == NULL)
        return 1;
    printf("files go to %s\n", folder);
    (void)fflush(stdout);
    signer = new_signer();
    if (signer == NULL)
        return 1;
    if (co_run(root, addr, NULL) < 0)
        failed = 1;
    http_sign_free(signer);
    return failed;
}
