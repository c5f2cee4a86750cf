/* mysql_wait.c - what the client library calls instead of blocking.
 *
 * The library gives the socket alone, so its connection is found by that
 * number.  When time is up the statement is stopped from a second connection,
 * and the wait goes on: the server then answers this one with an error, and it
 * stays usable.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

enum { FDS = 1 << 20 };

static _Atomic(struct mysql_conn *) conns[FDS];

int mysql_wait_register(int fd, struct mysql_conn *c)
{
    if (fd < 0 || fd >= FDS) {
        errno = EMFILE;
        return -1;
    }
    atomic_store(&conns[fd], c);
    return 0;
}

void mysql_wait_forget(int fd)
{
    if (fd >= 0 && fd < FDS)
        atomic_store(&conns[fd], NULL);
}

/* False: the server cannot be told. */
static bool stop_statement(struct mysql_conn *c)
{
    struct net_pool *killers = c->pool->killers;
    char sql[64];
    MYSQL *other;
    bool done;

    if (killers == NULL)
        return false;
    other = net_pool_get(killers, c->stop_until);
    if (other == NULL)
        return false;
    net_mysql_deadline(other, c->stop_until);
    (void)snprintf(sql, sizeof sql, "KILL QUERY %lu", mysql_thread_id(c->db));
    done = mysql_query(other, sql) == 0;
    if (done)
        net_pool_put(killers, other);
    else
        net_pool_drop(killers, other);
    return done;
}

/* Time is up, for the reason in errno.  Whether an answer came all the same. */
static bool wait_stopped(struct mysql_conn *c, int fd, int events)
{
    bool in_coroutine = co_self() != NULL;
    bool first = c->stop_until == 0, held = false, came = false;

    if (in_coroutine)
        held = co_hold_cancel(true);
    if (first) {
        c->stopped = errno;
        c->stop_until = co_after(NET_MYSQL_STOP);
    }
    if (!first || stop_statement(c))
        came = co_fd_wait(fd, events, c->stop_until) > 0;
    if (in_coroutine)
        (void)co_hold_cancel(held);
    return came;
}

/* 1: ready, 0: timed out, -1. */
int mysql_wait(my_socket fd, my_bool is_read, int ms)
{
    struct mysql_conn *c = fd >= 0 && fd < FDS ? atomic_load(&conns[fd]) : NULL;
    int64_t deadline = ms > 0 ? co_after(ms * CO_MSEC) : CO_FOREVER;
    int events = is_read ? CO_READ : CO_WRITE;

    if (c != NULL && c->deadline < deadline)
        deadline = c->deadline;
    if (co_fd_wait(fd, events, deadline) > 0)
        return 1;
    if (errno != ETIMEDOUT && errno != ECANCELED)
        return -1;
    if (c != NULL && wait_stopped(c, fd, events))
        return 1;
    errno = ETIMEDOUT;
    return 0;
}
