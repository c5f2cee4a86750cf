/* table.c - the table of results that is part of the documentation.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/mode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char head[] =
    "# What the hooks are held to\n"
    "\n"
    "Each row is a probe: a few calls of libc, made by plain threads in a "
    "program that has nothing of\n"
    "corten, and by coroutines under the hooks (`tests/hook_probes/`, where "
    "each stands in the file of its\n"
    "heading). The results, values, errnos and bytes, are the same, unless "
    "the row says otherwise; and\n"
    "while a probe waits, the other coroutines of its scheduler go on. Made "
    "by `hook_probes_test --table`,\n"
    "which `hook_probes_test` compares with this file.\n";

static void add_cell(FILE *to, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '|')
            (void)fputc('\\', to);
        (void)fputc(text[i], to);
    }
}

/* The first line in which they differ. */
static void add_difference(FILE *to, const char *want, const char *got)
{
    size_t n = strcspn(want, "\n"), m = strcspn(got, "\n");

    while (n == m && n > 0 && memcmp(want, got, n) == 0) {
        want += n + (want[n] == '\n');
        got += n + (got[n] == '\n');
        n = strcspn(want, "\n");
        m = strcspn(got, "\n");
    }
    (void)fputs("`", to);
    add_cell(to, got, m);
    (void)fputs("` instead of `", to);
    add_cell(to, want, n);
    (void)fputs("`", to);
}

/* What was left out here is taken to be as it should. */
static void add_verdict(FILE *to, const struct probe *p,
                        const struct probe_result *plain,
                        const struct probe_result *got)
{
    const char *want = p->on_hooks != NULL ? p->on_hooks : plain->text;
    bool left_out = plain->end == END_SKIP || got->end == END_SKIP;

    if (!left_out && (got->end != plain->end || strcmp(want, got->text) != 0))
        (void)fputs("FAILS", to);
    else if (p->on_hooks == NULL)
        (void)fputs("same", to);
    else
        add_difference(to, plain->text, p->on_hooks);
}

char *probes_table(const struct probe_result *plain,
                   const struct probe_result *coroutines)
{
    char subject[32], last[32] = "";
    char *text = NULL;
    size_t size;
    FILE *to = open_memstream(&text, &size);

    if (to == NULL)
        return NULL;
    (void)fputs(head, to);
    for (size_t i = 0; i < probe_count(); i++) {
        const struct probe *p = probe_at(i);

        if (strcmp(probe_subject(p, subject, sizeof subject), last) != 0)
            (void)fprintf(to, "\n## %s\n\n| | | |\n|---|---|---|\n", subject);
        (void)strcpy(last, subject);
        (void)fprintf(to, "| %s | ", p->name);
        add_cell(to, p->what, strlen(p->what));
        (void)fputs(" | ", to);
        add_verdict(to, p, &plain[i], &coroutines[i]);
        (void)fputs(" |\n", to);
    }
    if (fclose(to) == 0)
        return text;
    free(text);
    return NULL;
}
