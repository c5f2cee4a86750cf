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

/* Runs those probes whose names contain only (NULL: all), jobs at a time. */
void probes_run(const struct probe_mode *mode, const char *only, unsigned jobs,
                int limit_ms, struct probe_result *results);

/* Results as text, and back. */
void probes_print(const struct probe_result *results);
int probes_parse(void *stream, struct probe_result *results);
const char *probe_end_name(enum probe_end end);

/* The table of all probes, in Markdown: what they show, and where coroutines
 * see something else than plain threads.  To be freed; NULL without memory. */
char *probes_table(const struct probe_result *plain,
                   const struct probe_result *coroutines);

#endif
