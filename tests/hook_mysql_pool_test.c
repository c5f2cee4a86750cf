/* hook_mysql_pool_test.c - the pool of MySQL connections, with the hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_cases.h"

int main(void) { return run_mysql(mysql_cases); }
