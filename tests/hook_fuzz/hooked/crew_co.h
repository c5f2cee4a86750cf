/* crew_co.h - the crew that is made of coroutines.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_CREW_CO_H
#define HOOK_FUZZ_CREW_CO_H

#include "tests/hook_fuzz/crew.h"
#include <stdint.h>

/* For one program, from inside a coroutine, which is actor 0.  Of the seed it
 * depends which of the others share its scheduler. */
struct crew *crew_co_open(uint64_t seed);
void crew_co_close(struct crew *crew);

#endif
