/* syscalls.h - how many system calls processes make, as the kernel counts.
 *
 * The count is the tracepoint at the entry of every system call.  It slows them
 * down while it is open, so nothing else is measured then.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_SYSCALLS_H
#define BENCH_LOAD_SYSCALLS_H

#include <stdint.h>
#include <sys/types.h>

struct syscalls {
    unsigned count;
    int *fds; /* a counter for each thread */
};

/* Counts from now on for all threads of those processes, and those they start.
 * 0, or -1 with nothing open where the kernel does not offer it, or not to this
 * user, or there are not that many descriptors. */
int syscalls_open(struct syscalls *s, const pid_t *pids, unsigned count);

/* Calls since it was opened, or -1; closes it. */
int64_t syscalls_close(struct syscalls *s);

#endif
