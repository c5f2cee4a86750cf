/* http_upload_test.c - files that clients send: their bytes arrive, and however
 * the request ends, nothing of them is left that nobody kept.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/upload_kit.h"

/* ---- Files that arrive -----------------------------------------------------
 */

static void arrive(void *arg)
{
    static const size_t sizes[] = { 0,     1,      1000,   65535,   65536,
                                    65537, 131072, 300000, 3000000, 7 };
    char *data = malloc(3000000), *wanted = malloc(10000), *w = wanted;
    struct client *k;
    struct web web;

    (void)arg;
    CHECK(data != NULL && wanted != NULL);
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    b->len = 0;
    body_field(b, "first", "1");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[32];

        fill(data, sizes[i]);
        (void)snprintf(name, sizeof name, "a/%zu.txt", i);
        body_file(b, "file", name, data, sizes[i]);
        w += sprintf(w, "file:%zu.txt:application/octet-stream:%zu:%08x|", i,
                     sizes[i], checksum(data, sizes[i]));
    }
    body_file(b, "none", "", "", 0);
    body_file(b, "nameless", "..", "x", 1);
    body_field(b, "last", "2");
    body_end(b);
    w += sprintf(w, "nameless::application/octet-stream:1:%08x|",
                 checksum("x", 1));
    strcpy(w, "first=1|last=2|");
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(post(k, "/shows", MULTIPART, b), 200);
        CHECK(body_is(k, wanted));
        check_nothing_left(in);
    }
    client_close(k);
    web_stop(&web);
    free(data);
    free(wanted);
}

/* In chunks of all sizes. */
static void in_chunks(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    one_file(200000);
    say(k, "POST /shows HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
           "Content-Type: " MULTIPART "\r\n" END);
    for (size_t at = 0, n = 1; at < b->len; at += n, n = n * 5 / 3 + 1) {
        char size[32];

        n = n < b->len - at ? n : b->len - at;
        (void)snprintf(size, sizeof size, "%zx\r\n", n);
        say(k, size);
        CHECK_EQ(net_write(k->c, b->data + at, n, SOON), 0);
        say(k, "\r\n");
    }
    say(k, "0\r\n\r\n");
    CHECK_EQ(answer(k), 200);
    CHECK(strstr(k->body, "file:name:application/octet-stream:200000:"));
    check_nothing_left(in);
    client_close(k);
    web_stop(&web);
}

/* ---- A slow disk -----------------------------------------------------------
 */

/* It delays a scheduler once, not with each write. */
static void slow_disk(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    one_file(3000000);
    written_here = written_elsewhere = 0;
    write_ms = 8;
    CHECK_EQ(post(k, "/shows", MULTIPART, b), 200);
    write_ms = 0;
    CHECK(written_here * 4 < written_elsewhere);
    CHECK(written_here + written_elsewhere >= 3000000 / 65536);
    CHECK_EQ(post(k, "/shows", MULTIPART, b), 200);
    /* Once it has been fast again for long enough, it is trusted. */
    one_file(1000);
    written_here = 0;
    for (int64_t end = SOON; written_here == 0;) {
        CHECK(co_now() < end);
        CHECK_EQ(co_sleep_until(co_after(100 * CO_MSEC)), 0);
        CHECK_EQ(post(k, "/shows", MULTIPART, b), 200);
    }
    check_nothing_left(in);
    client_close(k);
    web_stop(&web);
}

/* ---- Files that are kept ---------------------------------------------------
 */

static void check_kept(size_t size)
{
    struct stat st;

    CHECK_EQ(stat(kept, &st), 0);
    CHECK_EQ(st.st_size, size);
    CHECK_EQ(st.st_nlink, 1);
    CHECK_EQ(st.st_mode & 07777, 0600);
}

