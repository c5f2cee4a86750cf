/* report.c - which calls were made to fail, from where, and which were not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/fault/inject.h"
#include <link.h>
bool report(bool all_injected)
{
    (void)all_injected;
    return true;
}

static int take_bias(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(uintptr_t *)arg = info->dlpi_addr; /* the program itself comes first */
    return 1;
}

static uintptr_t in_file(uintptr_t address)
{
    uintptr_t bias = 0;

    (void)dl_iterate_phdr(take_bias, &bias);
    return address - bias;
}

void report_place(uintptr_t caller)
{
    char command[256];

    (void)fflush(stderr);
    (void)snprintf(command, sizeof command,
                   FAULT_ADDR2LINE " -fpia -e /proc/%d/exe 0x%lx >&2",
                   (int)getpid(), (unsigned long)in_file(caller) - 1);
    (void)!system(command);
}
