/* hook_names.c - looking up names.
 *
 * libc's own functions do it, on a thread of the offload pool, so the results
 * are theirs, order included.  They cannot be stopped: a caller whose limit
 * comes, or who is cancelled, leaves, and the job, which has copies of all it
 * needs, ends on its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_real.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct job {
    atomic_int users; /* who asked, and the coroutine that sees it through */
    struct co_sem done;
    void (*run)(struct job *j);
    int result, err, herr; /* what the call returned, errno, h_errno */

    char *name, *service;
    struct addrinfo hints, *list;
    bool has_hints;
    struct sockaddr_storage addr;
    socklen_t addr_len;
    int af, flags;
    struct hostent host, *found;
    char *buf, *buf2;
    size_t len, len2;
};

static void job_leave(struct job *j)
{
    if (atomic_fetch_sub(&j->users, 1) != 1)
        return;
    if (j->list != NULL)
        freeaddrinfo(j->list);
    free(j->name);
    free(j->service);
    free(j->buf);
    free(j->buf2);
    free(j);
}

static void run(void *arg)
{
    struct job *j = arg;

    if (atomic_load(&j->users) == 1)
        return; /* whoever asked left while others were looked up */
    errno = 0;
    j->run(j);
    j->err = errno;
}

static void see_through(void *arg)
{
    struct job *j = arg;

    if (co_offload_lookup(run, j) < 0) {
        j->err = errno;
        j->result = EAI_SYSTEM;
    }
    co_sem_post(&j->done);
    job_leave(j);
}

/* NULL for NULL. */
static bool copy_text(char **to, const char *from)
{
    *to = from == NULL ? NULL : strdup(from);
    return from == NULL || *to != NULL;
}

static struct job *job_new(void (*run_it)(struct job *j))
{
    struct job *j = calloc(1, sizeof *j);

    if (j == NULL)
        return NULL;
    j->run = run_it;
    atomic_init(&j->users, 1);
    return j;
}

/* 0 when it is done; -1 with errno, and the job goes on without us. */
static int job_wait(struct job *j)
{
    atomic_store(&j->users, 2);
    if (co_go(see_through, j) < 0) {
        atomic_store(&j->users, 1);
        return -1;
    }
    return co_sem_wait(&j->done, CO_FOREVER);
}

/* What the look-ups with EAI_ codes say of our own failures. */
static int eai_of(int err)
{
    if (err == ENOMEM)
        return EAI_MEMORY;
    errno = err;
    return err == ETIMEDOUT ? EAI_AGAIN : EAI_SYSTEM;
}

/* ---- getaddrinfo, getnameinfo
 * -------------------------------------------------
 */

static void run_getaddrinfo(struct job *j)
{
    j->result = real.getaddrinfo(j->name, j->service,
                                 j->has_hints ? &j->hints : NULL, &j->list);
}

int hook_getaddrinfo(const char *node, const char *service,
                     const struct addrinfo *hints, struct addrinfo **list)
{
    struct job *j;
    int r;

    if (hook_plain())
        return real.getaddrinfo(node, service, hints, list);
    j = job_new(run_getaddrinfo);
    if (j == NULL)
        return EAI_MEMORY;
    if (!copy_text(&j->name, node) || !copy_text(&j->service, service)) {
        job_leave(j);
        return EAI_MEMORY;
    }
    if (hints != NULL) {
        j->has_hints = true;
        j->hints = *hints;
    }
    if (job_wait(j) < 0) {
        r = eai_of(errno);
    } else {
        r = j->result;
        errno = j->err;
        if (r == 0) {
            *list = j->list;
            j->list = NULL;
        }
    }
    job_leave(j);
    return r;
}
HOOK_NAME(getaddrinfo, hook_getaddrinfo);

static void run_getnameinfo(struct job *j)
{
    j->result = hook_real.getnameinfo((const struct sockaddr *)&j->addr,
                                      j->addr_len, j->buf, (socklen_t)j->len,
                                      j->buf2, (socklen_t)j->len2, j->flags);
}

int hook_getnameinfo(const struct sockaddr *addr, socklen_t len, char *host,
                     socklen_t host_len, char *service, socklen_t service_len,
                     int flags)
{
    struct job *j;
    int r;

    if (hook_plain() || len > sizeof j->addr || addr == NULL)
        return hook_real.getnameinfo(addr, len, host, host_len, service,
                                     service_len, flags);
    j = job_new(run_getnameinfo);
    if (j == NULL)
        return EAI_MEMORY;
    memcpy(&j->addr, addr, len);
    j->addr_len = len;
    j->flags = flags;
    j->len = host != NULL ? host_len : 0;
    j->len2 = service != NULL ? service_len : 0;
    if ((j->len > 0 && (j->buf = malloc(j->len)) == NULL) ||
        (j->len2 > 0 && (j->buf2 = malloc(j->len2)) == NULL)) {
        r = EAI_MEMORY;
    } else if (job_wait(j) < 0) {
        r = eai_of(errno);
    } else {
        r = j->result;
        errno = j->err;
        if (r == 0 && j->len > 0)
            memcpy(host, j->buf, j->len);
        if (r == 0 && j->len2 > 0)
            memcpy(service, j->buf2, j->len2);
    }
    job_leave(j);
    return r;
}
HOOK_NAME(getnameinfo, hook_getnameinfo);

