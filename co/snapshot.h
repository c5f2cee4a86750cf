/* snapshot.h - all coroutines of the process, as records.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SNAPSHOT_H
#define CO_SNAPSHOT_H

#include "co/ask.h"
#include "co/inside.h"
#include "co/record.h"

/* Of one scheduler. */
struct part {
    struct ask ask;
    struct sched *sched; /* not to be followed once the snapshot is taken */
    bool asked, answered, hosted;
    int64_t silent; /* not answered: for how long its loop has not turned */
    struct co_stats stats;
    struct record *records; /* some may be RECORD_GONE */
    size_t count, size;
    struct record_memory memory;
};

struct snapshot {
    int64_t now;
    unsigned count; /* of schedulers; 0: the runtime is not up */
    struct part *parts;
    size_t living; /* records that are not RECORD_GONE */
};

/* On a thread that is no scheduler, since it waits for all of them.  0, or -1
 * ENOMEM. */
int snapshot_take(struct snapshot *s);
void snapshot_free(struct snapshot *s);

#endif
