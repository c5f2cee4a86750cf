/* mysql.h - a pool of connections to MySQL and MariaDB.  Conventions as in
 * co/co.h.
 *
 *     struct net_mysql_config config = { .url = "mysql://me@db.example/shop" };
 *     struct net_pool *pool = net_mysql_pool(&config);
 *     MYSQL *db = net_pool_get(pool, co_after(200 * CO_MSEC));
 *
 *     net_mysql_deadline(db, co_after(2 * CO_SECOND));
 *     if (mysql_query(db, "SELECT ...") != 0) ...
 *     net_pool_put(pool, db);
 *
 * The items are the client library's own, and so are the calls: they suspend
 * the coroutine where they would block.  Waiting goes through the library's
 * callback for that (MARIADB_OPT_IO_WAIT of MariaDB Connector/C, which Debian's
 * default-libmysqlclient-dev is), so it needs no hooks; only a name of a host
 * is then looked up, with the whole connect, on a thread of co_offload().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_MYSQL_H
#define NET_MYSQL_H

#include "net/pool.h"
#include <mysql.h>

#pragma GCC visibility push(default)
#ifdef __cplusplus
extern "C" {
#endif

enum {
    NET_TLS_DEFAULT,  /* NET_TLS_VERIFY unless the host is local */
    NET_TLS_OFF,      /* in the clear */
    NET_TLS_REQUIRED, /* encrypted, to whoever answers */
    NET_TLS_VERIFY    /* encrypted, to who has a certificate for the host */
};

struct net_mysql_config { /* public; zero means the default; copied */
    /* mysql://user:password@host:port/database?socket=PATH&tls=off|required|
     * verify&tls-ca=FILE, each part but the first may be missing, %XX stands
     * for a byte.  The fields below win over it. */
    const char *url;
    const char *host;     /* "localhost" and NULL mean the socket, as to the
                             library, unless a port is given */
    const char *socket;   /* path; the library's own */
    const char *user;     /* as the library has it: $USER */
    const char *password; /* none */
    const char *database; /* none */
    unsigned port;        /* 3306 */
    int tls;              /* NET_TLS_* */
    const char *tls_ca;   /* file of certificates to trust; the system's */
    int64_t stop_timeout; /* see net_mysql_deadline(); 5 s */
    struct net_pool_options pool;
};

/* A pool whose items are MYSQL *, in utf8mb4.  Opens none yet, but for
 * pool.min.  NULL with EINVAL for a config that is wrong, as net_mysql_error(
 * NULL) says in words, or ENOMEM.  net_pool_get() of it fails, besides as
 * always, with EACCES (user, password, database), ECONNREFUSED (nobody there),
 * EHOSTUNREACH (no such host), EPROTO (TLS), EBUSY (too many connections), EIO.
 *
 * What is put back while a transaction is open is rolled back first; with rows
 * that were not taken but for those of net_mysql_prepare(), or broken, it is
 * closed.  [any] */
struct net_pool *net_mysql_pool(const struct net_mysql_config *config);

/* What failed last, in words: "1064 (42000) You have an error ...".  Of db; or
 * with NULL, of the caller's net_mysql_pool() or net_pool_get().  Never NULL;
 * good until the next call.  [any] */
const char *net_mysql_error(MYSQL *db);

/* Until then all that is called for db waits, CO_FOREVER at first and whenever
 * it comes from the pool.  Past it, or when the coroutine is cancelled or its
 * co_limit_deadline() passes, the statement is stopped on the server (KILL
 * QUERY, from a connection of the pool's own): the call, or the one that takes
 * its rows, fails with 1317 ER_QUERY_INTERRUPTED, or, if the server does not
 * answer within the config's stop_timeout, 2013 CR_SERVER_LOST; one that was at
 * its end, or in SLEEP(), may succeed all the same.  db may be put back in any
 * case.
 *
 * A result that is not wanted to its end need not be read to its end: with
 * CO_NOWAIT for the deadline, mysql_free_result() stops the statement.
 *
 * [any], but after a statement was stopped it [waits] for an answer */
void net_mysql_deadline(MYSQL *db, int64_t deadline);

/* Why the last call was stopped: ETIMEDOUT or ECANCELED; 0 if it was not. */
int net_mysql_stopped(MYSQL *db);

/* How long the server has for stopping a statement. */
/* fn(db, arg) within a transaction: 0 commits, all else rolls back.  When the
 * server has given up this one for another, by a deadlock (1213) or because a
 * lock took too long (1205), all of it is done again, up to 10 times with
 * pauses between.  What fn returned, or -1 with mysql_errno(db) when the
 * transaction could not begin or commit: 1213, 1205 after the last try. [waits]
 */
int net_mysql_transaction(MYSQL *db, int (*fn)(MYSQL *db, void *arg),
                          void *arg);

/* A prepared statement for that text, which the connection keeps: the next call
 * with the same text costs no round trip.  It belongs to db, at most
 * NET_MYSQL_STATEMENTS of them, who was not used for longest goes.  Results of
 * its last use are freed, and rows that others have not taken.  NULL with
 * mysql_errno(db).  [waits] */
MYSQL_STMT *net_mysql_prepare(MYSQL *db, const char *sql);

enum { NET_MYSQL_STATEMENTS = 64 }; /* of a connection */

#ifdef __cplusplus
}
#endif
#pragma GCC visibility pop
#endif
