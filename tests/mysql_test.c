/* mysql_test.c - the pool of MySQL connections, in a program without hooks: on
 * plain threads, and in coroutines.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_cases.h"
#include <signal.h>

static void root(void *arg)
{
    (void)arg;
    all_cases();
}

int main(void)
{
    if (getenv("SERVERS") == NULL) {
        printf("skipped: tests/servers.py runs this\n");
        return 77;
    }
    fprintf(stderr, " on threads\n");
    all_cases();
    fprintf(stderr, " in coroutines\n");
    in_coroutines = true;
    CHECK_EQ(co_run(root, NULL, &(struct co_config){ .schedulers = 1, .dump_signal = SIGQUIT }), 0);
    return 0;
}
