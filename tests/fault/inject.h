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
#define COUNTED(name, why)
#define NEVER(name, why)
#include "tests/fault/calls.def"
#undef FAILS
#undef SPLIT
#undef PART
#undef COUNTED
#undef NEVER
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

struct inject_site { /* in memory that all processes of the test share */
    _Atomic(uintptr_t) caller;
    atomic_int call; /* + 1 */
    atomic_long reached, injected;
};
enum { INJECT_SITES = 4096 };

struct inject_shared {
    struct inject_site site[INJECT_SITES];
    _Atomic(struct inject_site *) last; /* that was made to fail */
    atomic_int last_errno;
    atomic_long last_n;
    atomic_int scenario_line;
};
extern struct inject_shared *inject_shared;

void inject_open(void);
void inject_arm(long n, int variant);
void inject_disarm(void);

extern const char *const inject_names[INJECT_CALLS];
extern const int inject_variants[INJECT_CALLS]; /* how many errnos */

struct scenario {
    const char *name;
    void (*fn)(void);
    bool fresh; /* each failure in a process of its own: what is made once */
};
extern const struct scenario scenarios_runtime[], scenarios_wait[],
    scenarios_io[], scenarios_net[], scenarios_embed[];

/* Prints the sites; false when something is missing. */
bool report(bool all_injected);
void report_place(uintptr_t caller);

#endif
