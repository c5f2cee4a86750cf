/* files.h - a folder of files for servers to serve, which goes with the
 * process.
 *
 * They are called 0, 1, 2 ..., their sizes are spread so that each doubling has
 * as many of them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_HTTP_FILES_H
#define BENCH_HTTP_FILES_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/types.h>

struct files {
    unsigned count;
    size_t min, max; /* bytes of one */
    char folder[32];
    char *bytes; /* that they have pieces of */
    pid_t remover;
    int end; /* closed when the folder is to go */
};

/* Makes them in a new folder, with count, min and max as set, and waits until
 * they are on the disk, so that nothing of it is left to be done later.  0, or
 * -1 with nothing left behind.  However the process ends, the folder goes. */
int files_open(struct files *f);
void files_close(struct files *f);

/* Asks for each of them once, over one connection, and compares all bytes, and
 * which fields there are.  -1 with errno; EPROTO for an answer that is wrong,
 * which is said then. */
int files_check(const struct files *f, const struct sockaddr_in *addr);

#endif