static void are_kept(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    (void)snprintf(kept, sizeof kept, "%s/kept", dir);
    for (size_t size = 0; size < 1000000; size = size * 30 + 5) {
        one_file(size);
        CHECK_EQ(post(k, "/keeps", MULTIPART, b), 201);
        check_nothing_left(in);
        check_kept(size);
        /* Nothing is replaced, neither a file nor a link to nowhere. */
        one_file(size + 1);
        CHECK_EQ(post(k, "/keeps", MULTIPART, b), 409);
        check_nothing_left(in);
        check_kept(size);
        CHECK_EQ(unlink(kept), 0);
        CHECK_EQ(symlink("nowhere", kept), 0);
        CHECK_EQ(post(k, "/keeps", MULTIPART, b), 409);
        CHECK_EQ(unlink(kept), 0);
    }
    (void)snprintf(kept, sizeof kept, "%s/none/kept", dir);
    CHECK_EQ(post(k, "/keeps", MULTIPART, b), 500);
    check_nothing_left(in);
    client_close(k);
    web_stop(&web);
}

/* ---- Files that go ---------------------------------------------------------
 */

/* However the handler ends. */
static void handled(void *arg)
{
    struct http_config config = plain;
    struct client *k;
    struct web web;

    (void)arg;
    config.handler_timeout = 100 * CO_MSEC;
    web_start(&web, &config, NULL);
    for (size_t size = 10; size < 1000000; size *= 100) {
        one_file(size);
        CHECK_EQ(post_once(&web, "/fails", MULTIPART, b), 500);
        check_nothing_left(in);
        CHECK_EQ(post_once(&web, "/drops", MULTIPART, b), 0);
        check_nothing_left(in);
        CHECK_EQ(post_once(&web, "/waits", MULTIPART, b), 503);
        check_nothing_left(in);
        k = client_open(&web);
        post_but(k, "/streams", MULTIPART, b, 0);
        CHECK(client_read(k));
        CHECK_EQ(open_below(in), 1);
        client_close(k);
        check_nothing_left(in);
    }
    web_stop(&web);
}

/* Until a part of the file was written. */
static void wait_for_file(void)
{
    while (open_below(in) == 0)
        CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
    CHECK_EQ(entries(in), named);
}

/* However the body ends before its end. */
static void broken_off(void *arg)
{
    struct http_config config = plain;
    struct client *k;
    struct web web;

    (void)arg;
    config.body_timeout = 100 * CO_MSEC;
    web_start(&web, &plain, NULL);
    one_file(300000);
    k = client_open(&web);
    post_but(k, "/shows", MULTIPART, b, 100000);
    wait_for_file();
    client_close(k);
    check_nothing_left(in);
    web_stop(&web);

    web_start(&web, &config, NULL);
    k = client_open(&web);
    post_but(k, "/shows", MULTIPART, b, 100000);
    CHECK_EQ(answer(k), 408);
    check_nothing_left(in);
    CHECK_CLOSED(k);
    client_close(k);
    /* Without the last delimiter. */
    b->len -= 4;
    CHECK_EQ(post_once(&web, "/shows", MULTIPART, b), 400);
    check_nothing_left(in);
    web_stop(&web);
}

/* The server stops, while the body comes and while the handler waits. */
static void stopped(void *arg)
{
    struct net_listen_options options = { .grace = 1 };
    struct client *k;
    struct web web;

    (void)arg;
    one_file(300000);
    for (int i = 0; i < 2; i++) {
        web_start(&web, &plain, &options);
        k = client_open(&web);
        reached = 0;
        post_but(k, "/waits", MULTIPART, b, i == 0 ? 100000 : 0);
        if (i == 0)
            wait_for_file();
        while (i == 1 && reached == 0)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        web_stop(&web);
        check_nothing_left(in);
        client_close(k);
    }
}

/* ---- Main ------------------------------------------------------------------
 */

static void tests(void)
{
    RUN_CO(arrive);
    RUN_CO(in_chunks);
    RUN_CO(slow_disk);
    RUN_CO(are_kept);
    RUN_CO(handled);
    RUN_CO(broken_off);
    RUN_CO(stopped);
}

int main(void)
{
    for_both(tests);
    return 0;
}
