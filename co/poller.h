/* poller.h - readiness of descriptors, from the kernel.
 *
 * Private to co/.  Six functions, so that another kernel interface is one file.
 * Knows no coroutine and keeps no table: a token goes in, and comes out with
 * what is ready.  Everything is edge-triggered.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_POLLER_H
#define CO_POLLER_H

#include <stdbool.h>
#include <stdint.h>

/* What to watch.  A full close and an error are reported unasked; POLLER_HUP
 * asks for the half-close too. */
enum {
    POLLER_READ = 1,
    POLLER_WRITE = 2,
    POLLER_PRI = 4,
    POLLER_HUP = 8,   /* the peer closed its side, or both are closed */
    POLLER_ERROR = 16 /* reported only: an error, or both are closed, so that
                         no call waits any more */
};

enum { POLLER_BATCH = 128 }; /* events of one wait */

struct poller_event {
    uint64_t token;
    uint32_t events;
};

struct poller {
    int fd;
};

int poller_open(struct poller *p); /* 0, or -1 with errno */
void poller_close(struct poller *p);

/* Watches fd from now on for events, instead of what was watched before; if it
 * is ready already, that is reported by the next wait.  `known` says that the
 * caller believes fd to be watched already: then -1 ENOENT means that the
 * kernel has forgotten it (it was closed behind the caller's back) and nothing
 * is changed.  Otherwise -1 and errno: EPERM for a file that is always ready,
 * ENOMEM, ENOSPC, EBADF. */
int poller_set(struct poller *p, int fd, uint32_t events, uint64_t token,
               bool known);
void poller_clear(struct poller *p, int fd); /* unknown is fine */

/* Fills events and returns how many, at most POLLER_BATCH; waits for the first
 * when block is set, otherwise returns 0 when there is none.  A signal ends the
 * wait with 0. */
int poller_wait(struct poller *p, struct poller_event *events, bool block);

/* A descriptor that is readable when poller_wait() would return something. */
int poller_fd(const struct poller *p);

#endif
