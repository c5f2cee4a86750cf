/* http_upload.c - files that clients send.
 *
 * Each goes into a file without a name (O_TMPFILE), which ends with its
 * descriptor, also when the process is killed; keeping it gives it one.  Where
 * the file system has none such, it has a name that nobody can guess until the
 * request ends.
 *
 * Mostly a write is a copy, which is cheaper than asking another thread for it.
 * But when the disk is behind, the kernel makes writers wait, and a scheduler
 * must not.  So writes are timed: after a slow one, other threads write until
 * none has been slow for a second.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_multipart.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLOW (5 * CO_MSEC)
#define SLOW_FOR CO_SECOND

enum { REMOVE_MAX = 1024 * 1024 }; /* bytes that are soon given back */

static _Atomic int64_t slow_until; /* a hint: relaxed */

struct file {
    struct http_upload upload;
    char name[]; /* the path while it has one, else "" */
};

static struct file *file_of(const struct http_upload *u)
{
    return (struct file *)u; /* its first member */
}

/* ---- On whichever thread fits ----------------------------------------------
 */

struct job {
    struct file *file;
    const char *data;
    size_t len;
    int err;
};

static void write_bytes(struct job *job)
{
    off_t at = (off_t)job->file->upload.size;
    size_t done = 0;

    while (done < job->len) {
        ssize_t n = pwrite(job->file->upload.fd, job->data + done,
                           job->len - done, at + (off_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            job->err = n == 0 ? ENOSPC : errno;
            return;
        }
        done += (size_t)n;
    }
}

static void write_all(void *arg)
{
    int64_t begun = co_now(), now;

    write_bytes(arg);
    now = co_now();
    if (now - begun > SLOW)
        atomic_store_explicit(&slow_until, now + SLOW_FOR,
                              memory_order_relaxed);
}

static void remove_file(void *arg)
{
    struct job *job = arg;

    if (*job->file->name != '\0')
        (void)unlink(job->file->name); /* or somebody else has done so */
    (void)co_close(job->file->upload.fd);
}

static void run(co_fn *fn, struct job *job, bool here)
{
    if (here || co_offload(fn, job) < 0)
        fn(job);
}

int http_upload_write(struct http_upload *u, const char *data, size_t len)
{
    struct job job = { .file = file_of(u), .data = data, .len = len };
    int64_t until = atomic_load_explicit(&slow_until, memory_order_relaxed);

    run(write_all, &job, until == 0 || co_now() >= until);
    if (job.err != 0) {
        errno = job.err;
        return -1;
    }
    u->size += len;
    return 0;
}

/* ---- Beginning and end -----------------------------------------------------
 */

void http_upload_remove(struct http_upload *u)
{
    struct job job = { .file = file_of(u) };

    if (u->fd < 0)
        return;
    run(remove_file, &job, u->size <= REMOVE_MAX);
    u->fd = -1;
}

static void remove_at_end(void *arg) { http_upload_remove(arg); }

/* The descriptor of a file without a name or of one called name, which has room
 * for len bytes. */
static int open_in(const char *dir, char *name, size_t len)
{
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);

    *name = '\0';
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    (void)snprintf(name, len, "%s/.upload-XXXXXX", dir);
    return mkostemp(name, O_CLOEXEC);
}

struct http_upload *http_upload_open(struct http_request *req, const char *dir,
                                     const struct http_part *part)
{
    size_t len = strlen(dir) + sizeof "/.upload-XXXXXX";
    struct file *file = http_alloc(req, sizeof *file + len);

    if (file == NULL)
        return NULL;
    file->upload = (struct http_upload){ .name = part->name,
                                         .filename = part->filename,
                                         .type = part->type,
                                         .fd = -1 };
    if (http_on_end(req, remove_at_end, &file->upload) < 0)
        return NULL;
    file->upload.fd = open_in(dir, file->name, len);
    return file->upload.fd < 0 ? NULL : &file->upload;
}

/* A second name is made for it, never in the place of another file; its first
 * one, if it has one, goes at the end.  A file without links can be reached by
 * its descriptor alone. */
int http_upload_keep(const struct http_upload *u, const char *path)
{
    char own[sizeof "/proc/self/fd/" + 3 * sizeof u->fd];

    (void)snprintf(own, sizeof own, "/proc/self/fd/%d", u->fd);
    return linkat(AT_FDCWD, own, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}
