/* options.h - what `load` was asked to do.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_OPTIONS_H
#define BENCH_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct options {
    bool http; /* else echo */
    bool json;
    bool same;               /* http: all requests are for the same name */
    bool no_syscalls;        /* are counted, which takes time of its own */
    struct sockaddr_in addr; /* of the server */
    unsigned conns;
    unsigned addresses; /* that connections come from */
    unsigned size;      /* of an echo message, in bytes */
    unsigned depth;     /* requests that a connection sends at once */
    unsigned churn;     /* requests after which it is a new one; 0: never */
    unsigned slow;      /* further connections, of clients that are slow */
    unsigned idle;      /* and of silent ones */
    double rate;        /* requests/s of the open loop; 0: closed loop */
    int64_t think;      /* in ns, as all times */
    int64_t warmup;
    int64_t duration;
    int64_t timeout;
    double heavy;        /* share of the requests that are heavy */
    uint64_t heavy_step; /* the same in units of 2^-32 */
    pid_t pid;           /* the server's; 0: not known */
};

/* Ends the program, with 2 and a word about it, when they make no sense. */
void options_read(struct options *o, int argc, char **argv);

/* Whether the request of that number is a heavy one: spread evenly over a
 * connection's requests, and not at the same place of each. */
static inline bool options_is_heavy(const struct options *o, uint64_t number)
{
    uint64_t place;

    if (o->heavy_step == 0)
        return false;
    place = number * o->heavy_step + (number >> 40) * 0x9e3779b9;

    return (uint32_t)place < o->heavy_step;
}

#endif
