/* of_net.c
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"
const struct scenario scenarios_net[] = { { NULL, NULL, false } };
