/* hook_host.c - the look-ups that return something of libc's own.
 *
 * libc's is one for the process, overwritten by the next call.  In coroutines
 * each has its own, freed when the coroutine ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/hook_real.h"
#include <pthread.h>
#include <stdlib.h>

enum { BUF_FIRST = 1024, BUF_MOST = 1024 * 1024 };

struct result {
    struct hostent host;
    char *buf;
    size_t len;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key;

static void result_free(void *value)
{
    struct result *r = value;

    free(r->buf);
    free(r);
}

static void make_key(void) { key = co_key_create(result_free); }

/* The coroutine's own; NULL without memory. */
static struct result *own(void)
{
    struct result *r;

    (void)pthread_once(&once, make_key);
    if (key < 0)
        return NULL;
    r = co_key_get(key);
    if (r != NULL)
        return r;
    r = calloc(1, sizeof *r);
    if (r != NULL && co_key_set(key, r) < 0) {
        free(r);
        return NULL;
    }
    return r;
}

static int grow(struct result *r)
{
    size_t len = r->len == 0 ? BUF_FIRST : 2 * r->len;
    char *buf = len > BUF_MOST ? NULL : realloc(r->buf, len);

    if (buf == NULL)
        return -1;
    r->buf = buf;
    r->len = len;
    return 0;
}

/* By address when name is NULL. */
static struct hostent *look_up(const char *name, const void *addr,
                               socklen_t addr_len, int af)
{
    struct result *r = own();
    struct hostent *found = NULL;
    int err = ERANGE, herr = NETDB_INTERNAL;

    if (r == NULL) {
        h_errno = NETDB_INTERNAL;
        return NULL;
    }
    while (err == ERANGE && (r->len > 0 || grow(r) == 0)) {
        if (name == NULL)
            err = hook_gethostbyaddr_r(addr, addr_len, af, &r->host, r->buf,
                                       r->len, &found, &herr);
        else if (af < 0)
            err = hook_gethostbyname_r(name, &r->host, r->buf, r->len, &found,
                                       &herr);
        else
            err = hook_gethostbyname2_r(name, af, &r->host, r->buf, r->len,
                                        &found, &herr);
        if (err == ERANGE && grow(r) < 0)
            break;
    }
    if (found == NULL)
        h_errno = herr;
    return found;
}

struct hostent *hook_gethostbyname(const char *name)
{
    if (hook_plain())
        return hook_real.gethostbyname(name);
    return look_up(name, NULL, 0, -1);
}
HOOK_NAME(gethostbyname, hook_gethostbyname);

struct hostent *hook_gethostbyname2(const char *name, int af)
{
    if (hook_plain())
        return hook_real.gethostbyname2(name, af);
    return look_up(name, NULL, 0, af);
}
HOOK_NAME(gethostbyname2, hook_gethostbyname2);

struct hostent *hook_gethostbyaddr(const void *addr, socklen_t len, int af)
{
    if (hook_plain())
        return hook_real.gethostbyaddr(addr, len, af);
    return look_up(NULL, addr, len, af);
}
HOOK_NAME(gethostbyaddr, hook_gethostbyaddr);
