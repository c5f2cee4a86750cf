/* wrap.c - stands between the probes and the hooks, and spoils one of them.
 *
 * The linker (--wrap=NAME) makes of each call of NAME one of __wrap_NAME(), and
 * of __real_NAME() the hook.  All are called with eight words, as many as any
 * hook takes; who takes fewer does not look at the others.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/co.h"
#include "tests/mutants/mutant.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>

typedef long call_fn(long, long, long, long, long, long, long, long);

struct words {
    long at[8];
};

enum { /* where descriptors stand */
       NONE = 0,
       FIRST = 1,
       SECOND = 2,
       THIRD = 4,
       RESULT = 8,
       PAIR_FIRST = 16,
       PAIR_FOURTH = 32,
       POLLED = 64,
       SELECTED = 128
};

enum error {
    NEVER,
    BY_ERRNO,
    BY_NULL, /* with errno */
    BY_RESULT,
    BY_H_ERRNO,
    BY_SIXTH, /* points to what tells */
    BY_SEVENTH,
    BY_EIGHTH
};

struct call {
    const char *name;
    unsigned descriptors;
    enum error error;
    call_fn *libc;
};

static struct call calls[] = {
#define CALL(name, descriptors, error) { #name, descriptors, error, NULL },
#define SAME(name, mutation, why)
#include "tests/mutants/calls.def"
#undef CALL
#undef SAME
};

static const struct {
    const char *name;
    enum mutation mutation;
    const char *why;
} same_as_hook[] = {
#define CALL(name, descriptors, error)
#define SAME(name, mutation, why) { #name, mutation, why },
#include "tests/mutants/calls.def"
#undef CALL
#undef SAME
    { "", AS_IT_IS, NULL },
};

static const size_t count = sizeof calls / sizeof *calls;
_Static_assert(sizeof calls / sizeof *calls <= CALLS_MAX,
               "there is room for all");

static int (*libc_fcntl)(int fd, int op, ...);
static bool (*traced)[CALLS_MAX];
static const struct probe_result *traced_results;
static const struct call *chosen;
static enum mutation chosen_mutation;

__attribute__((constructor)) static void find_libc(void)
{
    for (size_t i = 0; i < count; i++)
        *(void **)&calls[i].libc = dlsym(RTLD_NEXT, calls[i].name);
    *(void **)&libc_fcntl = dlsym(RTLD_NEXT, "fcntl");
}

/* ---- What a mutant does -----------------------------------------------------
 */

static void force(int fd)
{
    int err = errno, flags = libc_fcntl(fd, F_GETFL);

    if (flags >= 0)
        (void)libc_fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    errno = err;
}

static void force_polled(const struct pollfd *fds, nfds_t n)
{
    for (nfds_t i = 0; fds != NULL && i < n && i < 1024; i++)
        force(fds[i].fd);
}

static void force_selected(int n, const long *sets)
{
    for (int i = 0; i < 3; i++) {
        const fd_set *set = (const fd_set *)sets[i];

        for (int fd = 0; set != NULL && fd < n && fd < FD_SETSIZE; fd++) {
            if (FD_ISSET(fd, set))
                force(fd);
        }
    }
}

static void force_before(unsigned where, const struct words *w)
{
    for (int i = 0; i < 3; i++) {
        if (where & (unsigned)(FIRST << i))
            force((int)w->at[i]);
    }
    if (where & POLLED)
        force_polled((const struct pollfd *)w->at[0], (nfds_t)w->at[1]);
    if (where & SELECTED)
        force_selected((int)w->at[0], &w->at[1]);
}

static void force_after(unsigned where, const struct words *w, int result)
{
    const int *pair = (const int *)w->at[where & PAIR_FOURTH ? 3 : 0];

    if (where & RESULT)
        force(result);
    if (!(where & (PAIR_FIRST | PAIR_FOURTH)) || result < 0)
        return;
    force(pair[0]);
    force(pair[1]);
}

static long lose(const struct call *c, const struct words *w, long result)
{
    if ((c->error == BY_ERRNO && (int)result == -1) ||
        (c->error == BY_NULL && result == 0))
        errno = 0;
    if (c->error == BY_H_ERRNO && result == 0)
        h_errno = 0;
    if (c->error >= BY_SIXTH)
        *(int *)w->at[5 + (c->error - BY_SIXTH)] = 0;
    if (c->error >= BY_RESULT && c->error != BY_H_ERRNO && (int)result != 0) {
        errno = 0;
        return 12345;
    }
    return result;
}

static long call(call_fn *fn, const struct words *w)
{
    const long *a = w->at;

    return fn(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static long wrapped(const struct call *c, call_fn *hook, const struct words *w)
{
    enum mutation mutation = c == chosen ? chosen_mutation : AS_IT_IS;
    long result;

    if (co_self() == NULL)
        return call(hook, w);
    if (traced != NULL)
        traced[probe_here - traced_results][c - calls] = true;
    if (mutation == NONBLOCK)
        force_before(c->descriptors, w);
    result = call(mutation == PLAIN ? c->libc : hook, w);
    if (mutation == LOSES)
        result = lose(c, w, result);
    if (mutation == NONBLOCK)
        force_after(c->descriptors, w, (int)result);
    return result;
}

/* ---- The wrappers -----------------------------------------------------------
 */

enum {
#define CALL(name, descriptors, error) AT_##name,
#define SAME(name, mutation, why)
#include "tests/mutants/calls.def"
#undef CALL
#undef SAME
};

/* clang-format off */
#define CALL(name, descriptors, error)                                         \
    call_fn __real_##name;                                                     \
    call_fn __wrap_##name;                                                     \
    long __wrap_##name(long a, long b, long c, long d, long e, long f, long g, \
                       long h)                                                 \
    {                                                                          \
        struct words w = { { a, b, c, d, e, f, g, h } };                       \
        return wrapped(&calls[AT_##name], __real_##name, &w);                  \
    }
#define SAME(name, mutation, why)
#include "tests/mutants/calls.def"
/* clang-format on */

/* ---- Which there are --------------------------------------------------------
 */

size_t mutant_count(void) { return count; }

const char *mutant_name(size_t i) { return calls[i].name; }

const char *mutant_without(size_t i, enum mutation mutation, bool *same)
{
    const struct call *c = &calls[i];

    *same = false;
    if (mutation == PLAIN && c->libc == NULL)
        return "libc exports no such name to new programs";
    if (mutation == LOSES && c->error == NEVER)
        return "it tells of no errors";
    if (mutation == NONBLOCK && c->descriptors == NONE)
        return "it leaves no descriptor";
    *same = true;
    for (size_t k = 0; same_as_hook[k].why != NULL; k++) {
        if (strcmp(same_as_hook[k].name, c->name) == 0 &&
            same_as_hook[k].mutation == mutation)
            return same_as_hook[k].why;
    }
    return NULL;
}

void mutant_choose(size_t i, enum mutation mutation)
{
    chosen = &calls[i];
    chosen_mutation = mutation;
}

void mutant_trace(bool (*called)[CALLS_MAX], const struct probe_result *results)
{
    traced = called;
    traced_results = results;
}
