/* hook_mysql_faults_test.c - the pool of MySQL connections when the network or
 * the server fails, with the hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_network_cases.h"

int main(void) { return run_mysql(network_cases); }
