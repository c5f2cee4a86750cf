/* exchange.h - what the test and the reference tell each other, over pipes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_EXCHANGE_H
#define HOOK_FUZZ_EXCHANGE_H

#include "tests/hook_fuzz/program.h"
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

struct request {
    uint64_t seed;
    uint64_t kept;
    uint64_t verbose;
};

struct answer {
    uint64_t seed;
    uint32_t count;
    int32_t left_open;
    struct record records[STEPS_MOST];
};

/* All of it, by the system call itself.  False at the end of the pipe. */
static inline bool exchange_get(int fd, void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        long n = syscall(SYS_read, fd, (char *)data + done, size - done);

        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    return true;
}

static inline bool exchange_put(int fd, const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        long n = syscall(SYS_write, fd, (const char *)data + done, size - done);

        if (n <= 0 && !(n < 0 && errno == EINTR))
            return false;
        if (n > 0)
            done += (size_t)n;
    }
    return true;
}

#endif
