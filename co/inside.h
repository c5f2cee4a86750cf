/* inside.h - what all coroutines are doing, and what has been done. Conventions
 * as in co/co.h.
 *
 * Each scheduler tells of its own coroutines between two turns of its loop.  Of
 * one that does not turn for 100 ms, since some handler keeps its thread, it is
 * said which, and its coroutines are described as they look from outside.
 * co_config.dump_signal prints the same, also while all of them are stuck.
 *
 * Backtraces go by frame pointers (-fno-omit-frame-pointer), to a depth of 8;
 * they have functions and lines where libdw.so.1 (elfutils) can be loaded,
 * which a program linked with -static cannot: it shows addresses, for
 * addr2line. Times are those of the last look at the clock, once a turn or
 * every few.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_INSIDE_H
#define CO_INSIDE_H

#include "co/co.h"

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

struct co_stats {          /* public; totals since the start */
    uint64_t spawned;      /* coroutines that came to live here */
    uint64_t ended;        /* and ended */
    uint64_t living;       /* the difference */
    uint64_t ready;        /* of them, about, wait for their turn now */
    uint64_t ready_max;    /* the most that did */
    uint64_t switches;     /* to a coroutine */
    uint64_t polls;        /* questions to the kernel what is ready */
    uint64_t fd_events;    /* and what it said */
    uint64_t timers;       /* deadlines that came */
    uint64_t remote_wakes; /* spawns, wakes, cancels that other threads sent */
    uint64_t stack_bytes;  /* address space of the stacks of all schedulers */
};

/* Of one scheduler, as of its last turn of the loop; of all together for NULL:
 * sums, and the largest ready_max.  Zeros when the runtime is not up.  [any] */
void co_stats(struct co_sched *s, struct co_stats *out);

/* Writes to fd a line for each coroutine: what it waits for and for how long,
 * where, on which stack, until when.  0, or -1 with ENOMEM, EAGAIN (no thread
 * could be made to do it), or what co_write() says.  [waits] */
int co_dump(int fd);

/* The same as JSON, an object in each line.  First one for each scheduler:
 * "scheduler" (its number), "stuck", "silent_ns" since it last came by, and
 * "stats", as struct co_stats.  Then one for each coroutine:
 *
 *     id, name        scheduler       its number
 *     state           "running", "ready" or "waiting"; only of the last:
 *       wait          kind ("fd", "sleep", "mutex" ...), object (its address),
 *                     and by kind: fd, what, listens, local, peer; count,
 *                     capacity, closed; cases, fds; running; of, owner
 *       waited_ns     left_ns         until its deadline, if it has one
 *     call            the blocking call of corten, or null
 *     frames          of the callers, from the inside: function or null, file,
 *                     line, module, offset
 *     spawned         file, line
 *     stack           size, depth, touched: bytes
 *     cancelled       held            by co_hold_cancel()
 *
 * Fields may be added.  [waits] */
int co_dump_json(int fd);

/* The same by where they wait, the most first:
 *
 *     9,998 in net_read < echo.c:21, the longest for 58.1 s (id 17: read fd 9
 *     (tcp 127.0.0.1:7000 peer 127.0.0.1:40404))
 *
 * in one line.  [waits] */
int co_dump_grouped(int fd);

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop

#endif
