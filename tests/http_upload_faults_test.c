/* http_upload_faults_test.c - files that clients send and that are too large,
 * or for which there is no room: the answer says so, nothing is left, and the
 * connection goes on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/upload_kit.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

/* ---- Limits ----------------------------------------------------------------
 */

static void post_small(struct client *k, int status)
{
    one_file(10);
    CHECK_EQ(post(k, "/shows", MULTIPART, b), status);
}

static void too_much(void *arg)
{
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    for (size_t over = 0; over < 2; over++) {
        int status = over ? 413 : 200;

        limits = (struct http_form_config){ .dir = in, .file_max = 100000 };
        one_file(100000 + over);
        CHECK_EQ(post_once(&web, "/shows", MULTIPART, b), status);
        limits = (struct http_form_config){ .dir = in, .files_max = 100000 };
        one_file(100000 + over);
        CHECK_EQ(post_once(&web, "/shows", MULTIPART, b), status);
        b->len = 0;
        body_file(b, "a", "b", b->data + 1000000, 90000);
        body_file(b, "a", "b", b->data + 1000000, 10000 + over);
        body_end(b);
        CHECK_EQ(post_once(&web, "/shows", MULTIPART, b), status);
        limits = (struct http_form_config){ .dir = in, .files = 3 };
        b->len = 0;
        for (size_t i = 0; i < 3 + over; i++)
            body_file(b, "a", "b", "c", 1);
        body_end(b);
        CHECK_EQ(post_once(&web, "/shows", MULTIPART, b), status);
        check_nothing_left(in);
    }
    limits = (struct http_form_config){ .dir = in };
    web_stop(&web);
}

/* ---- Errors of the system --------------------------------------------------
 */

/* The connection goes on, or ends when there is much more to come. */
static void no_room(void *arg)
{
    struct client *k;
    struct web web;
    int err = *(int *)arg;
    char text[32];

    web_start(&web, &plain, NULL);
    (void)snprintf(text, sizeof text, "errno %d", err);
    for (int i = 0; i < 3; i++) {
        k = client_open(&web);
        one_file(140000);
        CHECK_EQ(post(k, "/shows", MULTIPART, b), 507);
        CHECK(body_is(k, text));
        check_nothing_left(in);
        post_small(k, 200);
        client_close(k);
        one_file(3000000);
        k = client_open(&web);
        CHECK_EQ(post(k, "/shows", MULTIPART, b), 507);
        check_nothing_left(in);
        CHECK_CLOSED(k);
        client_close(k);
        /* The second of two: both go. */
        k = client_open(&web);
        b->len = 0;
        body_file(b, "a", "b", b->data + 1000000, 70000);
        body_file(b, "a", "b", b->data + 1000000, 70000);
        body_end(b);
        if (err == ENOSPC)
            CHECK_EQ(post(k, "/shows", MULTIPART, b), 507);
        check_nothing_left(in);
        post_small(k, 200);
        check_nothing_left(in);
        client_close(k);
    }
    web_stop(&web);
}

static void no_file(void *arg)
{
    struct client *k;
    struct web web;

    (void)arg;
    web_start(&web, &plain, NULL);
    k = client_open(&web);
    open_fails = EMFILE;
    post_small(k, 503);
    open_fails = EACCES;
    post_small(k, 500);
    open_fails = 0;
    limits.dir = "/nowhere";
    post_small(k, 500);
    limits.dir = in;
    post_small(k, 200);
    check_nothing_left(in);
    client_close(k);
    web_stop(&web);
}

/* A small file system of our own, where that is allowed. */
static void disk_full(void)
{
    int err = ENOSPC;

    if (mount("none", in, "tmpfs", 0, "size=131072") < 0) {
        perror("    no tmpfs");
        return;
    }
    CHECK_EQ(co_run(no_room, &err, NULL), 0);
    CHECK_EQ(umount2(in, MNT_DETACH), 0);
}

static void file_too_large(void)
{
    struct rlimit old, small = { 131072, RLIM_INFINITY };
    int err = EFBIG;

    CHECK_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    CHECK_EQ(co_run(no_room, &err, NULL), 0);
    CHECK_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
}

/* ---- Main ------------------------------------------------------------------
 */

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    if (f != NULL) {
        (void)fputs(text, f);
        (void)fclose(f);
    }
}

/* Before there are threads: file systems of our own. */
static void go_apart(void)
{
    char map[64];

    if (unshare(CLONE_NEWNS) == 0 || errno != EPERM)
        return;
    (void)snprintf(map, sizeof map, "%u %u 1", geteuid(), geteuid());
    if (unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0)
        put("/proc/self/uid_map", map);
}

static void tests(void)
{
    RUN_CO(too_much);
    RUN_CO(no_file);
    RUN(disk_full);
    RUN(file_too_large);
}

int main(void)
{
    go_apart();
    (void)mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL);
    for_both(tests);
    return 0;
}
