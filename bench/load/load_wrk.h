/* load_wrk.h - a closed loop of GET /greet/corten, or of files, over many
 * connections, by wrk.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_LOAD_WRK_H
#define BENCH_LOAD_LOAD_WRK_H

#include <netinet/in.h>
#include <stdint.h>

struct wrk {
    const char *script; /* path of wrk.lua */
    unsigned conns;
    unsigned depth; /* requests in flight on each */
    unsigned files; /* how many there are: GET /0, /1, /2 ... in an order that
                       is random, and the same each time; 0: none */
};

struct wrk_result {
    uint64_t requests; /* answered with 200; none in a short run is possible */
    int64_t elapsed;   /* in ns */
    int64_t cpu;       /* that wrk took, in ns */
    double p50_ms;     /* latency; of a batch, if requests are sent in such */
    double p99_ms;
};

/* Runs wrk on one thread, on the core of the caller, for `duration` ns or
 * little more.  -1 with errno: EPROTO when it could not connect or got other
 * answers, or did not say what was expected; it has said why then. */
int wrk_run(const struct wrk *wrk, const struct sockaddr_in *addr,
            int64_t duration, struct wrk_result *result);

#endif
