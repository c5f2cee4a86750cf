/* syscalls.c - see syscalls.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/load/syscalls.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A tracefs of our own that appears in no directory: where it is not mounted,
 * mounting it would change the machine.  An fd, or -1. */
static int open_tracefs(void)
{
    int root = -1;
    int fs = open("/sys/kernel/tracing", O_PATH | O_CLOEXEC);

    if (fs >= 0 && faccessat(fs, "events", X_OK, 0) == 0)
        return fs;
    if (fs >= 0)
        (void)close(fs);
    fs = fsopen("tracefs", FSOPEN_CLOEXEC);
    if (fs < 0)
        return -1;
    if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        root = fsmount(fs, FSMOUNT_CLOEXEC, 0);
    (void)close(fs);
    return root;
}

/* The tracepoint's number, or -1. */
static int tracepoint_id(void)
{
    char text[32] = "";
    int root = open_tracefs();
    int fd;
    ssize_t n;

    if (root < 0)
        return -1;
    fd = openat(root, "events/raw_syscalls/sys_enter/id", O_RDONLY | O_CLOEXEC);
    (void)close(root);
    if (fd < 0)
        return -1;
    n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    return n > 0 ? atoi(text) : -1;
}

static int count_thread(int tracepoint, pid_t tid)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attr,
        .config = (uint64_t)tracepoint,
        .inherit = 1,
    };

    return (int)syscall(SYS_perf_event_open, &attr, tid, -1, -1,
                        PERF_FLAG_FD_CLOEXEC);
}

/* All threads of one process.  -1 when one cannot be counted. */
static int count_process(struct syscalls *s, int tracepoint, pid_t pid)
{
    struct dirent *entry;
    char path[64];
    DIR *threads;
    int result = 0;

    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    threads = opendir(path);
    if (threads == NULL)
        return -1;
    while (result == 0 && (entry = readdir(threads)) != NULL) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        int fd = tid == 0 ? -1 : count_thread(tracepoint, tid), *more;

        /* A thread that ended meanwhile is no loss. */
        if (fd < 0 && (tid == 0 || errno == ESRCH))
            continue;
        more = realloc(s->fds, (s->count + 1) * sizeof *more);
        if (more != NULL)
            s->fds = more;
        if (fd >= 0 && more != NULL)
            s->fds[s->count++] = fd;
        else
            result = -1;
        if (fd >= 0 && more == NULL)
            (void)close(fd);
    }
    (void)closedir(threads);
    return result;
}

int syscalls_open(struct syscalls *s, const pid_t *pids, unsigned count)
{
    int tracepoint = tracepoint_id();

    s->count = 0;
    s->fds = NULL;
    if (tracepoint < 0)
        return -1;
    for (unsigned i = 0; i < count; i++)
        if (count_process(s, tracepoint, pids[i]) < 0) {
            (void)syscalls_close(s);
            return -1;
        }
    return 0;
}

int64_t syscalls_close(struct syscalls *s)
{
    int64_t total = 0;

    for (unsigned i = 0; i < s->count; i++) {
        uint64_t calls;

        if (read(s->fds[i], &calls, sizeof calls) != sizeof calls)
            total = -1;
        else if (total >= 0)
            total += (int64_t)calls;
        (void)close(s->fds[i]);
    }
    free(s->fds);
    s->fds = NULL;
    s->count = 0;
    return total;
}
