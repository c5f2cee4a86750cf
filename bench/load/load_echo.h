/* load_echo.h - a closed loop of 64-byte echo requests over many connections.
 *
 * Each connection sends `depth` requests at once, waits for all the replies,
 * checks every byte of them, and sends the next.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_LOAD_ECHO_H
#define BENCH_LOAD_LOAD_ECHO_H

#include <netinet/in.h>
#include <stdint.h>

enum { LOAD_MESSAGE = 64, LOAD_DEPTH_MAX = 16 };

struct load;

struct load_result {
    uint64_t requests; /* answered */
    int64_t elapsed;   /* from the first request to the last reply, in ns */
    int64_t cpu;       /* that the load itself took, in ns */
    double p99_us;     /* latency */
};

/* Connects, and returns once the server has accepted all.  NULL with errno. */
struct load *load_open(const struct sockaddr_in *addr, unsigned conns,
                       unsigned depth);

/* Sends for `duration` ns, at least one round, and waits for the replies, so
 * that the server is idle before and after.  -1 with errno: EPROTO for a wrong
 * reply or one too many, ETIMEDOUT when none came for some seconds. */
int load_run(struct load *l, int64_t duration, struct load_result *result);

void load_close(struct load *l); /* NULL is fine */

#endif
