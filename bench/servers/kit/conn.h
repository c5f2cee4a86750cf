/* conn.h - a connection of the servers that wait for many at a time: what has
 * to be kept of it between its turns.
 *
 * Between requests that is nothing.  The beginning of a request is kept until
 * its end comes, and answers that the peer does not take; nothing is read while
 * there are such.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_KIT_CONN_H
#define BENCH_SERVERS_KIT_CONN_H

#include "bench/servers/kit/answer.h"

enum conn_want {
    CONN_CLOSE,
    CONN_READ,  /* nothing more to be had now */
    CONN_WRITE, /* the peer has to take what is there */
    CONN_MORE,  /* others' turn, then this one's again */
};

struct conn_bytes {
    size_t at;
    size_t len;
    char data[2 * ANSWER_READ];
};

struct conn { /* zero but for fd */
    int fd;
    struct conn_bytes *in;  /* requests without an answer, or NULL */
    struct conn_bytes *out; /* answers that have not gone, or NULL */
};

/* Of each thread. */
struct conn_scratch {
    struct answer answer;
    char in[2 * ANSWER_READ];
    char out[ANSWER_OUT];
};

/* Reads and answers.  drain says whether to go on after a read that was short,
 * since no event will tell of what follows; once, to stop after one. */
enum conn_want conn_serve(struct conn *c, struct conn_scratch *s, bool drain,
                          bool once);

/* The same in three parts, for servers that divide them among threads.
 * Receiving: CONN_READ when something has come, CONN_MORE when nothing.
 * Answering: CONN_WRITE when there is something to send.  Sending: CONN_READ
 * when all has gone; if c->in->len is not 0 then, that is to be answered before
 * more is received.  c->in and c->out remain for the next time. */
enum conn_want conn_receive(struct conn *c, bool once);
enum conn_want conn_answer(struct conn *c, struct conn_scratch *s);
enum conn_want conn_flush(struct conn *c);

/* Frees what it holds, and closes it. */
void conn_end(struct conn *c);

#endif
