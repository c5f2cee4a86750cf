/* program.h - a random program: a list of steps, each a few random numbers.
 *
 * What a step does is decided when it runs, by its numbers and by what the
 * kernel says of the descriptors then.  So every subset of the steps is a
 * program, too, and a failing one is made smaller by leaving steps out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_PROGRAM_H
#define HOOK_FUZZ_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

enum { STEPS_MOST = 40 };

enum step_kind {
    STEP_OPEN,     /* a pipe, a pair of sockets, an eventfd, a file */
    STEP_READ,     /* read(2) and its kin; may block until it is resolved */
    STEP_WRITE,    /* write(2) and its kin */
    STEP_BIG,      /* a write larger than all buffers, read meanwhile */
    STEP_FILL,     /* writes without blocking until there is no room */
    STEP_DRAIN,    /* reads without blocking until there is nothing */
    STEP_CROWD,    /* two read what one writes */
    STEP_POLL,     /* poll, select, epoll_wait ... */
    STEP_MODE,     /* O_NONBLOCK on and off */
    STEP_OPTION,   /* time-outs and buffer sizes of sockets */
    STEP_QUERY,    /* what the kernel tells of a descriptor */
    STEP_DUP,      /* dup, dup2, dup3, F_DUPFD */
    STEP_SHUTDOWN, /* of a socket */
    STEP_CLOSE,    /* and, at times, a call on what is closed */
    STEP_LISTEN,   /* a listener, and what nobody listens at */
    STEP_CONNECT,  /* to one of these, also twice */
    STEP_ACCEPT,   /* may block until it is resolved by a connect */
    STEP_COPY,     /* sendfile, splice */
    STEP_KINDS
};

struct step {
    uint8_t kind;
    uint8_t actor; /* who does it */
    uint8_t slot;  /* with which descriptor: the first suitable from here on */
    uint8_t other;
    uint32_t a, b, c; /* which call, with which arguments, resolved how */
};

struct program {
    uint64_t seed;
    uint64_t kept; /* a bit a step; the others are left out */
    unsigned count;
    struct step steps[STEPS_MOST];
};

/* What a run leaves for each step, to be compared. */
struct record {
    int64_t ret;   /* of the step's first call */
    uint32_t hash; /* of all its calls' results and data */
    int32_t err;   /* of the first call, 0 unless it failed */
    int32_t slot;  /* which one it chose, -1: none */
    int32_t calls; /* how many it made */
};

/* The program of a seed. */
void program_make(struct program *p, uint64_t seed);

/* Whether step i is kept. */
bool program_has(const struct program *p, unsigned i);

const char *step_name(enum step_kind kind);

/* Random numbers: the next after *state. */
uint64_t random_next(uint64_t *state);

#endif
