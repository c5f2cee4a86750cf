/* syscalls.h - how many system calls a process makes, as the kernel counts.
 *
 * The count is the tracepoint at the entry of every system call.  It slows the
 * process down while it is open, so nothing else is measured then.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_SYSCALLS_H
#define BENCH_LOAD_SYSCALLS_H

#include <stdint.h>
#include <sys/types.h>

enum { SYSCALLS_THREADS = 64 };

struct syscalls {
    int count;
    int fds[SYSCALLS_THREADS]; /* a counter for each thread */
};

/* Counts from now on for all threads of pid, and those they start.  0, or -1
 * where the kernel does not offer it or not to this user. */
int syscalls_open(struct syscalls *s, pid_t pid);

/* Calls since it was opened, or -1; closes it. */
int64_t syscalls_close(struct syscalls *s);

#endif
