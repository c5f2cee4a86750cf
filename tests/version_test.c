/* version_test.c - the version's three forms say the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/test.h"

int main(void)
{
    int major, minor, patch;

    CHECK_EQ(sscanf(co_version(), "%d.%d.%d", &major, &minor, &patch), 3);
    CHECK_EQ(strcmp(co_version(), CO_VERSION), 0);
    CHECK_EQ(major * 10000 + minor * 100 + patch, CO_VERSION_NUMBER);
    CHECK_EQ(major, CO_VERSION_MAJOR);
    CHECK_EQ(minor, CO_VERSION_MINOR);
    CHECK_EQ(patch, CO_VERSION_PATCH);
    return 0;
}
