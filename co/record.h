/* record.h - what can be said of one coroutine, copied out of it.
 *
 * Private to co/.  A record holds no pointer that its reader follows, but for
 * `file`, which is read with peek_string().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_RECORD_H
#define CO_RECORD_H

#include "co/core.h"

enum { RECORD_FRAMES = 16, RECORD_NAME = 40, RECORD_WHO = 24 };

enum record_state { RECORD_GONE, RECORD_RUNNING, RECORD_READY, RECORD_WAITING };

/* Who owns a mutex, if anybody. */
enum record_owner { RECORD_FREE, RECORD_COROUTINE, RECORD_THREAD };

struct record {
    uint64_t id;
    uint32_t number; /* of its stack */
    int line;        /* where it was spawned */
    const char *file;
    char name[RECORD_NAME];
    uint8_t state, kind; /* enum record_state; enum wait_kind */
    bool cancelled, held;
    bool sends;    /* of a channel's two sides */
    bool closed;   /* the channel is */
    uint8_t owner; /* enum record_owner: of a mutex */
    uint8_t frame_count;
    uint32_t stack_size, depth, touched; /* bytes */
    int64_t since, deadline;
    int fd;
    uint32_t events;        /* of fd */
    const void *object;     /* what it waits for, if that has an address */
    size_t count, capacity; /* a channel's fill; cases, and of them fds; what
                               runs in a group */
    uint64_t who_id;        /* who owns the mutex, who is joined */
    char who[RECORD_WHO];
    const void *frames[RECORD_FRAMES]; /* return addresses, innermost first */
};

/* Records of one scheduler are often alike: what was found last. */
struct record_memory {
    const char *name_at;
    char name[RECORD_NAME];
    const struct co *who_at;
    uint64_t who_id;
    char who[RECORD_WHO];
};

/* What lives on the stack of that number, if it belongs to s; else the state is
 * RECORD_GONE.  running is what s runs now.  By the owner's thread between two
 * turns of its loop; by others, when the owner does not answer, what is read is
 * the best that can be had. */
void record_take(struct record *r, uint32_t number, const struct sched *s,
                 const struct co *running, struct record_memory *memory);

/* How much of its stack is in memory.  By any thread. */
void record_touched(struct record *r);

#endif
