/* main.c - the probes on plain threads, in a program without corten.
 *
 *   hook_probes_plain [--only PART] [--jobs N]
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_probes/mode.h"
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    struct probe_result *results = probe_results();
    const char *only = NULL;
    unsigned jobs = 32;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--only") == 0)
            only = argv[i + 1];
        if (strcmp(argv[i], "--jobs") == 0)
            jobs = (unsigned)atoi(argv[i + 1]);
    }
    probes_run(&probe_threads, probes_named(only), jobs, 30000, results);
    probes_print(results);
    return 0;
}
