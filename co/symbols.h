/* symbols.h - names of code addresses, and a backtrace made of them.
 *
 * Private to co/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CO_SYMBOLS_H
#define CO_SYMBOLS_H

#include "co/record.h"

enum { TRACE_FRAMES = 8 };

struct symbol {
    const void *pc;       /* a return address; NULL: a free place */
    const char *function; /* NULL: not known */
    const char *file;     /* without its directory; NULL: not known */
    int line;
    const char *module; /* without its directory */
    uintptr_t offset;   /* of the address in its module */
    bool ours;          /* code of corten's */
    bool exported;      /* and its users call it */
};

struct trace {
    const struct symbol *call; /* of corten's, the outermost: NULL: unknown */
    const struct symbol *frames[TRACE_FRAMES]; /* whose code called that */
    unsigned count;
};

struct symbols;

struct symbols *symbols_open(void); /* NULL ENOMEM */
void symbols_close(struct symbols *s);

/* In words, why no static functions and no lines are known; NULL: they are. */
const char *symbols_lack(const struct symbols *s);

/* Good until symbols_close(). */
void symbols_trace(struct symbols *s, const struct record *r, struct trace *t);

#endif
