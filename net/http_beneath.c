/* http_beneath.c - see http_beneath.h.
 *
 * The kernel holds the walk below the root.  Where it cannot, the walk is made
 * here, a name at a time, and stops at symbolic links.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_beneath.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    /* Opening a pipe does not wait then, nor does a terminal become ours. */
    FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
    TRIES = 8 /* while folders on the way are renamed */
};

static int by_kernel(int root, const char *name, int flags)
{
    struct open_how how = {
        .flags = (unsigned)(FLAGS | flags),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    int fd = -1;

    errno = EAGAIN;
    for (int i = 0; i < TRIES && fd < 0 && (errno == EAGAIN || errno == EINTR);
         i++)
        fd = (int)syscall(SYS_openat2, root, name, &how, sizeof how);
    return fd;
}

static int by_hand(int root, const char *name, int flags)
{
    char part[256];
    int at = root, fd;

    if (*name == '/') {
        errno = EXDEV;
        return -1;
    }
    for (;;) {
        const char *end = strchrnul(name, '/');
        size_t len = (size_t)(end - name);
        int how =
            *end == '/' ? O_PATH | O_DIRECTORY | O_CLOEXEC : FLAGS | flags;

        fd = -1;
        errno = ENAMETOOLONG;
        if (len < sizeof part) {
            memcpy(part, name, len);
            part[len] = '\0';
            if (strcmp(part, "..") == 0)
                errno = EXDEV;
            else
                fd = openat(at, len == 0 ? "." : part, how | O_NOFOLLOW);
        }
        if (at != root) {
            int err = errno;

            (void)close(at);
            errno = err;
        }
        if (fd < 0 || *end == '\0')
            return fd;
        at = fd;
        name = end + 1;
    }
}

int http_beneath(int root, const char *name, int flags)
{
    int fd = by_kernel(root, name, flags);

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = by_hand(root, name, flags);
    if (fd < 0 && (errno == EXDEV || errno == ELOOP || errno == ENOTDIR ||
                   errno == ENAMETOOLONG || errno == ENXIO || errno == ENODEV))
        errno = ENOENT;
    return fd;
}
