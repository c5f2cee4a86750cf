/* dump.h - a report while it is written.
 *
 * Private to co/.  A form turns a snapshot into text: its functions get the
 * report, and put text into `out`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_DUMP_H
#define CO_DUMP_H

#include "co/snapshot.h"
#include "co/symbols.h"
#include "co/text.h"

struct dump;

struct dump_form {
    void (*begin)(struct dump *d);
    void (*record)(struct dump *d, unsigned sched, const struct record *r);
    void (*end)(struct dump *d);
};

extern const struct dump_form dump_text, dump_json, dump_group;

struct groups;

struct dump {
    const struct dump_form *const *forms; /* one after the other, NULL ends */
    size_t limit;                         /* of records in dump_text */
    struct snapshot shot;
    struct symbols *symbols;
    struct groups *groups; /* of dump_group */
    size_t shown;
    unsigned part; /* where it is */
    size_t at;
    bool taken, begun, done;
    bool headed; /* dump_header() was called */
    int err;
    const char *file_at; /* the last dump_file() */
    char file[64];
    struct text out; /* what is to be written next */
};

/* Writes all forms to fd, with write(2) from this thread.  0, or -1. */
int dump_write(int fd, const struct dump_form *const *forms, size_t limit);

/* ---- Words that several forms use -------------------------------------------
 */

/* Of all: how many there are, and what is wrong.  Once a report; false: there
 * is no runtime to say more of. */
bool dump_header(struct dump *d);

/* "read", "mutex": of a record that waits. */
const char *dump_kind(const struct record *r);

/* The function of ours that it is in, or NULL: of the trace, if that knows.  A
 * call at a function's end leaves no frame; then it follows from the kind. */
const char *dump_call(const struct record *r, const struct trace *t);

/* The name of the source file where it was spawned, without the directory; good
 * until the next call. */
const char *dump_file(struct dump *d, const struct record *r);

/* Puts "mutex 0x5581 held by 17 "root"" of a record that waits. */
void dump_wait(struct text *t, const struct record *r);

/* Puts a frame: "handle echo.c:21", or what is known of it. */
void dump_frame(struct text *t, const struct symbol *s);

#endif
