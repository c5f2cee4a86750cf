/* guard.c - the part of a stack's address space that faults.
 *
 * A guard that is not there is worse than none promised, so MADV_GUARD_INSTALL
 * is believed only after it was seen to work: emulators answer every advice
 * they do not know with success.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/guard.h"

#include "co/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since Linux 6.13; the headers of older distributions lack it. */
enum { GUARD_INSTALL = 102 };

static bool can_install;
static long split;     /* guards made by mprotect(2) */
static long map_limit; /* vm.max_map_count when last looked at; 0: not yet */

long guard_map_limit(void)
{
    char text[32];
    ssize_t n;
    int fd = sys.open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    n = sys.read(fd, text, sizeof(text) - 1);
    (void)sys.close(fd); /* it was only read */
    if (n <= 0)
        return 0;
    text[n] = 0;
    return strtol(text, NULL, 10);
}

/* Does the kernel refuse to write where a guard was installed?  uname(2)
 * because it changes nothing, and because valgrind leaves the write to the
 * kernel. */
static bool guard_works(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bool works = false;
    void *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return false;
    (void)munlock(p, page); /* fails only where it was not locked anyway */
    if (madvise(p, page, GUARD_INSTALL) == 0)
        works = syscall(SYS_uname, p) < 0 && errno == EFAULT;
    (void)munmap(p, page);
    return works;
}

void guard_setup(void)
{
    const char *wish = getenv("CO_GUARD");

    can_install =
        (wish == NULL || strcmp(wish, "mprotect") != 0) && guard_works();
}

/* Leaves one mapping in 64 to the rest of the process, which must go on when
 * there is no further stack: threads and large blocks of malloc() need them. */
static bool may_split(void)
{
    if (2 * split < map_limit - map_limit / 64)
        return true;
    map_limit = guard_map_limit();
    if (map_limit == 0)
        map_limit = LONG_MAX; /* no /proc: the kernel will say */
    return 2 * split < map_limit - map_limit / 64;
}

int guard_add(char *low, size_t bytes)
{
    if (can_install && madvise(low, bytes, GUARD_INSTALL) == 0)
        return 0;
    /* EINVAL is what locked memory answers. */
    if (can_install && errno != EINVAL)
        return -1;
    if (!may_split()) {
        errno = ENOMEM;
        return -1;
    }
    if (mprotect(low, bytes, PROT_NONE) < 0)
        return -1;
    split++;
    return 0;
}
