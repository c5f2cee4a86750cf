/* resolve.c - see resolve.h.
 *
 * getaddrinfo() blocks its thread for as long as the name servers like, and
 * cannot be stopped.  So it runs in a job on the heap that a coroutine of its
 * own sees through; whoever asked may leave at its deadline, and the last of
 * the two frees the job.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/resolve.h"
#include "co/co.h"
#include "co/sys.h"
#include <errno.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct job {
    atomic_int users; /* who asked, and the coroutine */
    struct co_sem done;
    struct addr_name name;
    int err; /* set before done is posted: 0 or an errno */
    int count;
    struct addr found[RESOLVE_MAX];
};

static void job_leave(struct job *j)
{
    if (atomic_fetch_sub(&j->users, 1) == 1)
        free(j);
}

static int errno_of(int eai)
{
    switch (eai) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return ENOENT;
    case EAI_AGAIN:
        return EAGAIN;
    case EAI_MEMORY:
        return ENOMEM;
    case EAI_SYSTEM:
        return errno != 0 ? errno : EIO;
    default:
        return EIO;
    }
}

static void look_up(void *arg)
{
    struct job *j = arg;
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL, *i;
    int r;

    errno = 0;
    r = sys.getaddrinfo(j->name.host, NULL, &hints, &list);
    if (r != 0) {
        j->err = errno_of(r);
        return;
    }
    for (i = list; i != NULL && j->count < RESOLVE_MAX; i = i->ai_next) {
        struct addr *a = &j->found[j->count];

        if (i->ai_addrlen > sizeof a->as)
            continue;
        memcpy(&a->as, i->ai_addr, i->ai_addrlen);
        a->len = i->ai_addrlen;
        addr_set_port(a, j->name.port);
        j->count++;
    }
    freeaddrinfo(list);
    if (j->count == 0)
        j->err = ENOENT;
}

static void see_through(void *arg)
{
    struct job *j = arg;

    if (co_offload_lookup(look_up, j) < 0)
        j->err = errno;
    co_sem_post(&j->done);
    job_leave(j);
}

static int take_result(const struct job *j, struct addr *out)
{
    if (j->err != 0) {
        errno = j->err;
        return -1;
    }
    memcpy(out, j->found, (size_t)j->count * sizeof *out);
    return j->count;
}

int resolve(const struct addr_name *name, struct addr out[RESOLVE_MAX],
            int64_t deadline)
{
    struct job *j = calloc(1, sizeof *j);
    int r = -1, err;

    if (j == NULL)
        return -1;
    j->name = *name;
    atomic_init(&j->users, 2);
    if (co_go(see_through, j) < 0) {
        j->users = 1;
        /* A thread of a program that has not started the runtime. */
        if (errno == ESHUTDOWN && co_self() == NULL) {
            look_up(j);
            r = take_result(j, out);
        }
    } else if (co_sem_wait(&j->done, deadline) == 0) {
        r = take_result(j, out);
    }
    err = errno;
    job_leave(j);
    errno = err;
    return r;
}

int resolve_text(const char *text, struct addr out[RESOLVE_MAX], bool *all,
                 int64_t deadline)
{
    struct addr_name name;
    int kind = addr_parse(text, &out[0], &name);

    if (kind == ADDR_NAME)
        return resolve(&name, out, deadline);
    if (kind == ADDR_ALL && all == NULL) {
        errno = EINVAL;
        return -1;
    }
    if (all != NULL)
        *all = kind == ADDR_ALL;
    return kind < 0 ? -1 : 1;
}
