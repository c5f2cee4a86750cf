/* sched_set.h - all schedulers of the process.
 *
 * Private to co/.  Constant while the runtime is up, but for what is atomic.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SCHED_SET_H
#define CO_SCHED_SET_H

#include "co/core.h"
#include "co/hidden.h"

struct sched_set {
    struct sched *at[SCHED_MAX];
    atomic_uint count; /* only grows while up; 0: not up */
    /* Where a thread has its own; NULL without C++ in the process. */
    struct cxx_globals *(*get_cxx)(void);
    int64_t slack;                /* config.timer_slack */
    bool spin;                    /* there is another core to wait for */
    size_t max;                   /* config.max_coroutines; 0: no limit */
    unsigned forks;               /* how often we were the child of one */
    atomic_ulong living;          /* counted only when there is a limit */
    atomic_ulong spawned_outside; /* by threads that are no scheduler */
    atomic_ulong ids;             /* coroutine ids given out in blocks */
    atomic_bool stopping;         /* cancel all there are and will be */
    atomic_bool quit;             /* the loops return */
    struct co_waitq quiet;        /* who waits until no more than `last` live */
    atomic_ulong last;
};
extern HIDDEN struct sched_set sched_set;

/* Coroutines that were spawned and have not ended.  Exact when it says zero
 * or what `last` says while nobody outside spawns: the ends are summed up
 * first, and spawning comes before ending. */
unsigned long sched_set_living(void);

/* The one with the least to do, a sleeping one if there is.  An embedded one
 * only when there is no other, since its host may not step it for a while.
 * NULL when the runtime is not up. */
struct sched *sched_set_idlest(void);

#endif
