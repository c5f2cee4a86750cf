/* worker.h - the process that runs programs under the hooks, beside the
 * reference, and compares.
 *
 * It writes down where it is in memory that it shares with the process that
 * started it; so that one knows what to say when this one hangs or dies.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_WORKER_H
#define HOOK_FUZZ_WORKER_H

#include "tests/hook_fuzz/exchange.h"
#include <stdatomic.h>

struct work { /* what to do: seeds from `first` on */
    uint64_t first, count;
    uint64_t kept; /* of the steps */
    bool verbose;  /* both sides print what they do */
};

struct progress {
    atomic_ulong done;         /* programs */
    _Atomic uint64_t seed;     /* of the one that runs */
    atomic_bool hooked;        /* it is the hooks' turn, not the reference's */
    struct answer plain, here; /* of that program, where they differ */
};

enum { WORKER_SAME = 0, WORKER_DIFFERS = 3 };

/* Never returns.  reference: the program. */
_Noreturn void worker_main(const char *reference, const struct work *work,
                           struct progress *progress);

#endif
