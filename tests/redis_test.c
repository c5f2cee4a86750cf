/* redis_test.c - net/redis.h; the cases are in redis_cases.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/redis_cases.h"

int main(void) { return run_cases(); }
