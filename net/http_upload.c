/* http_upload.c - files that clients send.
 *
 * Each goes into a file without a name (O_TMPFILE), which ends with its
 * descriptor, also when the process is killed; keeping it gives it one.  Where
 * the file system has none such, it has a name that nobody can guess until the
 * request ends.
 *
 * A write to a disk that is behind can take its thread for long.  Small files
 * are written right here, since they fit in what the kernel takes without
 * waiting; the rest of larger ones on another thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_multipart.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HERE_MAX = 64 * 1024 }; /* bytes of a file that are written right here */

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
    const char *data; /* NULL: to remove it */
    size_t len;
    int err;
};

static void write_all(struct job *job)
{
    off_t at = (off_t)job->file->upload.size;
    size_t done = 0;

    while (done < job->len) {
        ssize_t n = pwrite(job->file->upload.fd, job->data + done,
                           job->len - done, at + (off_t)done);

        if (n <= 0 && errno != EINTR) {
            job->err = n == 0 ? ENOSPC : errno;
            return;
        }
        done += n > 0 ? (size_t)n : 0;
    }
}

static void run(void *arg)
{
    struct job *job = arg;

    if (job->data != NULL) {
        write_all(job);
        return;
    }
    if (*job->file->name != '\0')
        (void)unlink(job->file->name); /* or somebody else has done so */
    (void)co_close(job->file->upload.fd);
}

static void do_job(struct job *job)
{
    if (job->file->upload.size + job->len <= HERE_MAX ||
        co_offload(run, job) < 0)
        run(job);
}

int http_upload_write(struct http_upload *u, const char *data, size_t len)
{
    struct job job = { .file = file_of(u), .data = data, .len = len };

    do_job(&job);
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
    do_job(&job);
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
