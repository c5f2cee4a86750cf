/* crew.h - the actors of a program: threads, or coroutines.
 *
 * Actor 0 is the caller.  The others make one call at a time, when they are
 * given one; crew_plain.c and crew_co.c differ in what they are.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_CREW_H
#define HOOK_FUZZ_CREW_H

#include "tests/hook_fuzz/call.h"

struct crew;

/* Hands c to that actor, which is idle; crew_finish() waits until it is made.
 */
void crew_start(struct crew *crew, int actor, struct call *c);
void crew_finish(struct crew *crew, int actor);

/* Gives those who were started the time to get as far as they can: how, from 0
 * to 3, says how much. */
void crew_pause(struct crew *crew, unsigned how);

#endif
