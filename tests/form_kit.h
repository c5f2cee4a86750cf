/* form_kit.h - what tests of forms share: bodies to send, and a look at what is
 * left of files.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FORM_KIT_H
#define TESTS_FORM_KIT_H

#include "net/http_form.h"
#include "tests/web_kit.h"
#include <dirent.h>
#include <stdarg.h>

/* ---- Bodies ----------------------------------------------------------------
 */

struct body {
    size_t len;
    char data[4 * 1024 * 1024];
};

__attribute__((unused)) static void body_add(struct body *b, const void *data,
                                             size_t len)
{
    CHECK(len <= sizeof b->data - b->len);
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

__attribute__((unused, format(printf, 2, 3))) static void body_print(
    struct body *b, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(b->data + b->len, sizeof b->data - b->len, format, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < sizeof b->data - b->len);
    b->len += (size_t)n;
}

#define BOUNDARY "----boundary"
#define MULTIPART "multipart/form-data; boundary=" BOUNDARY
#define URLENCODED "application/x-www-form-urlencoded"

__attribute__((unused)) static void body_field(struct body *b, const char *name,
                                               const char *value)
{
    body_print(b,
               "--" BOUNDARY "\r\nContent-Disposition: form-data; "
               "name=\"%s\"\r\n\r\n%s\r\n",
               name, value);
}

__attribute__((unused)) static void body_file(struct body *b, const char *name,
                                              const char *filename,
                                              const void *data, size_t len)
{
    body_print(b,
               "--" BOUNDARY "\r\nContent-Disposition: form-data; "
               "name=\"%s\"; filename=\"%s\"\r\n"
               "Content-Type: application/octet-stream\r\n\r\n",
               name, filename);
    body_add(b, data, len);
    body_print(b, "\r\n");
}

__attribute__((unused)) static void body_end(struct body *b)
{
    body_print(b, "--" BOUNDARY "--\r\n");
}

/* Says all but the last bytes of a request that says it has them. */
__attribute__((unused)) static void post_but(struct client *k, const char *path,
                                             const char *type,
                                             const struct body *b, size_t last)
{
    char head[512];

    (void)snprintf(head, sizeof head,
                   "POST %s HTTP/1.1\r\nContent-Type: %s\r\n"
                   "Content-Length: %zu\r\n" END,
                   path, type, b->len);
    say(k, head);
    CHECK_EQ(net_write(k->c, b->data, b->len - last, SOON), 0);
}

/* The status. */
__attribute__((unused)) static int post(struct client *k, const char *path,
                                        const char *type, const struct body *b)
{
    post_but(k, path, type, b, 0);
    return answer(k);
}

/* On a connection of its own. */
__attribute__((unused)) static int post_once(struct web *web, const char *path,
                                             const char *type,
                                             const struct body *b)
{
    struct client *k = client_open(web);
    int status = post(k, path, type, b);

    client_close(k);
    return status;
}

__attribute__((unused)) static int post_text(struct client *k, const char *path,
                                             const char *type, const char *text)
{
    static struct body b;

    b.len = 0;
    body_print(&b, "%s", text);
    return post(k, path, type, &b);
}

/* ---- What is left ----------------------------------------------------------
 */

__attribute__((unused)) static unsigned entries(const char *path)
{
    DIR *dir = opendir(path);
    unsigned n = 0;
    struct dirent *d;

    CHECK(dir != NULL);
    while ((d = readdir(dir)) != NULL)
        n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
    (void)closedir(dir);
    return n;
}

/* Open descriptors of files below a directory, or that were. */
__attribute__((unused)) static unsigned open_below(const char *path)
{
    char name[64], target[512];
    unsigned n = 0;

    for (int fd = 0; fd < 1000; fd++) {
        ssize_t len;

        (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        len = readlink(name, target, sizeof target - 1);
        if (len < 0)
            continue;
        target[len] = '\0';
        n += strncmp(target, path, strlen(path)) == 0;
    }
    return n;
}

/* Nothing is, or will soon be. */
__attribute__((unused)) static void check_nothing_left(const char *dir)
{
    int64_t deadline = SOON;

    while (open_below(dir) > 0 || entries(dir) > 0) {
        CHECK(co_now() < deadline);
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    }
}

#endif
