/* upload_kit.h - what tests of files that clients send share: handlers that
 * take them, bodies that have them, and a folder of the test's own.
 *
 * Everything is done twice: with files that have no name, and with named ones,
 * as on file systems that have no others.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_UPLOAD_KIT_H
#define TESTS_UPLOAD_KIT_H

#include "tests/form_kit.h"
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static bool named;            /* O_TMPFILE is not supported */
static atomic_int open_fails; /* with this error */

/* Instead of libc's, for the library, too. */
int open(const char *path, int flags, ...)
{
    bool tmpfile = (flags & O_TMPFILE) == O_TMPFILE;
    mode_t mode = 0;
    va_list args;

    if (tmpfile || (flags & O_CREAT) != 0) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    if (tmpfile) {
        int err = atomic_load(&open_fails);

        CHECK_EQ(mode, 0600);
        CHECK(flags & O_CLOEXEC);
        if (err == 0 && named)
            err = EOPNOTSUPP;
        if (err != 0) {
            errno = err;
            return -1;
        }
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* How long each write takes, and how many kept a scheduler from its work. */
static atomic_int write_ms;
static atomic_uint written_here, written_elsewhere;

ssize_t pwrite(int fd, const void *buf, size_t len, off_t at)
{
    if (write_ms > 0)
        test_sleep_ms(write_ms);
    if (co_self() != NULL)
        written_here++;
    else
        written_elsewhere++;
    return syscall(SYS_pwrite64, fd, buf, len, at);
}

/* ---- Handlers --------------------------------------------------------------
 */

static char dir[] = "/tmp/corten-upload-XXXXXX"; /* all of the test */
static char in[64];                              /* of it, what is uploaded */
static char kept[64];                            /* a path there */
static struct http_form_config limits = { .dir = in };
static struct body *b;
static atomic_uint reached; /* handlers that have their form */

static uint32_t checksum(const char *data, size_t len)
{
    uint32_t sum = 2166136261;

    while (len-- > 0)
        sum = (sum ^ (unsigned char)*data++) * 16777619;
    return sum;
}

/* From where the descriptor stands, and that is the beginning. */
static uint32_t checksum_of(const struct http_upload *u)
{
    char *data = malloc(u->size + 1);
    uint32_t sum;

    CHECK(data != NULL);
    CHECK_EQ(read(u->fd, data, u->size + 1), u->size);
    sum = checksum(data, u->size);
    free(data);
    return sum;
}

static int shows(struct http_request *req, struct http_response *res)
{
    const struct http_upload *u;
    struct http_form *form;
    int status = http_form_read(req, &limits, &form, CO_FOREVER);
    struct stat st;

    if (status != 0) {
        http_printf(res, "errno %d", errno);
        return status;
    }
    reached++;
    for (unsigned i = 0; (u = http_form_upload_at(form, i)) != NULL; i++) {
        CHECK_EQ(fstat(u->fd, &st), 0);
        CHECK_EQ(st.st_size, u->size);
        CHECK_EQ(st.st_mode & 07777, 0600);
        CHECK_EQ(st.st_nlink, named ? 1 : 0);
        CHECK(fcntl(u->fd, F_GETFD) & FD_CLOEXEC);
        http_printf(res, "%s:%s:%s:%u:%08x|", u->name, u->filename, u->type,
                    (unsigned)u->size, checksum_of(u));
    }
    for (const struct http_pair *p = http_form_pairs(form); p->name; p++)
        http_printf(res, "%s=%s|", p->name, p->value);
    return 200;
}

static int keeps(struct http_request *req, struct http_response *res)
{
    struct http_form *form;
    int status = http_form_read(req, &limits, &form, CO_FOREVER);
    const struct http_upload *u;

    if (status != 0)
        return status;
    u = http_form_upload(form, "file");
    CHECK(u != NULL);
    CHECK(u == http_form_upload_at(form, 0));
    if (http_upload_keep(u, kept) == 0)
        return 201;
    http_printf(res, "errno %d", errno);
    return errno == EEXIST ? 409 : 500;
}

static int fails(struct http_request *req, struct http_response *res)
{
    int status = shows(req, res);

    return status == 200 ? 500 : status;
}

static int drops(struct http_request *req, struct http_response *res)
{
    CHECK_EQ(shows(req, res), 200);
    return -1;
}

static int waits(struct http_request *req, struct http_response *res)
{
    int status = shows(req, res);

    if (status != 200)
        return status;
    CHECK_EQ(co_sleep_until(CO_FOREVER), -1);
    return -1;
}

static int streams(struct http_request *req, struct http_response *res)
{
    static char piece[65536];
    struct http_form *form;

    CHECK_EQ(http_form_read(req, &limits, &form, CO_FOREVER), 0);
    CHECK_EQ(http_stream(res, 200), 0);
    while (http_write(res, piece, sizeof piece) == 0)
        ;
    return 200;
}

enum { BODY_MAX = 100 * 1024 * 1024 };

static const struct http_route routes[] = {
    { NULL, "/shows", shows, NULL, BODY_MAX },
    { NULL, "/keeps", keeps, NULL, BODY_MAX },
    { NULL, "/fails", fails, NULL, BODY_MAX },
    { NULL, "/drops", drops, NULL, BODY_MAX },
    { NULL, "/waits", waits, NULL, BODY_MAX },
    { NULL, "/streams", streams, NULL, BODY_MAX },
    { 0 },
};

static const struct http_config plain = { .routes = routes };

/* Bytes among which much looks like the beginning of a delimiter. */
static void fill(char *data, size_t len)
{
    static const char bytes[] = "\r\n\r\n---boundary--\0\xff";
    unsigned seed = (unsigned)len;

    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        data[i] = bytes[(seed >> 16) % sizeof bytes];
    }
}

static void one_file(size_t size)
{
    static char data[3 * 1024 * 1024];

    CHECK(size <= sizeof data);
    fill(data, size);
    b->len = 0;
    body_file(b, "file", "name", data, size);
    body_end(b);
}

/* ---- A folder --------------------------------------------------------------
 */

/* Runs tests() for both kinds of files. */
static inline void for_both(void (*tests)(void))
{
    CHECK(mkdtemp(dir) != NULL);
    (void)snprintf(in, sizeof in, "%s/in", dir);
    CHECK_EQ(mkdir(in, 0700), 0);
    b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    for (int i = 0; i < 2; i++) {
        named = i == 1;
        fprintf(stderr, " %s files:\n", named ? "named" : "nameless");
        tests();
    }
    free(b);
    CHECK_EQ(rmdir(in), 0);
    CHECK_EQ(rmdir(dir), 0);
}

#endif
