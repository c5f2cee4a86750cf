/* of_io.c
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"
const struct scenario scenarios_io[] = { { NULL, NULL, false } };
