/* ucontext.c - the portable back end once more, under other names, beside the
 * one that the library was configured with.
 *
 * SPDX-License-Identifier: MIT
 */
#define context portable
#define context_enter portable_enter
#define context_first portable_first
#define context_make portable_make
#define context_reset_fp portable_reset_fp
#define context_sp portable_sp
#define context_start portable_start
#define context_switch portable_switch
#ifndef CO_CONTEXT_UCONTEXT
#define CO_CONTEXT_UCONTEXT
#endif

#include "co/context_make.c"
#include "co/context_ucontext.c"

#include "bench/switch/ring.h"

struct ring *ring_of_ucontext(unsigned count) { return ring_make(count); }

void ring_turn_ucontext(struct ring *ring, long n) { ring_turn(ring, n); }
