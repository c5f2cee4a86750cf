/* hook_mutants.c - whether the conformance suite notices a broken hook.
 *
 *   hook_mutants [NAME ...]
 *
 * Each hook in turn is replaced by libc's plain call, by one that loses errno,
 * and by one that leaves O_NONBLOCK behind (wrap.c).  Then those probes run
 * that have called it, as coroutines; one at least must write down something
 * else than before, or take the thread while it waits.  A mutant that all
 * probes let live is a failure, unless calls.def says why nobody could tell it
 * from the hook.  It takes a quarter of an hour, and is no test of the code; so
 * it stands outside the suite.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook.h"
#include "tests/mutants/mutant.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { LIMIT_MS = 5000, ALONE_MS = 3000, JOBS = 32 };
enum fate { CAUGHT, SURVIVED, SAME_AS_HOOK, WITHOUT_MEANING, FATES };

static const char *const mutations[] = {
    [PLAIN] = "plain",
    [LOSES] = "loses errno",
    [NONBLOCK] = "forces O_NONBLOCK",
};
static const char *const fates[] = {
    [CAUGHT] = "caught",
    [SURVIVED] = "SURVIVED",
    [SAME_AS_HOOK] = "same as the hook",
    [WITHOUT_MEANING] = "without meaning",
};

static struct probe_result *want, *got;
static bool (*called)[CALLS_MAX]; /* of each probe, which hooks */

static bool is_other(size_t i)
{
    return got[i].end != want[i].end || strcmp(got[i].text, want[i].text) != 0;
}

/* Which hooks each probe calls, and what it then writes down; and those that
 * do not write down the same twice tell nothing of a mutant. */
static int run_unspoilt(void)
{
    int unsteady = 0;

    mutant_choose(0, AS_IT_IS);
    mutant_trace(called, want);
    probes_run(&probe_coroutines, NULL, JOBS, LIMIT_MS, want);
    mutant_trace(NULL, NULL);
    probes_run(&probe_coroutines, NULL, JOBS, LIMIT_MS, got);
    for (size_t i = 0; i < probe_count(); i++) {
        if (want[i].end != END_SKIP && !is_other(i) && want[i].end == END_OK &&
            !probe_stalls(i, LIMIT_MS, got))
            continue;
        if (want[i].end != END_SKIP) {
            printf("%s fails without a mutant\n", probe_at(i)->name);
            unsteady++;
        }
        memset(called[i], 0, sizeof called[i]);
    }
    return unsteady;
}

/* What one probe among many sees may be the machine's doing; so it counts as
 * the first that notices only when it also does alone. */
static bool notices(size_t i, bool is_first)
{
    bool alone[PROBES_MAX] = { false };

    if (!is_other(i))
        return is_first && probe_stalls(i, LIMIT_MS, got);
    if (!is_first)
        return true;
    alone[i] = true;
    probes_run(&probe_coroutines, alone, 1, ALONE_MS, got);
    return is_other(i);
}

/* How many probes notice; *first is one of them. */
static int run_mutant(size_t call, enum mutation mutation, const char **first)
{
    bool ask[PROBES_MAX];
    int noticed = 0;

    for (size_t i = 0; i < probe_count(); i++)
        ask[i] = called[i][call];
    mutant_choose(call, mutation);
    probes_run(&probe_coroutines, ask, JOBS, LIMIT_MS, got);
    for (size_t i = 0; i < probe_count(); i++) {
        if (!ask[i] || !notices(i, noticed == 0))
            continue;
        if (noticed++ == 0)
            *first = probe_at(i)->name;
    }
    return noticed;
}

static enum fate try(size_t call, enum mutation mutation)
{
    const char *first = "", *name = mutant_name(call);
    bool same;
    const char *why = mutant_without(call, mutation, &same);
    int noticed;

    if (why != NULL && !same) {
        printf("%-18s %-18s without meaning: %s\n", name, mutations[mutation],
               why);
        return WITHOUT_MEANING;
    }
    noticed = run_mutant(call, mutation, &first);
    if (noticed > 0)
        printf("%-18s %-18s caught by %d: %s%s\n", name, mutations[mutation],
               noticed, first, noticed > 1 ? " ..." : "");
    else
        printf("%-18s %-18s %s%s\n", name, mutations[mutation],
               why != NULL ? "same as the hook: " : "SURVIVED",
               why != NULL ? why : "");
    (void)fflush(stdout);
    return noticed > 0 ? CAUGHT : why != NULL ? SAME_AS_HOOK : SURVIVED;
}

static bool is_wanted(const char *name, int count, char **names)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return count == 0;
}

/* Hooks that calls.def has no row of. */
static int check_rows(void)
{
    int missing = 0;

    for (size_t i = 0; co_hook_name(i) != NULL; i++) {
        size_t k = 0;

        while (k < mutant_count() &&
               strcmp(mutant_name(k), co_hook_name(i)) != 0)
            k++;
        if (k < mutant_count())
            continue;
        printf("calls.def has no row of %s\n", co_hook_name(i));
        missing++;
    }
    return missing;
}

int main(int argc, char **argv)
{
    int table[FATES][MUTATIONS] = { { 0 } };
    int wrong = check_rows(), survived = 0;

    want = probe_results();
    got = probe_results();
    called = mmap(NULL, PROBES_MAX * sizeof *called, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (called == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    wrong += run_unspoilt();
    for (size_t i = 0; i < mutant_count(); i++) {
        if (!is_wanted(mutant_name(i), argc - 1, argv + 1))
            continue;
        for (int m = PLAIN; m < MUTATIONS; m++)
            table[try(i, (enum mutation)m)][m]++;
    }
    printf("\n%-18s %18s %18s %18s\n", "", mutations[PLAIN], mutations[LOSES],
           mutations[NONBLOCK]);
    for (int f = 0; f < FATES; f++)
        printf("%-18s %18d %18d %18d\n", fates[f], table[f][PLAIN],
               table[f][LOSES], table[f][NONBLOCK]);
    for (int m = PLAIN; m < MUTATIONS; m++)
        survived += table[SURVIVED][m];
    return wrong + survived > 0;
}
