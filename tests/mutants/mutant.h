/* mutant.h - a hook that is spoilt, for a run of probes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MUTANTS_MUTANT_H
#define TESTS_MUTANTS_MUTANT_H

#include "tests/hook_probes/mode.h"
#include <stdbool.h>
#include <stddef.h>

enum mutation {
    AS_IT_IS,
    PLAIN,    /* libc's own function in its place: it blocks the thread */
    LOSES,    /* errno, or what else tells of the error, is another */
    NONBLOCK, /* its descriptors are left with O_NONBLOCK */
    MUTATIONS
};

enum { CALLS_MAX = 128 };

size_t mutant_count(void); /* of hooks */
const char *mutant_name(size_t i);

/* NULL, or why the mutant cannot be made or told from the hook.  *same is true
 * for the latter. */
const char *mutant_without(size_t i, enum mutation mutation, bool *same);

/* From now on, in coroutines of processes that this one forks. */
void mutant_choose(size_t i, enum mutation mutation);

/* From now on, coroutines of the probe that has results[p] write in called[p]
 * which hooks they call.  called is NULL to end that. */
void mutant_trace(bool (*called)[CALLS_MAX],
                  const struct probe_result *results);

#endif
