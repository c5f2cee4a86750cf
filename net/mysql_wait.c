/* mysql_wait.c - what the client library calls instead of blocking.
 *
 * The library gives the socket alone, so its connection is found by that
 * number.  When time is up the statement is stopped from a second connection,
 * and the wait goes on: the server then answers this one with an error, and it
 * stays usable.
 *
 * The library closes a socket by itself when the connection is lost, and the
 * kernel gives the number to the next one; the table knows of that as late as
 * the owner closes what is left.  So nobody looks a number up before it is
 * registered for him: while it connects, the library calls another function.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <errmsg.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>

enum { FDS = 1 << 20 };

#define AGAIN_AFTER (20 * CO_MSEC)
#define LAST_WORD CO_SECOND

static _Atomic(struct mysql_conn *) conns[FDS];

int mysql_wait_register(int fd, struct mysql_conn *c)
{
    if (fd < 0 || fd >= FDS) {
        errno = EMFILE;
        return -1;
    }
    c->fd = fd;
    c->registered = true;
    atomic_store(&conns[fd], c);
    return 0;
}

void mysql_wait_forget(struct mysql_conn *c)
{
    struct mysql_conn *mine = c;

    if (c->registered) /* another one may have the number by now */
        (void)atomic_compare_exchange_strong(&conns[c->fd], &mine, NULL);
}

/* ---- While it connects -----------------------------------------------------
 */

/* Of a thread without coroutines; these have co_limit_deadline(). */
static __thread int64_t connect_deadline = CO_FOREVER;

void mysql_connect_until(int64_t deadline) { connect_deadline = deadline; }

int mysql_wait_connecting(my_socket fd, my_bool is_read, int ms)
{
    int64_t deadline = ms > 0 ? co_after(ms * CO_MSEC) : CO_FOREVER;

    if (co_self() == NULL && connect_deadline < deadline)
        deadline = connect_deadline;
    if (co_fd_wait(fd, is_read ? CO_READ : CO_WRITE, deadline) > 0)
        return 1;
    if (errno != ETIMEDOUT && errno != ECANCELED)
        return -1;
    errno = ETIMEDOUT;
    return 0;
}

/* ---- Later -----------------------------------------------------------------
 */

enum told { TOLD, IN_VAIN, NOT_NOW };

/* Whoever this was told to may have done it, even when no answer came. */
static enum told tell_server(struct mysql_conn *c)
{
    struct net_pool *killers = c->pool->killers;
    char sql[64];
    MYSQL *other;
    unsigned code;

    if (killers == NULL)
        return IN_VAIN;
    other = net_pool_get(killers, c->stop_until);
    if (other == NULL)
        return errno == EBUSY ? NOT_NOW : IN_VAIN;
    net_mysql_deadline(other, c->stop_until);
    (void)snprintf(sql, sizeof sql, "KILL QUERY %lu", mysql_thread_id(c->db));
    c->killed = true;
    (void)mysql_query(other, sql);
    code = mysql_errno(other);
    if (code != CR_SERVER_LOST && code != CR_SERVER_GONE_ERROR) {
        net_pool_put(killers, other);
        return code == 0 ? TOLD : IN_VAIN;
    }
    net_pool_drop(killers, other); /* it was from before a restart, say */
    return NOT_NOW;
}

/* Whether there was an answer until c->stop_until. */
static bool stop_statement(struct mysql_conn *c, int fd, int events)
{
    for (;;) {
        int64_t until = c->stop_until, again = co_after(AGAIN_AFTER);
        enum told told = tell_server(c);

        if (told == IN_VAIN)
            return false;
        if (told == NOT_NOW && again < until)
            until = again;
        if (co_fd_wait(fd, events, until) > 0)
            return true;
        if (until == c->stop_until)
            return false;
    }
}

/* Time is up, for that reason.  Whether an answer came all the same. */
static bool wait_stopped(struct mysql_conn *c, int fd, int events, int why)
{
    bool in_coroutine = co_self() != NULL;
    bool held = false, came;

    if (in_coroutine)
        held = co_hold_cancel(true);
    if (c->stop_until == 0) {
        c->stopped = why;
        c->stop_until = co_after(c->pool->stop_timeout);
        came = stop_statement(c, fd, events);
    } else {
        came = co_fd_wait(fd, events, c->stop_until) > 0;
        if (!came && c->stopped != 0) { /* one that was begun since */
            c->stop_until = co_after(LAST_WORD);
            (void)tell_server(c);
        }
    }
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
    if (c != NULL && wait_stopped(c, fd, events, errno))
        return 1;
    errno = ETIMEDOUT;
    return 0;
}
