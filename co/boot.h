/* boot.h - the runtime's parts, started and stopped.
 *
 * Private to co/.  runtime.c and embed.c are the two ways to own a runtime;
 * this is what they share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_BOOT_H
#define CO_BOOT_H

#include "co/hidden.h"
#include "co/sched.h"
#include <pthread.h>

struct boot {
    pthread_mutex_t lock; /* of start and stop; held by who calls these */
    bool up;
    bool closing;      /* somebody is in co_shutdown() */
    bool by_root;      /* co_run() owns it */
    bool by_host;      /* the last embedded scheduler takes it down */
    unsigned hosts;    /* embedded schedulers that are open */
    bool pin, sigsegv; /* of the config */
    unsigned threads;  /* how many were made */
    pthread_t *thread;
    _Atomic(struct co *) root; /* of co_run() */
    atomic_int root_users;     /* in co_stop() now */
};
extern HIDDEN struct boot boot;

/* count schedulers, the first perhaps embedded, but no thread.  -1 with errno,
 * and nothing is left. */
int boot_open(unsigned count, bool hosted, const struct co_config *c);

/* Frees all, and nothing is up; or, while an embedded scheduler is open, leaves
 * that to it.  The threads have ended. */
void boot_close(void);

/* One more scheduler, or NULL with errno. */
struct sched *boot_add(bool hosted);

/* Threads for schedulers first and above.  -1 with errno: boot_stop_threads()
 * ends those that were made. */
int boot_start_threads(unsigned first);
void boot_stop_threads(void);

/* The calling thread is s until sched_set.quit. */
void boot_run_here(struct sched *s);

/* Has all schedulers look round. */
void boot_nudge_all(void);

/* Cancels all coroutines and waits until no more than `last` live.  0, or -1
 * ETIMEDOUT. */
int boot_wait_quiet(unsigned long last, int64_t deadline);

/* How long to wait for what was cancelled. */
int64_t boot_grace(const struct co_config *c);

#endif
