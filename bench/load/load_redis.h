/* load_redis.h - a Redis of the benchmark's own, and redis-benchmark.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_LOAD_REDIS_H
#define BENCH_LOAD_LOAD_REDIS_H

#include "bench/load/child.h"

/* Starts redis-server on core, as a user without rights when root asks, at a
 * port of 127.0.0.1 that is free; it keeps nothing.  It ends with child_stop(),
 * and is killed when the caller dies.  0, or -1 with nothing left behind;
 * ENOENT: it is not installed. */
int redis_start(struct child *c, int core);

struct redis_load {
    long commands;
    unsigned depth; /* commands in flight, on one connection */
    const char *verb, *key;
};

struct redis_result {
    double qps;  /* as redis-benchmark counts */
    int64_t cpu; /* that it took, in ns, its start included */
};

/* Runs redis-benchmark on the core of the caller.  0, or -1 with errno: EPROTO
 * when it said something else than expected. */
int redis_load_run(const struct redis_load *load, const struct child *server,
                   struct redis_result *result);

#endif
