/* http_process.c - what the kernel says of this process, out of /proc.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/http_process.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the file says, up to size - 1 bytes; "" when it cannot be read. */
static const char *read_file(const char *name, char *buf, size_t size)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    size_t len = 0;
    ssize_t n = 0;

    if (fd >= 0) {
        while (len < size - 1 &&
               ((n = read(fd, buf + len, size - 1 - len)) > 0 ||
                (n < 0 && errno == EINTR)))
            len += n > 0 ? (size_t)n : 0;
        (void)close(fd);
    }
    buf[len] = '\0';
    return buf;
}

static void look_at_memory(struct http_process *p)
{
    char buf[256];
    int64_t page = sysconf(_SC_PAGESIZE);

    if (sscanf(read_file("/proc/self/statm", buf, sizeof buf),
               "%" SCNd64 " %" SCNd64, &p->virtual, &p->resident) != 2)
        return;
    p->virtual *= page;
    p->resident *= page;
}

/* When the machine was started, in seconds since 1970; it stands behind lines
 * that are long where there are many CPUs. */
static double boot_time(void)
{
    char line[128];
    long long t = -1;
    FILE *f = fopen("/proc/stat", "re");

    if (f == NULL)
        return -1;
    while (t < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "btime %lld", &t) != 1)
            t = -1;
    (void)fclose(f);
    return (double)t;
}

/* The 22nd field; the second is a name in brackets that may hold anything. */
static void look_at_start(struct http_process *p)
{
    char buf[1024];
    const char *at =
        strrchr(read_file("/proc/self/stat", buf, sizeof buf), ')');
    double boot = boot_time();

    for (int i = 2; i < 22 && at != NULL; i++)
        at = strchr(at + 1, ' ');
    if (at != NULL && boot >= 0)
        p->start =
            boot + (double)strtol(at, NULL, 10) / (double)sysconf(_SC_CLK_TCK);
}

/* The kernel tells how many there are since Linux 6.2; before, they are counted
 * one by one, without the one that does it. */
static int64_t count_fds(void)
{
    struct stat st;
    int64_t count = -1;
    DIR *dir;

    if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
        return st.st_size;
    dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return -1;
    for (struct dirent *e; (e = readdir(dir)) != NULL;)
        count += e->d_name[0] != '.';
    (void)closedir(dir);
    return count;
}

void http_process_look(struct http_process *p)
{
    struct rusage use;
    struct rlimit limit;

    *p = (struct http_process){ -1, -1, -1, -1, -1, -1 };
    if (getrusage(RUSAGE_SELF, &use) == 0)
        p->cpu = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
                 (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        p->fds_max = (int64_t)limit.rlim_cur;
    look_at_memory(p);
    look_at_start(p);
    p->fds = count_fds();
}
