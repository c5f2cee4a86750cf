/* of_embed.c
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/kit.h"
const struct scenario scenarios_embed[] = { { NULL, NULL, false } };
