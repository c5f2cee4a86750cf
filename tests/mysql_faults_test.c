/* mysql_faults_test.c - the pool of MySQL connections when the network or the
 * server fails, without hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/mysql_faults_cases.h"
#include "tests/mysql_network_cases.h"
#include "tests/mysql_stop_cases.h"

static void all_cases(void)
{
    faults_cases();
    stop_cases();
    network_cases();
}

int main(void) { return run_mysql(all_cases); }
