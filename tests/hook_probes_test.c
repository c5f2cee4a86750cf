/* hook_probes_test.c - the conformance suite: under the hooks, a program sees
 * what it sees on plain threads.
 *
 *   hook_probes_test [--only PART] [--jobs N]    compare
 *                    --print MODE                the lines of one mode
 *                    --table                     what co/PROBES.md is to be
 *
 * The probes (tests/hook_probes/) run three times: in a program that has
 * nothing of corten in it, on threads of this one, and as coroutines of one
 * scheduler in this one.  All must write down the same lines, but where a probe
 * says what else the hooks do on purpose.  While a probe waits, a ticker on its
 * scheduler beats every millisecond: had a call taken the thread, the ticker
 * would have stopped for as long as the probe waits.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/asan.h"
#include "tests/hook_probes/mode.h"
#include "tests/test.h"

enum { LIMIT_MS = 15000, TRIES = 4, JOBS = 32 };

static struct probe_result *plain, *threads, *coroutines;
static const char *only;
static unsigned jobs = JOBS;
static int failures;

/* ---- Comparing --------------------------------------------------------------
 */

static bool is_slow(void)
{
#if defined(CO_ASAN) || defined(CO_TSAN)
    return true;
#else
    return false;
#endif
}

/* TSan holds a signal back from a thread that waits in read(2). */
static bool threads_too(void)
{
#ifdef CO_TSAN
    return false;
#else
    return true;
#endif
}

static void fail(const struct probe *p, const char *mode, const char *how)
{
    printf("%s:%d: %s, %s: %s\n", p->file, p->line, p->name, mode, how);
    failures++;
}

static void cell(const char *line)
{
    printf("  %-*.*s", 60, line != NULL ? (int)strcspn(line, "\n") : 0,
           line != NULL ? line : "");
}

static const char *next_line(const char *line)
{
    if (line == NULL)
        return NULL;
    line += strcspn(line, "\n");
    return *line == '\n' && line[1] != 0 ? line + 1 : NULL;
}

/* Both texts side by side; lines that differ are marked. */
static void print_beside(const char *mode, const char *want, const char *got)
{
    printf("    %-60s  %s\n", "plain threads", mode);
    want = *want != 0 ? want : NULL;
    got = *got != 0 ? got : NULL;
    while (want != NULL || got != NULL) {
        size_t len = want != NULL ? strcspn(want, "\n") : 0;
        bool same = want != NULL && got != NULL && strcspn(got, "\n") == len &&
                    memcmp(want, got, len) == 0;

        printf("  %s", same ? " " : "!");
        cell(want);
        cell(got);
        printf("\n");
        want = next_line(want);
        got = next_line(got);
    }
}

static bool is_same(const struct probe_result *want,
                    const struct probe_result *got, const char *on_hooks)
{
    return got->end == want->end &&
           strcmp(on_hooks != NULL ? on_hooks : want->text, got->text) == 0;
}

static void compare(const struct probe *p, const char *mode,
                    const struct probe_result *want,
                    const struct probe_result *got, const char *on_hooks)
{
    char how[32];

    if (want->end == END_SKIP || got->end == END_SKIP ||
        is_same(want, got, on_hooks))
        return;
    (void)snprintf(how, sizeof how, "%s",
                   got->end == END_OK ? "differs" : probe_end_name(got->end));
    if (got->end == END_DIED)
        (void)snprintf(how, sizeof how, "dies (status %x)",
                       (unsigned)got->status);
    fail(p, mode, how);
    print_beside(mode, on_hooks != NULL ? on_hooks : want->text, got->text);
}

static void check_gap(size_t i)
{
    const struct probe *p = probe_at(i);
    char how[96];

    if (is_slow() || !probe_stalls(i, LIMIT_MS, coroutines))
        return;
    (void)snprintf(how, sizeof how,
                   "it waits %d ms, and takes the thread for %ld", p->waits_ms,
                   (long)coroutines[i].gap_us / 1000);
    fail(p, probe_coroutines.name, how);
}

