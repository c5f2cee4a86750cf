/* link.h - a connection of `load`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_LOAD_LINK_H
#define BENCH_LOAD_LINK_H

#include "bench/load/run.h"

struct link {
    struct run *run;
    unsigned index;     /* no two have the same */
    int fd;             /* -1: not connected */
    unsigned served;    /* requests since it connected */
    const char *why;    /* what failed last, in words; NULL: see errno */
    struct round round; /* the one under way */
};

/* Connects.  0, or -1. */
int link_open(struct link *l, int64_t deadline);

/* The next count requests at once, and all of their replies, which count as
 * having been asked for at `start`.  When the last came, or -1. */
int64_t link_exchange(struct link *l, unsigned count, int64_t start,
                      int64_t now);

/* The same for one request, a byte at a time, and not counted; 0 or -1. */
int link_exchange_slowly(struct link *l);

/* Closes it, if it is open.  -1 when something was behind the last reply. */
int link_close(struct link *l);

/* Frees what it had. */
void link_free(struct link *l);

#endif
