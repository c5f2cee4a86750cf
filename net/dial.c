/* dial.c - net_dial(): from text to a connection.
 *
 * The addresses of a name are tried in turn.  One that does not answer must not
 * use up the time of those behind it, so each gets an even share of what is
 * left; what it does not use falls to the others.
 *
 * SPDX-License-Identifier: MIT
 */
#include "co/sys.h"
#include "net/conn.h"
#include "net/net.h"
#include "net/resolve.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

/* The kernel may choose the very port that is dialled, and then connects the
 * socket with itself when nobody listens there. */
static bool meets_itself(int fd, const struct addr *to)
{
    struct addr local = { .len = sizeof local.as };

    return to->as.any.sa_family != AF_UNIX &&
           getsockname(fd, &local.as.any, &local.len) == 0 &&
           addr_port(&local) == addr_port(to) && local.len == to->len &&
           memcmp(&local.as, &to->as, to->len) == 0;
}

/* A connected socket, or -1. */
static int dial_one(const struct addr *to, int64_t deadline)
{
    static const int on = 1;
    int fd = co_socket(to->as.any.sa_family, SOCK_STREAM, 0);
    int err;

    if (fd < 0)
        return -1;
    if (co_connect(fd, &to->as.any, to->len, deadline) < 0) {
        err = errno;
    } else if (meets_itself(fd, to)) {
        err = ECONNREFUSED;
    } else {
        /* Fails on unix sockets, which send at once as they are. */
        (void)sys.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        return fd;
    }
    (void)co_close(fd);
    errno = err;
    return -1;
}

static int64_t share(int64_t deadline, int addresses)
{
    int64_t left;

    if (addresses == 1 || deadline == CO_FOREVER || deadline <= CO_NOWAIT)
        return deadline;
    left = deadline - co_now();
    return left <= 0 ? deadline : deadline - left + left / addresses;
}

struct net_conn *net_dial(const char *addr, int64_t deadline)
{
    struct addr to[RESOLVE_MAX];
    int count = resolve_text(addr, to, NULL, deadline);

    for (int i = 0; i < count; i++) {
        int fd = dial_one(&to[i], share(deadline, count - i));

        if (fd >= 0)
            return conn_open(fd, &to[i]);
        if (errno == ECANCELED)
            break;
    }
    return NULL;
}
