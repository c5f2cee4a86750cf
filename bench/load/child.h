/* child.h - a server as a child process: started on one core, measured from
 * outside, stopped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_CHILD_H
#define BENCH_LOAD_CHILD_H

#include <netinet/in.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    pid_t pid;
    struct sockaddr_in addr; /* where it listens */
};

/* Pins the calling process to one core.  0, or -1. */
int child_pin_self(int core);

/* Runs argv on core and waits until it has printed "listening on ADDR".  It is
 * killed when the caller dies.  0, or -1 with nothing left behind. */
int child_start(struct child *c, char *const argv[], int core);

/* SIGTERM, and SIGKILL when that does not help; reaps it.  -1 when it did not
 * end by itself with status 0.  Harmless when it was never started. */
int child_stop(struct child *c);

/* The processor time of all its threads in ns, exact while it sleeps, or -1. */
int64_t child_cpu(const struct child *c);

/* Its resident memory in bytes, or -1. */
int64_t child_rss(const struct child *c);

#endif
