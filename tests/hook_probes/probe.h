/* probe.h - what a probe of the conformance suite is made of.
 *
 * A probe is a function that calls libc and writes down, line by line, what the
 * calls returned.  It knows neither hooks nor coroutines: the program that it
 * is linked into decides whether it and its actors are threads or coroutines,
 * and the lines must be the same.  Each probe runs in a process of its own, so
 * signals, numbers of descriptors and what is left open concern nobody else.
 *
 * Times are written down only as "at least": PAUSE_MS is what one has to wait
 * for another wherever the point is that somebody waits.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_HOOK_PROBES_PROBE_H
#define TESTS_HOOK_PROBES_PROBE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAUSE_MS = 200 };

struct probe {
    const char *name;
    const char *what; /* it shows, in words */
    const char *file; /* where it stands: the order in which they are listed */
    int line;
    int waits_ms;         /* the least time that it waits */
    const char *on_hooks; /* NULL, or the lines under the hooks, where they are
                             another's on purpose */
    void (*fn)(void);
    struct probe *next;
};

void probe_add(struct probe *p);

/* Defines a probe; its body follows.  waits_ms is checked, and while it passes
 * the scheduler must go on.  PROBE_DIFFERS is for what the hooks do otherwise
 * on purpose, and tells the lines. */
#define PROBE(name, waits_ms, what) PROBE_DIFFERS(name, waits_ms, what, NULL)
#define PROBE_DIFFERS(name, waits_ms, what, on_hooks)                          \
    static void probe_##name(void);                                            \
    __attribute__((constructor)) static void probe_add_##name(void)            \
    {                                                                          \
        static struct probe p = { #name,    what,     __FILE__,     __LINE__,  \
                                  waits_ms, on_hooks, probe_##name, NULL };    \
        probe_add(&p);                                                         \
    }                                                                          \
    static void probe_##name(void)

/* Makes the call and writes it down with its result, and errno when that is
 * negative.  Its value is the result. */
#define TRY(call) probe_try(#call, (errno = 0, (long)(call)))
/* The same for what says all with its result. */
#define SHOW(value) probe_show(#value, (long)(value))

long probe_try(const char *call, long result);
long probe_show(const char *what, long value);
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_bytes(const char *buf, long n); /* n may be -1 */

/* What a probe needs but is not about. */
#define NEED(cond)                                                             \
    do {                                                                       \
        if (!(cond))                                                           \
            probe_broken(#cond, __FILE__, __LINE__);                           \
    } while (0)
void probe_broken(const char *cond, const char *file, int line)
    __attribute__((noreturn));
/* This system lacks what the probe is about. */
void probe_skip(const char *why) __attribute__((noreturn));

/* Somebody else, who runs fn(arg) at the same time.  actors_join() waits for
 * all; it also happens at the probe's end. */
void actor_start(void (*fn)(void *arg), void *arg);
void actors_join(void);

void pause_ms(int ms);
int64_t now_ms(void);

#endif