static void run_plain(const char *part, unsigned at_once)
{
    char command[1024];
    FILE *from;

    (void)snprintf(command, sizeof command, "exec %s --jobs %u%s%s",
                   PROBES_PLAIN, at_once, part != NULL ? " --only " : "",
                   part != NULL ? part : "");
    from = popen(command, "r");
    CHECK(from != NULL);
    CHECK(probes_parse(from, plain) > 0);
    CHECK_EQ(pclose(from), 0);
}

static void run_mode(const struct probe_mode *mode, const char *part,
                     unsigned at_once, struct probe_result *results)
{
    probes_run(mode, probes_named(part), at_once,
               is_slow() ? 4 * LIMIT_MS : LIMIT_MS, results);
}

static void run_all(const char *part, unsigned at_once)
{
    run_plain(part, at_once);
    if (threads_too())
        run_mode(&probe_threads, part, at_once, threads);
    run_mode(&probe_coroutines, part, at_once, coroutines);
}

static bool is_settled(size_t i)
{
    const char *on_hooks = probe_at(i)->on_hooks;

    return plain[i].end == END_SKIP || coroutines[i].end == END_SKIP ||
           (plain[i].end == END_OK &&
            (!threads_too() || is_same(&plain[i], &threads[i], NULL)) &&
            is_same(&plain[i], &coroutines[i], on_hooks));
}

/* On a busy machine what was to happen first may come second: then all of it
 * runs again, alone. */
static void run_again(size_t i)
{
    for (int n = 1; n < TRIES && !is_settled(i); n++)
        run_all(probe_at(i)->name, 1);
}

static void compare_all(void)
{
    int count = 0;

    for (size_t i = 0; i < probe_count(); i++) {
        const struct probe *p = probe_at(i);

        if (plain[i].end == END_NONE)
            continue;
        count++;
        run_again(i);
        if (plain[i].end != END_OK && plain[i].end != END_SKIP) {
            fail(p, "plain threads", probe_end_name(plain[i].end));
            print_beside("", plain[i].text, "");
            continue;
        }
        if (threads_too())
            compare(p, "threads beside hooks", &plain[i], &threads[i], NULL);
        compare(p, probe_coroutines.name, &plain[i], &coroutines[i],
                p->on_hooks);
        check_gap(i);
    }
    printf("%d probes, %d failures\n", count, failures);
}

static void check_table(const char *table)
{
    FILE *f = fopen(PROBES_TABLE, "r");
    char *text = calloc(1, strlen(table) + 2);

    CHECK(f != NULL && text != NULL);
    (void)fread(text, 1, strlen(table) + 1, f);
    if (strcmp(text, table) != 0) {
        printf("co/PROBES.md is not what hook_probes_test --table prints\n");
        failures++;
    }
    free(text);
    (void)fclose(f);
}

int main(int argc, char **argv)
{
    const char *print = NULL;
    bool show_table = false;
    char *table;

    if (under_storm()) {
        fprintf(stderr, "skipped: what signals do stands in the probes\n");
        return 77;
    }
    if (under_valgrind()) {
        fprintf(stderr, "skipped: probes pass bad addresses on purpose\n");
        return 77;
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            only = argv[++i];
        else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc)
            jobs = (unsigned)atoi(argv[++i]);
        else if (strcmp(argv[i], "--print") == 0 && i + 1 < argc)
            print = argv[++i];
        else if (strcmp(argv[i], "--table") == 0)
            show_table = true;
    }
    plain = probe_results();
    threads = probe_results();
    coroutines = probe_results();
    if (print != NULL) {
        run_mode(*print == 't' ? &probe_threads : &probe_coroutines, only, jobs,
                 threads);
        probes_print(threads);
        return 0;
    }
    run_all(only, jobs);
    if (show_table) {
        for (size_t i = 0; i < probe_count(); i++)
            run_again(i);
        table = probes_table(plain, coroutines);
        CHECK(table != NULL);
        (void)fputs(table, stdout);
        free(table);
        return 0;
    }
    compare_all();
    table = probes_table(plain, coroutines);
    CHECK(table != NULL);
    if (only == NULL)
        check_table(table);
    free(table);
    return failures > 0;
}
