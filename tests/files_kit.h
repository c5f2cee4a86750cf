/* files_kit.h - a folder of its own for a test, and what is put into it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FILES_KIT_H
#define TESTS_FILES_KIT_H

#include "tests/test.h"
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static char files_root[64];

__attribute__((unused)) static int files_remove_one(const char *path,
                                                    const struct stat *s,
                                                    int kind, struct FTW *at)
{
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

__attribute__((unused)) static void files_remove(void)
{
    (void)nftw(files_root, files_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Removes all that is in a folder; folders there are empty. */
__attribute__((unused)) static void files_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    struct dirent *e;

    CHECK(dir != NULL);
    while ((e = readdir(dir)) != NULL)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            CHECK(unlinkat(dirfd(dir), e->d_name, 0) == 0 ||
                  unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0);
    CHECK_EQ(closedir(dir), 0);
}

/* Removed when the process ends by itself. */
__attribute__((unused)) static void files_make(void)
{
    strcpy(files_root, "/tmp/corten-files-XXXXXX");
    CHECK(mkdtemp(files_root) != NULL);
    CHECK_EQ(atexit(files_remove), 0);
}

__attribute__((unused)) static const char *file_path(const char *name)
{
    static char path[PATH_MAX];

    CHECK(snprintf(path, sizeof path, "%s/%s", files_root, name) <
          (int)sizeof path);
    return path;
}

/* As old as a file that nobody is at work on. */
__attribute__((unused)) static void file_settle(void)
{
    struct timespec t = { .tv_nsec = 60 * 1000 * 1000 };

    while (nanosleep(&t, &t) < 0)
        CHECK_EQ(errno, EINTR);
}

__attribute__((unused)) static void file_put(const char *name, const void *data,
                                             size_t len)
{
    int fd = open(file_path(name), O_CREAT | O_TRUNC | O_WRONLY, 0644);

    CHECK(fd >= 0);
    CHECK_EQ(write(fd, data, len), (ssize_t)len);
    CHECK_EQ(close(fd), 0);
}

__attribute__((unused)) static void file_text(const char *name,
                                              const char *text)
{
    file_put(name, text, strlen(text));
}

/* Another file under an old name, at one moment. */
__attribute__((unused)) static void file_replace(const char *name,
                                                 const char *text)
{
    char temporary[PATH_MAX];

    file_text("corten-new", text);
    (void)strcpy(temporary, file_path("corten-new"));
    CHECK_EQ(rename(temporary, file_path(name)), 0);
}

/* As if it had been written long ago: HTTP has dates for it. */
__attribute__((unused)) static void file_age(const char *name)
{
    static const struct timespec times[2] = { { .tv_sec = 1500000000 },
                                              { .tv_sec = 1500000000 } };

    CHECK_EQ(utimensat(AT_FDCWD, file_path(name), times, 0), 0);
}

/* Bytes that say where they are. */
__attribute__((unused)) static char file_byte(size_t i)
{
    return (char)('a' + (i * 7 + i / 1000) % 26);
}

__attribute__((unused)) static void file_large(const char *name, size_t len)
{
    char *data = malloc(len);

    CHECK(data != NULL);
    for (size_t i = 0; i < len; i++)
        data[i] = file_byte(i);
    file_put(name, data, len);
    free(data);
}

/* Whether openat2(2) is there, which is what follows links: not before Linux
 * 5.6, and not under a valgrind that is older than it. */
__attribute__((unused)) static bool links_followed(void)
{
    errno = 0;
    (void)syscall(SYS_openat2, -1, "", NULL, 0);
    return errno != ENOSYS && errno != EPERM;
}

/* Bytes that compress, but not at once. */
__attribute__((unused)) static void file_packable(const char *name, size_t len)
{
    char *data = malloc(len);
    unsigned seed = 1;

    CHECK(data != NULL);
    for (size_t i = 0; i < len; i++)
        data[i] = "abcdefgh\n"[rand_r(&seed) % 9];
    file_put(name, data, len);
    free(data);
}

/* Descriptors that are open. */
__attribute__((unused)) static int fds_open(void)
{
    int n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

#endif
