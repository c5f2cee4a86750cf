/* account.h - what a server's processes cost, looked at from outside.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_ACCOUNT_H
#define BENCH_LOAD_ACCOUNT_H

#include <stdint.h>
#include <sys/types.h>

enum { ACCOUNT_PROCESSES = 4096 };

/* A process and all that descend from it. */
struct account {
    unsigned count;
    pid_t pids[ACCOUNT_PROCESSES];
};

/* Sums over them; negative: not to be had. */
struct account_look {
    double rss; /* bytes; what several share is counted once */
    double threads;
    double switches; /* of the threads that live now, since they started */
};

/* Finds them.  0, or -1 with errno: ESRCH for no such process, E2BIG for more
 * of them than are looked at. */
int account_open(struct account *a, pid_t pid);

/* Takes a file in /proc for each thread. */
void account_look(const struct account *a, struct account_look *look);

/* Processor time so far in ns, to a tick of those that run, or -1. */
double account_cpu(const struct account *a);

/* How long it was ready and had no core, in ns, if it is one thread; else 0. */
double account_waited(const struct account *a, double threads);

/* How many cores it may use. */
double account_cores(const struct account *a);

/* This thread's two times. */
int64_t account_self_cpu(void);
int64_t account_self_waited(void);

#endif
