/* world.h - the descriptors of a program that runs, and what is known of them.
 *
 * A slot is a descriptor; a channel is what connects two of them, or more when
 * they are duplicated: side 0 and side 1.  What would block is found out by
 * asking the kernel, with system calls that no hook sees.  What TCP has on its
 * way is waited for after each call, so that the next one finds it done.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_WORLD_H
#define HOOK_FUZZ_WORLD_H

#include "tests/hook_fuzz/call.h"
#include "tests/hook_fuzz/crew.h"
#include "tests/hook_fuzz/program.h"
#include <stdbool.h>

enum { SLOTS = 20, CHANS = 20, ACTORS = 3, FD_BASE = 100, QUEUE_MOST = 8 };

enum slot_kind { /* bits: several may be suitable */
                 SLOT_PIPE_READ = 1,
                 SLOT_PIPE_WRITE = 2,
                 SLOT_STREAM = 4, /* of unix sockets */
                 SLOT_DGRAM = 8,
                 SLOT_PACKET = 16, /* SOCK_SEQPACKET */
                 SLOT_TCP = 32,
                 SLOT_EVENTFD = 64,
                 SLOT_FILE = 128,
                 SLOT_LISTENER = 256,
                 SLOT_DEAF =
                     512, /* a socket with an address that does not listen */
                 SLOT_UNIX = SLOT_STREAM | SLOT_DGRAM | SLOT_PACKET,
                 SLOT_BYTES =
                     SLOT_STREAM | SLOT_TCP, /* sockets without messages */
                 SLOT_MESSAGES = SLOT_DGRAM | SLOT_PACKET,
                 SLOT_CONNECTED = SLOT_UNIX | SLOT_TCP,
                 SLOT_SOCKET = SLOT_CONNECTED | SLOT_LISTENER | SLOT_DEAF,
                 SLOT_ANY = 1023
};

struct slot {
    enum slot_kind kind; /* 0: free */
    enum slot_kind peer; /* of a listener: what it accepts */
    int fd;
    int chan;
    int side;
};

struct chan {
    bool used;
    bool shared[2];  /* a side was sent to somebody: it may live unseen */
    bool no_send[2]; /* shutdown(2) by that side */
    bool no_receive[2];
    bool full[2];                 /* that side cannot send a single byte */
    bool huge;                    /* an eventfd's count was near its end once */
    int64_t sent[2], received[2]; /* bytes, by that side */
    int messages[2];   /* of datagrams that side has sent, not yet received */
    bool late[2];      /* that side sent to a peer that was gone */
    bool copied;       /* by sendfile or splice: its room is another */
    bool packets;      /* a pipe with O_DIRECT: a short read loses bytes */
    bool semaphore;    /* an eventfd with EFD_SEMAPHORE */
    bool waiting;      /* side 1 has not been accepted yet */
    uint64_t inode[2]; /* by which a descriptor is known again */
    int queue[QUEUE_MOST]; /* of a listener: channels nobody has accepted */
    int pending;
    int backlog;
    struct sockaddr_storage addr; /* of a listener, or of a datagram pair */
    socklen_t addr_len;
};

struct world {
    struct slot slots[SLOTS];
    struct chan chans[CHANS];
    struct crew *crew;
    struct record *record; /* of the step that runs */
    char *buffers[ACTORS];
    uint32_t pattern; /* of the next data */
    int verbose;      /* descriptor to print to, or -1 */
    unsigned touched; /* channels that this step changed: a bit each */
    unsigned place;   /* of TCP's addresses */
};

/* What the kernel would do with a call now. */
enum fate {
    RUNS,   /* returns by itself, within a short time-out at most */
    BLOCKS, /* waits for somebody */
    UNSURE  /* how far it gets depends on the moment */
};

/* ---- world.c ----------------------------------------------------------------
 */

int world_slot(struct world *w, unsigned from, unsigned kinds); /* or -1 */
int world_other_side(struct world *w, int slot);                /* or -1 */
int world_count_side(const struct world *w, int chan, int side);
int world_add(struct world *w, enum slot_kind kind, int fd, int chan, int side);
int world_chan(struct world *w); /* or -1 */
void world_drop(struct world *w, int slot);

/* Makes c by that actor, prints it, folds it into the record. */
void world_do(struct world *w, int actor, struct call *c);

/* The same in two halves, for a call that blocks meanwhile. */
void world_begin(struct world *w, int actor, struct call *c, unsigned pause);
void world_end(struct world *w, int actor, struct call *c);
void world_fold(struct world *w,
                const struct call *c); /* the last part of it */

/* The call was made: what follows from it for slots and channels. */
void world_account(struct world *w, const struct call *c);

/* Waits until what the channels that were touched have on their way has
 * arrived. */
void world_settle(struct world *w);

/* ---- raw.c ------------------------------------------------------------------
 *
 * Asks the kernel, by system calls that are nobody's hooks. */

int raw_poll(int fd, int events); /* revents */
int raw_queued(int fd);           /* FIONREAD */
bool raw_nonblock(int fd);
int raw_option(int fd, int option);
int64_t raw_timeout_ms(int fd, int option); /* 0: none */
int raw_tcp_state(int fd);
void raw_no_delay(int fd); /* or what comes to rest would take 40 ms */
uint64_t raw_inode(int fd);
void raw_pause(void); /* some microseconds */

/* ---- world_open.c -----------------------------------------------------------
 */

void world_open(struct world *w, const struct step *s);
void world_listen(struct world *w, const struct step *s);
int world_socket(struct world *w, enum slot_kind kind, bool nonblock);

#endif
