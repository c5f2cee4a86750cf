/* mysql_transaction.c - transactions, again where the server gave one up.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <mysqld_error.h>
#include <stdlib.h>

enum { TRIES = 10, PAUSE_MAX_MS = 64 };

static bool given_up(MYSQL *db)
{
    unsigned code = mysql_errno(db);

    return code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT;
}

/* As if nothing had been asked since the error. */
static void roll_back(MYSQL *db)
{
    struct mysql_failure f;

    mysql_failure_keep(&f, db);
    if (mysql_rollback(db) == 0)
        mysql_failure_restore(&f, db);
}

/* Two who were in each other's way should not come back at the same time. */
static int64_t pause_until(int again, unsigned *seed)
{
    int64_t most = (1 << again) < PAUSE_MAX_MS ? 1 << again : PAUSE_MAX_MS;

    return co_after(rand_r(seed) % (most * CO_MSEC));
}

int net_mysql_transaction(MYSQL *db, int (*fn)(MYSQL *db, void *arg), void *arg)
{
    unsigned seed = (unsigned)mysql_thread_id(db);
    int result;

    for (int again = 1;; again++) {
        bool retry;

        if (mysql_query(db, "START TRANSACTION") != 0)
            return -1;
        result = fn(db, arg);
        if (result == 0 && mysql_commit(db) == 0)
            return 0;
        if (result == 0)
            result = -1;
        retry = given_up(db) && again < TRIES;
        roll_back(db);
        if (!retry || co_sleep_until(pause_until(again, &seed)) < 0)
            return result;
    }
}
