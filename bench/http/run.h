/* run.h - one run of a server: started, looked at, asked by wrk, stopped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_HTTP_RUN_H
#define BENCH_HTTP_RUN_H

#include "bench/load/child.h"
#include <stdbool.h>

struct files;

/* Stands in a server's words for the folder of the files. */
#define RUN_FOLDER "FOLDER"

struct server {
    const char *name;
    const char *words[8]; /* the program, from the folder of this one, and its
                             arguments; it says where it listens */
    bool left_out;
};

struct load {
    const char *name;
    unsigned conns;
    unsigned depth;
    const struct files *files; /* that are asked for; NULL: /greet/corten */
};

enum figure {
    CPU_US, /* of a request, all of the server's */
    RPS,
    P50_MS, /* latency */
    P99_MS,
    BUSY,     /* the server's share of its core, in % */
    WRK_BUSY, /* wrk's */
    FIGURES
};

/* Once, first: the folder of this program, and the core of the servers. */
void run_open(const char *dir, int core);

/* -1 when it does not start or answers wrongly, which is said then. */
int run_start(struct child *c, const struct server *server,
              const struct load *load);
/* -1 when it did not end as it should, which is said then. */
int run_stop(struct child *c, const struct server *server);
/* Says that, and errno; -1. */
int run_failed(const struct server *server, const char *what);

/* Until a server has gone to sleep after its last work: a clock that is not
 * running is exact, a running one lags by up to a tick. */
void run_settle(void);

/* A run of a process of its own, which was warmed up.  -1 when it failed, which
 * is said then. */
int run_measure(const struct server *server, const struct load *load,
                int64_t duration, double values[FIGURES]);

/* System calls a request, in a run that counting slows down; below zero when
 * they cannot be counted.  -1 as above. */
int run_count(const struct server *server, const struct load *load,
              int64_t duration, double *calls);

#endif
