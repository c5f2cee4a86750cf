/* http_folder.c - reads a folder.
 *
 * What a name stands for is asked for one by one; names that are gone by then
 * are left out.  Symbolic links are followed as far as they stay below this
 * folder: what is elsewhere may be nobody's business.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_folder.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_served(const char *name, bool dotfiles)
{
    if (strlen(name) > HTTP_NAME_MAX)
        return false;
    if (*name != '.')
        return true;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    return dotfiles || strcmp(name, ".well-known") == 0;
}

static int make_room(struct http_folder *f)
{
    size_t room = f->room == 0 ? 64 : 2 * f->room;
    struct http_name **names;

    if (f->count < f->room)
        return 0;
    names = realloc(f->names, room * sizeof(*names));
    if (names == NULL)
        return -1;
    f->names = names;
    f->room = room;
    return 0;
}

/* What the link leads to, if that is below the folder fd. */
static void follow(int fd, const char *name, struct stat *st)
{
    struct open_how how = {
        .flags = O_PATH | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int to = (int)syscall(SYS_openat2, fd, name, &how, sizeof how);

    if (to < 0)
        return;
    if (fstat(to, st) < 0)
        st->st_mode = 0;
    (void)close(to); /* nothing was written */
}

static int add(struct http_folder *f, int fd, const char *name)
{
    size_t size = strlen(name) + 1;
    struct http_name *n;
    struct stat st;

    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT)
            return 0;
        st.st_mode = 0; /* there, and nothing else is to be known */
    }
    if (S_ISLNK(st.st_mode))
        follow(fd, name, &st);
    if (make_room(f) < 0)
        return -1;
    n = malloc(sizeof *n + size);
    if (n == NULL)
        return -1;
    n->is_folder = S_ISDIR(st.st_mode);
    n->is_file = S_ISREG(st.st_mode);
    n->size = n->is_file ? st.st_size : 0;
    n->mtime = n->is_file || n->is_folder ? st.st_mtime : 0;
    memcpy(n->name, name, size);
    f->names[f->count++] = n;
    f->bytes += sizeof n + sizeof *n + size;
    f->folders += n->is_folder;
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct http_name *m = *(struct http_name *const *)a;
    const struct http_name *n = *(struct http_name *const *)b;

    if (m->is_folder != n->is_folder)
        return m->is_folder ? -1 : 1;
    return strcmp(m->name, n->name);
}

int http_folder_read(struct http_folder *f, int fd, bool dotfiles)
{
    DIR *dir = fdopendir(fd);
    struct dirent *entry;
    int err;

    if (dir == NULL) {
        err = errno;
        (void)close(fd); /* it was only read */
        errno = err;
        return -1;
    }
    while (errno = 0, (entry = readdir(dir)) != NULL)
        if (is_served(entry->d_name, dotfiles) && add(f, fd, entry->d_name) < 0)
            break;
    err = errno;
    (void)closedir(dir);
    if (err != 0) {
        http_folder_free(f);
        errno = err;
        return -1;
    }
    if (f->count > 0)
        qsort(f->names, f->count, sizeof(*f->names), compare);
    return 0;
}

void http_folder_free(struct http_folder *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->names[i]);
    free(f->names);
    *f = (struct http_folder){ 0 };
}
