/* kit.h - what scenarios have in common: a runtime, and a coroutine in it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_FAULT_KIT_H
#define TESTS_FAULT_KIT_H

#include "co/co.h"
#include "tests/fault/inject.h"
#include <pthread.h>

/* Longer than anything here should take, so that a hang fails. */
#define SOON co_after(15 * CO_SECOND)

/* Runs fn in a coroutine, of a runtime of two schedulers whose own start and
 * end cannot fail; then sees whether all still works. */
void in_runtime(void (*fn)(void));

/* The same, but fn runs on a plain thread beside the runtime. */
void beside_runtime(void (*fn)(void));

/* Spawns, sends, sleeps, reads: nothing may fail. */
void check_health(void);

#endif
