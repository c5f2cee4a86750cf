/* version.c - tells a program which library it got.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/version.h"

const char *co_version(void) { return CO_VERSION; }