/* ---- gethostby*_r
 * ---------------------------------------------------------------
 *
 * The result points into the buffer.  The job has one of its own, as long; what
 * points into that is moved when it is copied. */

static void *moved(const struct job *j, char *buf, const void *p)
{
    uintptr_t offset = (uintptr_t)p - (uintptr_t)j->buf;

    return p != NULL && offset < j->len ? buf + offset : (void *)(uintptr_t)p;
}

static char **moved_list(const struct job *j, char *buf, char **list)
{
    char **to = moved(j, buf, list);

    if (to != NULL && to != list)
        for (char **p = to; *p != NULL; p++)
            *p = moved(j, buf, *p);
    return to;
}

static void take_host(struct job *j, struct hostent *ret, char *buf)
{
    memcpy(buf, j->buf, j->len);
    *ret = j->host;
    ret->h_name = moved(j, buf, j->host.h_name);
    ret->h_aliases = moved_list(j, buf, j->host.h_aliases);
    ret->h_addr_list = moved_list(j, buf, j->host.h_addr_list);
}

/* j is released.  As gethostbyname_r(3): 0 or an errno. */
static int finish_host(struct job *j, struct hostent *ret, char *buf,
                       struct hostent **result, int *herr)
{
    int r;

    *result = NULL;
    if (j->buf == NULL) {
        r = ENOMEM;
        *herr = NETDB_INTERNAL;
    } else if (job_wait(j) < 0) {
        r = errno;
        *herr = r == ETIMEDOUT ? TRY_AGAIN : NETDB_INTERNAL;
    } else {
        r = j->result == EAI_SYSTEM ? j->err : j->result;
        *herr = j->herr;
        if (j->found != NULL) {
            take_host(j, ret, buf);
            *result = ret;
        }
    }
    job_leave(j);
    errno = r;
    return r;
}

static void run_byname(struct job *j)
{
    j->result =
        j->af < 0 ? hook_real.gethostbyname_r(j->name, &j->host, j->buf, j->len,
                                              &j->found, &j->herr)
                  : hook_real.gethostbyname2_r(j->name, j->af, &j->host, j->buf,
                                               j->len, &j->found, &j->herr);
}

static void run_byaddr(struct job *j)
{
    j->result =
        hook_real.gethostbyaddr_r(&j->addr, j->addr_len, j->af, &j->host,
                                  j->buf, j->len, &j->found, &j->herr);
}

static int by_name(const char *name, int af, struct hostent *ret, char *buf,
                   size_t len, struct hostent **result, int *herr)
{
    struct job *j = job_new(run_byname);

    if (j == NULL || !copy_text(&j->name, name)) {
        if (j != NULL)
            job_leave(j);
        *result = NULL;
        *herr = NETDB_INTERNAL;
        return ENOMEM;
    }
    j->af = af;
    j->len = len;
    j->buf = malloc(len + 1);
    return finish_host(j, ret, buf, result, herr);
}

int hook_gethostbyname_r(const char *name, struct hostent *ret, char *buf,
                         size_t len, struct hostent **result, int *err)
{
    if (hook_plain())
        return hook_real.gethostbyname_r(name, ret, buf, len, result, err);
    return by_name(name, -1, ret, buf, len, result, err);
}
HOOK_NAME(gethostbyname_r, hook_gethostbyname_r);

int hook_gethostbyname2_r(const char *name, int af, struct hostent *ret,
                          char *buf, size_t len, struct hostent **result,
                          int *err)
{
    if (hook_plain())
        return hook_real.gethostbyname2_r(name, af, ret, buf, len, result, err);
    return by_name(name, af, ret, buf, len, result, err);
}
HOOK_NAME(gethostbyname2_r, hook_gethostbyname2_r);

int hook_gethostbyaddr_r(const void *addr, socklen_t alen, int af,
                         struct hostent *ret, char *buf, size_t len,
                         struct hostent **result, int *err)
{
    struct job *j;

    if (hook_plain() || alen > sizeof j->addr)
        return hook_real.gethostbyaddr_r(addr, alen, af, ret, buf, len, result,
                                         err);
    j = job_new(run_byaddr);
    if (j == NULL) {
        *result = NULL;
        *err = NETDB_INTERNAL;
        return ENOMEM;
    }
    memcpy(&j->addr, addr, alen);
    j->addr_len = alen;
    j->af = af;
    j->len = len;
    j->buf = malloc(len + 1);
    return finish_host(j, ret, buf, result, err);
}
HOOK_NAME(gethostbyaddr_r, hook_gethostbyaddr_r);
