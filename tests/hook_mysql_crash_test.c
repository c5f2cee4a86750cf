/* hook_mysql_crash_test.c - the pool of MySQL connections and a server that
 * dies, with the hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_crash_cases.h"

int main(void) { return run_mysql(crash_cases); }
