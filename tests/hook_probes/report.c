/* report.c - results of probes as text, and back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/mode.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ends[] = {
    [END_NONE] = "not run", [END_OK] = "ok",         [END_HANG] = "hangs",
    [END_DIED] = "dies",    [END_BROKEN] = "broken", [END_SKIP] = "left out",
};

const char *probe_end_name(enum probe_end end) { return ends[end]; }

void probes_print(const struct probe_result *results)
{
    for (size_t i = 0; i < probe_count(); i++) {
        const struct probe_result *r = &results[i];
        const char *line = r->text;

        if (r->end == END_NONE)
            continue;
        printf("probe %s\n", probe_at(i)->name);
        while (*line != 0) {
            int len = (int)strcspn(line, "\n");

            printf("  %.*s\n", len, line);
            line += len + (line[len] == '\n');
        }
        printf("end %d %d\n", r->end, r->status);
    }
}

static struct probe_result *find(const char *name, struct probe_result *results)
{
    for (size_t i = 0; i < probe_count(); i++) {
        if (strcmp(probe_at(i)->name, name) == 0)
            return &results[i];
    }
    return NULL;
}

int probes_parse(void *stream, struct probe_result *results)
{
    struct probe_result *r = NULL;
    char line[1024];
    int found = 0, end, status;

    while (fgets(line, sizeof line, stream) != NULL) {
        size_t len = strlen(line);

        if (strncmp(line, "probe ", 6) == 0) {
            line[len - 1] = 0;
            r = find(line + 6, results);
            if (r != NULL)
                memset(r, 0, sizeof *r);
        } else if (r != NULL && strncmp(line, "  ", 2) == 0 &&
                   r->len + len < sizeof r->text) {
            memcpy(r->text + r->len, line + 2, len - 1);
            r->len += len - 2;
        } else if (r != NULL && sscanf(line, "end %d %d", &end, &status) == 2) {
            r->end = (enum probe_end)end;
            r->status = status;
            found++;
        }
    }
    return found;
}
