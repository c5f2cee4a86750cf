/* inject.h - makes the nth call of the library fail.
 *
 * A scenario is a function that uses the library as a program does.  The runner
 * (main.c) calls it again and again, each time with the next one of its calls
 * made to fail, until a run has no failure; for each errno that calls.def gives
 * a call.  What a scenario may rely on: it runs on a thread of its own, that
 * ends with it; whatever of the library's memory, mappings, descriptors and
 * threads is left then is a leak.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FAULT_INJECT_H
#define TESTS_FAULT_INJECT_H

#include "tests/test.h"
#include <netdb.h>
#include <stdatomic.h>
#include <stdint.h>

enum inject_call {
#define FAILS(name, ...) CALL_##name,
#define SPLIT(name) CALL_##name,
#define PART(name, part, ...) CALL_##name##_##part,
#include "tests/fault/calls.def"
    INJECT_CALLS
};

/* ---- For scenarios --------------------------------------------------------
 */

/* Calls are neither counted nor made to fail while it is off; it is on when a
 * scenario begins. */
void inject_off(void);
void inject_on(void);

/* Whether a call of this run has been made to fail. */
bool inject_fired(void);
bool inject_fired_in(enum inject_call call);

/* Whether files without a name cannot be made. */
extern bool inject_no_tmpfile;

/* A call has been made to fail, in a child. */
void inject_fire(void);

/* Whether a call did what it is for.  If not, one of its calls must have been
 * made to fail, and errno must be that one's, or one of the others: a list that
 * 0 ends. */
bool inject_went(const char *file, int line, bool went, const int *others);
#define WENT(went, ...)                                                        \
    inject_went(__FILE__, __LINE__, (went), (const int[]){ __VA_ARGS__ 0 })

/* ---- For the functions that stand in for libc's ---------------------------
 */

/* True, with errno set, when this call is the one to fail. */
bool inject_hit(enum inject_call call, const void *caller);
#define HIT(call) inject_hit(CALL_##call, __builtin_return_address(0))

extern atomic_long inject_blocks; /* allocated and not freed */
extern atomic_long inject_mapped; /* bytes */

/* ---- For the runner and the report ----------------------------------------
 */

enum { INJECT_SITES = 1024, INJECT_VARIANTS = 8 };

struct inject_site { /* a place that calls something */
    _Atomic(uintptr_t) caller;
    atomic_int call; /* + 1; 0: an unused entry */
    atomic_long reached, failed[INJECT_VARIANTS];
    atomic_bool armed;   /* reached when it could have failed: the first time */
    atomic_long first_n; /* in the run in which this one failed, */
    atomic_int first_variant; /* with this errno */
};

struct inject_log { /* of a scenario; in memory that processes share */
    struct inject_site site[INJECT_SITES];
    _Atomic(struct inject_site *) failed[2]; /* in this run, in this order */
    atomic_int failed_as[2];
    atomic_long n;
    atomic_int line; /* of the last WENT() */
};
extern struct inject_log *inject_log; /* of the scenario that runs */

struct inject_plan {          /* zero: nothing fails */
    long n;                   /* the how many-th call fails */
    int variant;              /* with which of its errnos */
    int only;                 /* + 1: count calls of this one alone */
    struct inject_site *also; /* its first call fails, too */
    int also_variant;
};

struct inject_log *inject_log_new(void);
void inject_arm(const struct inject_plan *plan);
void inject_disarm(void);
bool inject_fired_at(const struct inject_site *s);

extern const char *const inject_names[INJECT_CALLS];
extern const int inject_variants[INJECT_CALLS]; /* how many errnos */

struct scenario {
    const char *name;
    void (*fn)(void);
    int how;
};
/* A call that is made once a process: it alone fails, each time in a process of
 * its own.  PLACES_ALONE: one failure a place is enough. */
#define FIRST(call) (CALL_##call + 1)
#define PLACES_ALONE (-1)
extern const struct scenario scenarios_runtime[], scenarios_wait[],
    scenarios_io[], scenarios_ready[], scenarios_net[], scenarios_embed[],
    scenarios_inside[], scenarios_http[], scenarios_files[], scenarios_forms[],
    scenarios_serving[];

/* Prints the places that the logs know; false when something is missing. */
bool report(struct inject_log **logs, int count, bool all_failed);
void report_place(uintptr_t caller);

#endif
