/* mysql_kit.h - what the tests of net/mysql.h share.
 *
 * Each runs without the hooks and with them, in coroutines and on a thread
 * without a scheduler: a header with the cases, and a program for each way.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_KIT_H
#define TESTS_MYSQL_KIT_H

#include "net/mysql.h"
#include "tests/clients.h"
#include <mysqld_error.h>

#define SOON co_after(30 * CO_SECOND)

/* The user "me" of servers.py, by TCP. */
static inline struct net_mysql_config plain(unsigned max)
{
    return (struct net_mysql_config){ .host = "127.0.0.1",
                                      .port =
                                          (unsigned)server_port("MYSQL_PORT"),
                                      .user = "me",
                                      .password = "pass word",
                                      .database = "test",
                                      .pool = { .max = max } };
}

static inline struct net_pool *pool_of(struct net_mysql_config config)
{
    struct net_pool *p = net_mysql_pool(&config);

    if (p == NULL)
        fprintf(stderr, "    %s\n", net_mysql_error(NULL));
    CHECK(p != NULL);
    return p;
}

static inline MYSQL *get(struct net_pool *p)
{
    MYSQL *db = net_pool_get(p, SOON);

    if (db == NULL)
        fprintf(stderr, "    %s\n", net_mysql_error(NULL));
    CHECK(db != NULL);
    return db;
}

static inline void run_sql(MYSQL *db, const char *sql)
{
    if (mysql_query(db, sql) != 0)
        fprintf(stderr, "    %s: %s\n", sql, net_mysql_error(db));
    CHECK_EQ(mysql_errno(db), 0);
}

static inline long number(MYSQL *db, const char *sql)
{
    MYSQL_RES *rows;
    MYSQL_ROW row;
    long n;

    run_sql(db, sql);
    CHECK((rows = mysql_store_result(db)) != NULL);
    CHECK((row = mysql_fetch_row(rows)) != NULL);
    n = row[0] == NULL ? -1 : atol(row[0]);
    mysql_free_result(rows);
    return n;
}

#define ENDLESS                                                                \
    "SELECT COUNT(*) FROM information_schema.columns a,"                       \
    " information_schema.columns b, information_schema.columns c"

static inline long running(MYSQL *db)
{
    return number(db, "SELECT COUNT(*) FROM information_schema.processlist "
                      "WHERE info LIKE 'SELECT COUNT(*) FROM information"
                      "_schema.columns a%'");
}

static inline void is_stopped(MYSQL *db, int why)
{
    /* The server may have begun with an answer that has rows. */
    CHECK(mysql_query(db, ENDLESS) != 0 || mysql_store_result(db) == NULL);
    CHECK_EQ(net_mysql_stopped(db), why);
    CHECK_EQ(mysql_errno(db), ER_QUERY_INTERRUPTED);
    CHECK(strstr(net_mysql_error(db), "1317 (70100)") != NULL);
}

static inline void mysql_root(void *cases) { (*(void (**)(void))cases)(); }

/* main() of such a program. */
static inline int run_mysql(void (*cases)(void))
{
    if (getenv("SERVERS") == NULL) {
        printf("skipped: tests/servers.py runs this\n");
        return 77;
    }
    fprintf(stderr, " on a thread\n");
    cases();
    fprintf(stderr, " in coroutines\n");
    in_coroutines = true;
    CHECK_EQ(co_run(mysql_root, &cases, &(struct co_config){ .schedulers = 2 }),
             0);
    return 0;
}

#endif
