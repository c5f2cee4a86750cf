/* mode.h - how probes are run: what the programs of the suite share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HOOK_PROBES_MODE_H
#define TESTS_HOOK_PROBES_MODE_H

#include "tests/hook_probes/probe.h"

enum { PROBE_TEXT = 8192, PROBES_MAX = 400, ACTORS_MAX = 64 };

/* Threads, or coroutines. */
struct probe_mode {
    const char *name;
    /* Calls fn(p), which starts actors, in the way of this mode. */
    void (*enter)(void (*fn)(const struct probe *p), const struct probe *p);
    void *(*start)(void (*fn)(void *arg), void *arg);
    void (*join)(void *actor);
};
extern const struct probe_mode probe_threads;
extern const struct probe_mode probe_coroutines; /* not in a plain program */

enum probe_end { END_NONE, END_OK, END_HANG, END_DIED, END_BROKEN, END_SKIP };

/* What came of a probe; shared with the process that runs it. */
struct probe_result {
    enum probe_end end;
    int status;     /* END_DIED: as waitpid() has it */
    int64_t gap_us; /* coroutines: the ticker's longest */
    size_t len;
    char text[PROBE_TEXT]; /* lines; a string */
};

size_t probe_count(void);
const struct probe *probe_at(size_t i); /* in order of file and line */
const char *probe_subject(const struct probe *p, char *place, size_t size);

/* The running probe's own. */
extern struct probe_result *probe_here;

/* Room for a result of each probe. */
struct probe_result *probe_results(void);

/* Runs those probes that are chosen, one bool each (NULL: all), jobs at a time.
 * The results of the others stay. */
void probes_run(const struct probe_mode *mode, const bool *chosen,
                unsigned jobs, int limit_ms, struct probe_result *results);
/* To choose those whose names contain part; NULL when part is. */
const bool *probes_named(const char *part);

/* Whether probe i, which has run as coroutines, took the thread while it
 * waited.  As that may also be the machine's doing, it runs again, alone. */
bool probe_stalls(size_t i, int limit_ms, struct probe_result *results);

/* Results as text, and back. */
void probes_print(const struct probe_result *results);
int probes_parse(void *stream, struct probe_result *results);
const char *probe_end_name(enum probe_end end);

/* The table of all probes, in Markdown: what they show, and where coroutines
 * see something else than plain threads.  To be freed; NULL without memory. */
char *probes_table(const struct probe_result *plain,
                   const struct probe_result *coroutines);

#endif
