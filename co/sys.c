/* sys.c - see sys.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct sys sys = {
#define SYS_VALUE(type, name, params, args) .name = name,
    SYS_CALLS(SYS_VALUE)
#undef SYS_VALUE
        .open = open,
    .fcntl = fcntl,
    .ioctl = ioctl,
};

void co_sys_set(const struct sys *libc) { sys = *libc; }
