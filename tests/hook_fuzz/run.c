/* run.c - a program from its first step to its last.
 *
 * Descriptors of the program are numbered from FD_BASE on, as what is below is
 * taken: so each program begins with the same numbers, and what it leaves open
 * is seen.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/hook_fuzz/step.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct run {
    char *buffers[ACTORS];
    unsigned place;
};

typedef void step_fn(struct world *w, const struct step *s);

static step_fn *const steps[STEP_KINDS] = {
    [STEP_OPEN] = world_open,        [STEP_READ] = step_read,
    [STEP_WRITE] = step_write,       [STEP_BIG] = step_big,
    [STEP_FILL] = step_fill,         [STEP_DRAIN] = step_drain,
    [STEP_CROWD] = step_crowd,       [STEP_POLL] = step_poll,
    [STEP_MODE] = step_mode,         [STEP_OPTION] = step_option,
    [STEP_QUERY] = step_query,       [STEP_DUP] = step_dup,
    [STEP_SHUTDOWN] = step_shutdown, [STEP_CLOSE] = step_close,
    [STEP_LISTEN] = world_listen,    [STEP_CONNECT] = step_connect,
    [STEP_ACCEPT] = step_accept,     [STEP_COPY] = step_copy,
};

struct run *run_open(void)
{
    struct run *r = calloc(1, sizeof *r);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (r == NULL || fd < 0)
        abort();
    for (int i = 0; i < ACTORS; i++)
        if ((r->buffers[i] = malloc(DATA_MOST + EDGE)) == NULL)
            abort();
    while (fd < FD_BASE - 1)
        if ((fd = dup(fd)) < 0)
            abort();
    r->place = (unsigned)getpid() * 7919U;
    return r;
}

void run_close(struct run *r)
{
    for (int i = 0; i < ACTORS; i++)
        free(r->buffers[i]);
    free(r);
}

/* Connections leave nothing behind, or the ports would run out. */
static void close_all(struct world *w)
{
    struct linger none = { .l_onoff = 1 };

    for (int i = 0; i < SLOTS; i++) {
        struct slot *s = &w->slots[i];

        if (s->kind == 0)
            continue;
        if (s->kind == SLOT_TCP)
            (void)syscall(SYS_setsockopt, s->fd, SOL_SOCKET, SO_LINGER, &none,
                          sizeof none);
        s->kind = 0;
        (void)close(s->fd);
    }
}

static int count_open(void)
{
    int count = 0;

    for (int fd = FD_BASE; fd < FD_NEVER; fd++)
        if (syscall(SYS_fcntl, fd, F_GETFD, 0) >= 0) {
            count++;
            (void)close(fd);
        }
    return count;
}

int run_program(struct run *r, struct crew *crew, const struct program *p,
                struct record *records, int verbose)
{
    struct world w = { .crew = crew, .verbose = verbose };

    memcpy(w.buffers, r->buffers, sizeof w.buffers);
    w.place = r->place;
    memset(records, 0, sizeof *records * p->count);
    for (unsigned i = 0; i < p->count; i++) {
        records[i].slot = -1;
        if (!program_has(p, i))
            continue;
        if (verbose >= 0)
            dprintf(verbose, "  %u: %s by %u\n", i,
                    step_name((enum step_kind)p->steps[i].kind),
                    p->steps[i].actor);
        w.record = &records[i];
        steps[p->steps[i].kind](&w, &p->steps[i]);
        world_settle(&w);
    }
    r->place = w.place;
    close_all(&w);
    return count_open();
}
