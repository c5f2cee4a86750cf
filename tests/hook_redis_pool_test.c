/* hook_redis_pool_test.c - net/redis.h, with the hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/redis_cases.h"

int main(void) { return run_cases(); }
