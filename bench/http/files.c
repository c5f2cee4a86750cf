/* files.c - see files.h.
 *
 * File i is what stands in one array of random bytes from byte i on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/http/files.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_SECONDS = 10, BUFFER = 256 * 1024 };

static size_t file_size(const struct files *f, unsigned i)
{
    static const double golden = 0.6180339887498949;
    double whole, part = modf(i * golden, &whole);

    return (size_t)((double)f->min *
                    pow((double)f->max / (double)f->min, part));
}

/* ---- The folder ---------------------------------------------------------- */

static void remove_folder(const struct files *f)
{
    char path[64];

    for (unsigned i = 0; i < f->count; i++) {
        (void)snprintf(path, sizeof path, "%s/%u", f->folder, i);
        (void)unlink(path); /* or it was not made */
    }
    (void)rmdir(f->folder);
}

/* A process that outlives this one.  0, or -1. */
static int start_remover(struct files *f)
{
    int fds[2];
    char c;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    f->remover = fork();
    if (f->remover == 0) {
        (void)setsid(); /* so that Ctrl-C is none for it */
        for (int fd = 0; fd < 3; fd++)
            (void)close(fd); /* somebody may wait for their end */
        (void)close(fds[1]);
        while (read(fds[0], &c, 1) < 0 && errno == EINTR)
            ;
        remove_folder(f);
        _exit(0);
    }
    (void)close(fds[0]);
    f->end = fds[1];
    if (f->remover > 0)
        return 0;
    (void)close(fds[1]);
    return -1;
}

static int make(const struct files *f, unsigned i)
{
    size_t size = file_size(f, i);
    char path[64];
    int fd, result;

    (void)snprintf(path, sizeof path, "%s/%u", f->folder, i);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    result = write(fd, f->bytes + i, size) == (ssize_t)size ? 0 : -1;
    if (i == f->count - 1 && syncfs(fd) < 0)
        result = -1;
    return close(fd) < 0 ? -1 : result;
}

/* Until they are old: of a file that was written within this second, servers
 * rather say no date. */
static void let_age(void)
{
    static const struct timespec t = { .tv_sec = 2 };

    (void)nanosleep(&t, NULL);
}

int files_open(struct files *f)
{
    size_t size = f->max + f->count;
    uint64_t x = 1;

    f->bytes = malloc(size);
    if (f->bytes == NULL)
        return -1;
    for (size_t i = 0; i < size; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        f->bytes[i] = (char)(x >> 56);
    }
    (void)strcpy(f->folder, "/tmp/corten-files-XXXXXX");
    if (mkdtemp(f->folder) == NULL)
        goto fail_bytes;
    if (start_remover(f) < 0) {
        (void)rmdir(f->folder);
        goto fail_bytes;
    }
    for (unsigned i = 0; i < f->count; i++) {
        if (make(f, i) < 0) {
            files_close(f);
            return -1;
        }
    }
    let_age();
    return 0;

fail_bytes:
    free(f->bytes);
    return -1;
}

void files_close(struct files *f)
{
    int err = errno;

    (void)close(f->end);
    while (waitpid(f->remover, NULL, 0) < 0 && errno == EINTR)
        ;
    free(f->bytes);
    errno = err;
}

/* ---- Answers ------------------------------------------------------------- */

static const char *const fields[] = { "Server",        "Date",
                                      "Content-Type",  "Content-Length",
                                      "Last-Modified", "ETag",
                                      "Accept-Ranges", NULL };

static bool is_named(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

/* Whether each field is there, and no other.  nginx also says that it keeps the
 * connection, which nothing stops it from. */
static bool is_right_head(const char *head, size_t size)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\n";
    const char *line = strchr(head, '\n') + 1;
    unsigned seen = 0, i = 0;

    for (; *line != '\r'; line = strchr(line, '\n') + 1) {
        for (i = 0; fields[i] != NULL && !is_named(line, fields[i]); i++)
            continue;
        if (fields[i] == NULL &&
            strncasecmp(line, "Connection: keep-alive\r", 23) != 0)
            return false;
        if (fields[i] != NULL)
            seen |= 1u << i;
        if (is_named(line, "Content-Length") &&
            strtoull(line + sizeof "Content-Length:", NULL, 10) != size)
            return false;
        if (is_named(line, "Content-Type") &&
            strncmp(line + sizeof "Content-Type:", "application/octet-stream\r",
                    25) != 0)
            return false;
    }
    return strncmp(head, begin, sizeof begin - 1) == 0 &&
           seen == (1u << (sizeof fields / sizeof fields[0] - 1)) - 1;
}

static int wrong(unsigned i, const char *what)
{
    fprintf(stderr, "http: file %u: %s\n", i, what);
    errno = EPROTO;
    return -1;
}

static ssize_t receive(int fd, char *buf, size_t size)
{
    ssize_t n = recv(fd, buf, size, 0);

    if (n == 0)
        errno = ECONNRESET;
    return n > 0 ? n : -1;
}

static int ask(int fd, const struct files *f, unsigned i, char *buf)
{
    const char *body = f->bytes + i;
    size_t size = file_size(f, i), len, have = 0, done;
    char *end;

    len = (size_t)sprintf(buf, "GET /%u HTTP/1.1\r\nHost: bench\r\n\r\n", i);
    if (send(fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
        return -1;
    do {
        ssize_t n = receive(fd, buf + have, BUFFER - have);

        if (n < 0)
            return -1;
        have += (size_t)n;
    } while ((end = memmem(buf, have, "\r\n\r\n", 4)) == NULL && have < BUFFER);
    if (end == NULL)
        return wrong(i, "an endless head");
    end[3] = '\0';
    if (!is_right_head(buf, size))
        return wrong(i, buf);
    done = have - (size_t)(end + 4 - buf);
    if (done > size || memcmp(end + 4, body, done) != 0)
        return wrong(i, "other bytes come");
    for (; done < size; done += have) {
        ssize_t n = receive(fd, buf, BUFFER);

        if (n < 0)
            return -1;
        have = (size_t)n;
        if (have > size - done || memcmp(buf, body + done, have) != 0)
            return wrong(i, "other bytes come");
    }
    return 0;
}

int files_check(const struct files *f, const struct sockaddr_in *addr)
{
    static const struct timeval patience = { .tv_sec = PATIENCE_SECONDS };
    static char buf[BUFFER];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result, err;

    if (fd < 0)
        return -1;
    result =
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (result == 0)
        result = connect(fd, (const struct sockaddr *)addr, sizeof *addr);
    for (unsigned i = 0; result == 0 && i < f->count; i++)
        result = ask(fd, f, i, buf);
    err = errno;
    (void)close(fd);
    errno = err;
    return result;
}
