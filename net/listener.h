/* listener.h - listening sockets, for net_serve().
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_LISTENER_H
#define NET_LISTENER_H

#include "net/addr.h"
#include "net/net.h"
#include "net/users.h"

struct net_listener {
    /* Constant. */
    struct addr addr; /* as bound */
    struct net_listen_options options;
    int fd;
    dev_t dev; /* of a unix socket's file, */
    ino_t ino; /* so that only our own is removed */

    users_t users; /* any thread, atomic */
};

/* One more socket on the same port, for co_close(); -1 with errno. */
int listener_add(struct net_listener *l);

/* Accepts from fd, which is of l or was added to it.  As net_accept(), but for
 * EBADF. */
struct net_conn *listener_accept(int fd, int64_t deadline);

#endif
