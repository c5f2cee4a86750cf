/* mysql_static_test.c - the pool of MySQL connections, with the static client
 * library, which hooks do not reach.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_cases.h"

int main(void) { return run_mysql(mysql_cases); }
