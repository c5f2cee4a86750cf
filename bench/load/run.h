/* run.h - one run of `load`: what all its connections share.
 *
 * They are coroutines of one scheduler, so nothing here has a lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_RUN_H
#define BENCH_LOAD_RUN_H

#include "bench/load/histogram.h"
#include "bench/load/options.h"
#include "bench/load/wire.h"
#include "co/co.h"

/* How long requests took. */
struct tally {
    struct histogram times;
    int64_t longest;
};

/* What the server cost in the time that was measured; negative: not known. */
struct server_cost {
    double cpu;    /* ns */
    double cores;  /* that it may use */
    double waited; /* ns that it was ready and had none; of one thread only */
    double rss_idle;
    double rss;
    double threads;
    double switches; /* per request, as the next */
    double syscalls;
};

struct run {
    const struct options *options;
    const struct wire *wire;

    /* The time that is measured, and the end of all. */
    int64_t begin; /* of the open loop's plan */
    int64_t from;  /* INT64_MAX: not yet */
    int64_t to;    /* the same */
    int64_t stop;  /* no request that is planned for then, or later */
    bool counting; /* from is over, to is not */

    /* What there was. */
    uint64_t answered; /* requests in all, but those of slow clients */
    uint64_t requests; /* of them while counting */
    uint64_t slow;     /* requests of slow clients */
    struct tally light;
    struct tally heavy;
    struct histogram late; /* how late the load itself was with a request */
    unsigned errors;
    char error[200]; /* the first, in words */

    /* What the load itself cost while counting, in ns. */
    int64_t cpu;
    int64_t spun;     /* of it, doing nothing, see drive.c */
    int64_t waited;   /* ready, but not on a core */
    int64_t gathered; /* as spun, since the start */
    struct server_cost server;

    /* Connections: what they wait for. */
    struct co_group clients;
    struct co_sem opening; /* for those that connect */
    struct co_sem ready;   /* posted by each that has, or failed */
    struct co_sem go;
    struct co_sem all_failed;
    unsigned busy;    /* those that wait for a reply */
    unsigned working; /* those whose requests count, and that have not failed */
    int *idle;        /* descriptors of the silent ones */
    unsigned idle_count;
};

/* Notes that something failed.  what: in words, or NULL for errno. */
void run_fail(struct run *run, const char *who, unsigned number,
              const char *what);

/* One request took from start to now, or was not answered until now. */
static inline void run_note(struct run *run, bool heavy, int64_t start,
                            int64_t now)
{
    struct tally *t = heavy ? &run->heavy : &run->light;

    histogram_add(&t->times, now - start, 1);
    if (now - start > t->longest)
        t->longest = now - start;
}

#endif
