/* switch.h - the back ends that are measured beside the configured one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SWITCH_SWITCH_H
#define BENCH_SWITCH_SWITCH_H

enum { RING_ROOM = 2048 }; /* at the top of a stack, for the largest context */

struct ring;

/* Each makes a ring of contexts, and does n switches in one. */
struct ring *ring_of_ucontext(unsigned count);
void ring_turn_ucontext(struct ring *ring, long n);
struct ring *ring_of_swapcontext(unsigned count);
void ring_turn_swapcontext(struct ring *ring, long n);

/* A function that does nothing, where the compiler does not see it. */
void switch_callee(void *arg);

#endif
