/* mysql_wait.c - waiting for a server.
 *
 * When time is up the statement is stopped from a second connection, and the
 * wait goes on: the server then answers this one with an error, and it stays
 * usable.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>

#define AGAIN_AFTER (20 * CO_MSEC)
#define LAST_WORD CO_SECOND

/* ---- While it connects -----------------------------------------------------
 */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key = -1;
static __thread const int64_t *of_thread;

static void make_key(void) { key = co_key_create(NULL); }

void mysql_connect_until(const int64_t *deadline)
{
    (void)pthread_once(&once, make_key);
    if (co_self() == NULL)
        of_thread = deadline;
    else if (key >= 0) /* else co_limit_deadline() alone bounds it */
        (void)co_key_set(key, (void *)deadline);
}

/* The library gives nothing but the socket, and for TLS seconds where it means
 * milliseconds. */
int mysql_wait_connecting(my_socket fd, my_bool is_read, int ms)
{
    const int64_t *limit = co_self() == NULL ? of_thread : co_key_get(key);
    int64_t deadline = limit != NULL ? *limit : co_after(ms * CO_MSEC);
    int flags = fcntl(fd, F_GETFL);

    /* TLS reads past this function, in the mode that the socket has. */
    if (flags >= 0 && !(flags & O_NONBLOCK))
        (void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    if (co_fd_wait(fd, is_read ? CO_READ : CO_WRITE, deadline) > 0)
        return 1;
    if (errno != ETIMEDOUT && errno != ECANCELED)
        return -1;
    errno = ETIMEDOUT;
    return 0;
}

/* ---- Later -----------------------------------------------------------------
 */

/* Whoever this was told to may have done it, even when no answer came.  False:
 * there is no use in trying again. */
static bool tell_server(struct mysql_conn *c)
{
    struct net_pool *killers = c->pool->killers;
    char sql[64];
    MYSQL *other;
    unsigned code;

    if (killers == NULL)
        return false;
    other = net_pool_get(killers, c->stop_until);
    if (other == NULL)
        return errno == EBUSY;
    net_mysql_deadline(other, c->stop_until);
    (void)snprintf(sql, sizeof sql, "KILL QUERY %lu", mysql_thread_id(c->db));
    c->killed = true;
    (void)mysql_query(other, sql);
    code = mysql_errno(other);
    if (code != CR_SERVER_LOST && code != CR_SERVER_GONE_ERROR &&
        code != CR_SSL_CONNECTION_ERROR) {
        net_pool_put(killers, other);
        return code == 0;
    }
    net_pool_drop(killers, other); /* it was from before a restart, say */
    return true;
}

/* Whether there was an answer until c->stop_until.  Told again and again: the
 * server forgets what it is told before it has begun with the statement, which
 * may still be on its way. */
static bool stop_statement(struct mysql_conn *c, int fd, int events)
{
    int64_t pause = AGAIN_AFTER;

    for (;; pause *= 2) {
        int64_t until = co_after(pause);

        if (!tell_server(c))
            return false;
        if (until > c->stop_until)
            until = c->stop_until;
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

int mysql_wait(struct mysql_conn *c, int fd, int events, int ms)
{
    int64_t deadline = ms > 0 ? co_after(ms * CO_MSEC) : CO_FOREVER;

    if (c->deadline < deadline)
        deadline = c->deadline;
    if (co_fd_wait(fd, events, deadline) > 0)
        return 1;
    if (errno != ETIMEDOUT && errno != ECANCELED)
        return -1;
    if (wait_stopped(c, fd, events, errno))
        return 1;
    errno = ETIMEDOUT;
    return 0;
}
