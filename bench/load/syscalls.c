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

int syscalls_open(struct syscalls *s, pid_t pid)
{
    int tracepoint = tracepoint_id();
    struct dirent *entry;
    char path[64];
    DIR *threads;

    s->count = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    threads = tracepoint < 0 ? NULL : opendir(path);
    if (threads == NULL)
        return -1;
    while ((entry = readdir(threads)) != NULL && s->count < SYSCALLS_THREADS) {
        pid_t tid = (pid_t)atoi(entry->d_name);
        int fd = tid == 0 ? -1 : count_thread(tracepoint, tid);

        /* A thread that ended meanwhile is no loss. */
        if (fd >= 0)
            s->fds[s->count++] = fd;
    }
    (void)closedir(threads);
    return s->count > 0 ? 0 : -1;
}

int64_t syscalls_close(struct syscalls *s)
{
    int64_t total = 0;
    int i;

    for (i = 0; i < s->count; i++) {
        uint64_t calls;

        if (read(s->fds[i], &calls, sizeof calls) != sizeof calls)
            total = -1;
        else if (total >= 0)
            total += (int64_t)calls;
        (void)close(s->fds[i]);
    }
    s->count = 0;
    return total;
}
