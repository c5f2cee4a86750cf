/* call.h - one call of libc, with everything that goes in and comes out.
 *
 * It is put together by whoever conducts the program, made by one of its
 * actors, and then printed and folded into the step's record.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOOK_FUZZ_CALL_H
#define HOOK_FUZZ_CALL_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    PARTS_MOST = 4, /* of a vector, or messages */
    POLLS_MOST = 3, /* descriptors that are waited for */
    DATA_MOST = 768 * 1024,
    EDGE = 64,     /* bytes after the data that must stay as they are */
    FD_NEVER = 127 /* is never open; select() looks only at numbers below
                     what the process has room for, 128 at least */
};

enum call_kind {
    CALL_READ,
    CALL_READV,
    CALL_PREADV2,
    CALL_RECV,
    CALL_RECVFROM,
    CALL_RECVMSG,
    CALL_RECVMMSG,
    CALL_WRITE,
    CALL_WRITEV,
    CALL_PWRITEV2,
    CALL_SEND,
    CALL_SENDTO,
    CALL_SENDMSG,
    CALL_SENDMMSG,
    CALL_TAKE, /* reads until all of len has come */
    CALL_POLL,
    CALL_PPOLL,
    CALL_SELECT,
    CALL_PSELECT,
    CALL_EPOLL_WAIT,
    CALL_EPOLL_PWAIT,
    CALL_ACCEPT,
    CALL_ACCEPT4,
    CALL_CONNECT,
    CALL_CLOSE,
    CALL_SHUTDOWN,
    CALL_DUP,
    CALL_DUP2,
    CALL_DUP3,
    CALL_DUPFD,
    CALL_SETFL,
    CALL_GETFL,
    CALL_FIONBIO,
    CALL_FIONREAD,
    CALL_SET_TIMEOUT,
    CALL_SET_SIZE,
    CALL_GET_OPTION,
    CALL_SENDFILE,
    CALL_SPLICE,
    CALL_KINDS
};

struct call {
    enum call_kind kind;
    int slot; /* of fd, in the world */
    int fd;
    int fd2;          /* of dup2, sendfile, splice */
    int flags;        /* as its manual page calls them; or `how`, an option */
    int value;        /* of an option; of poll's time-out, in ms */
    size_t len;       /* of the data, all parts together */
    unsigned parts;   /* of a vector, messages */
    uint32_t pattern; /* what the data is made of */
    uint64_t number;  /* or this is the data, unless 0: of an eventfd */
    unsigned room;    /* for control data */
    int pass;         /* a descriptor to send, or -1 */
    int pass_slot;
    struct sockaddr_storage addr;
    socklen_t addr_len; /* 0: none is given */
    struct pollfd polls[POLLS_MOST];
    unsigned poll_count;

    char *buf;         /* DATA_MOST + EDGE bytes, the actor's */
    int64_t ret;       /* what it returned */
    int err;           /* errno, when that was -1 */
    uint32_t hash;     /* of all else that came out */
    int made[2];       /* descriptors that it made, or -1 */
    int64_t bytes;     /* moved, all messages together */
    unsigned messages; /* that were moved */
    int msg_flags;
};

/* A call that does nothing special. */
struct call call_of(enum call_kind kind, int slot, int fd);

/* Makes the call.  buf is set by then. */
void call_make(struct call *c);

/* One line about it, also before it has been made. */
void call_print(const struct call *c, char *line, size_t size);

uint32_t hash_more(uint32_t hash, uint64_t value);

/* Those of call_data.c, call_wait.c, call_file.c: 1 when the kind is theirs. */
int call_make_data(struct call *c);
int call_make_wait(struct call *c);
int call_make_file(struct call *c);

#endif
