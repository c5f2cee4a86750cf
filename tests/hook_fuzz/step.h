/* step.h - what the steps of a program do.
 *
 * Each looks for a suitable slot, puts a call together, asks what the kernel
 * would do with it, and makes it, if that is certain; a call that would block
 * is made by one actor, and another resolves it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_STEP_H
#define HOOK_FUZZ_STEP_H

#include "tests/hook_fuzz/world.h"

/* ---- fate.c -----------------------------------------------------------------
 */

enum fate fate_of_read(struct world *w, const struct call *c);
enum fate fate_of_write(struct world *w, const struct call *c);
enum fate fate_of_accept(struct world *w, const struct call *c);

/* Whether it receives until there is as much as it has room for. */
bool wants_all(const struct world *w, const struct call *c);

/* Whether a call on that slot waits as long as it takes. */
bool waits_forever(const struct world *w, int slot, int option);

/* ---- plan.c --------------------------------------------------------------
 */

enum { CALLS_MOST = 4 };

struct plan { /* calls that make another one return */
    struct call calls[CALLS_MOST];
    int count;
};

/* False when there is no such way.  c is the call that blocks, on a slot that
 * is not readable, or not as far as c wants it; how is random. */
bool plan_readable(struct world *w, const struct call *c, uint32_t how,
                   struct plan *plan);
bool plan_writable(struct world *w, const struct call *c, uint32_t how,
                   struct plan *plan);

/* Makes c by an actor that is not 0, and meanwhile what the plan has. */
void do_blocked(struct world *w, const struct step *s, struct call *c,
                struct plan *plan);

/* ---- step_*.c ---------------------------------------------------------------
 */

void step_read(struct world *w, const struct step *s);
void step_write(struct world *w, const struct step *s);
void step_big(struct world *w, const struct step *s);
void step_fill(struct world *w, const struct step *s);
void step_drain(struct world *w, const struct step *s);
void step_crowd(struct world *w, const struct step *s);
void step_copy(struct world *w, const struct step *s);
void step_poll(struct world *w, const struct step *s);
void step_mode(struct world *w, const struct step *s);
void step_option(struct world *w, const struct step *s);
void step_query(struct world *w, const struct step *s);
void step_dup(struct world *w, const struct step *s);
void step_shutdown(struct world *w, const struct step *s);
void step_close(struct world *w, const struct step *s);
void step_connect(struct world *w, const struct step *s);
void step_accept(struct world *w, const struct step *s);

/* ---- run.c ------------------------------------------------------------------
 */

struct run; /* the buffers, used again by each program */

struct run *run_open(void);
void run_close(struct run *r);

/* Runs p, one record a step.  verbose: a descriptor to print to, or -1.
 * Returns how many descriptors it has left open, which is 0. */
int run_program(struct run *r, struct crew *crew, const struct program *p,
                struct record *records, int verbose);

#endif
