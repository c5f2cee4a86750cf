/* mysql_stop_cases.h - a deadline, or the end of a coroutine, in the middle of
 * things; and the KILL that it sends, which is late or hits the right one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_STOP_CASES_H
#define TESTS_MYSQL_STOP_CASES_H

#include "tests/mysql_kit.h"

static struct net_pool *stopping;

static void one_of_many(void *arg)
{
    (void)arg;
    for (long i = test_count(20); i > 0; i--) {
        MYSQL *db = get(stopping);

        net_mysql_deadline(db, co_after(20 * CO_MSEC));
        is_stopped(db, ETIMEDOUT);
        net_pool_put(stopping, db);
    }
}

static void many_at_once(void)
{
    char none[16];
    MYSQL *db;

    stopping = pool_of(plain(4));
    at_once(one_of_many, none, 1, sizeof none);
    CHECK_EQ(stats_of(stopping).dropped, 0);
    db = get(stopping);
    none_runs(db);
    net_pool_put(stopping, db);
    is_clean(stopping);
    net_pool_free(stopping);
}

/* A KILL that comes behind the end of its statement is not the next one's, not
 * even within one loan. */
static void late_kill(void)
{
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);
    char sql[64];

    for (long i = test_count(300); i > 0; i--) {
        (void)snprintf(sql, sizeof sql, "SELECT BENCHMARK(%ld, MD5('x'))",
                       500 * (i % 20));
        net_mysql_deadline(db, co_after((i % 7) * CO_MSEC / 4));
        if (mysql_query(db, sql) == 0)
            mysql_free_result(mysql_store_result(db));
        CHECK(mysql_errno(db) == 0 || mysql_errno(db) == ER_QUERY_INTERRUPTED);
        net_mysql_deadline(db, CO_FOREVER);
        CHECK_EQ(number(db, "SELECT 1"), 1);
    }
    net_pool_put(p, db);
    CHECK_EQ(stats_of(p).dropped, 0);
    is_clean(p);
    net_pool_free(p);
}

/* A KILL that comes before the server has begun is not lost. */
static void early_kill(void)
{
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);

    for (long i = test_count(300); i > 0; i--) {
        net_mysql_deadline(db, CO_NOWAIT);
        is_stopped(db, ETIMEDOUT);
    }
    net_pool_put(p, db);
    CHECK_EQ(stats_of(p).dropped, 0);
    is_clean(p);
    net_pool_free(p);
}

/* The first error stays what it is. */
static void keeps_error(void)
{
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);

    net_mysql_deadline(db, co_after(20 * CO_MSEC));
    is_stopped(db, ETIMEDOUT);
    net_mysql_deadline(db, CO_FOREVER);
    CHECK_EQ(mysql_errno(db), ER_QUERY_INTERRUPTED);
    CHECK_EQ(net_mysql_stopped(db), 0);
    net_pool_put(p, db);
    is_clean(p);
    net_pool_free(p);
}

/* One that is begun when time is up already is stopped as well, in the end. */
static void past_deadline(void)
{
    struct net_mysql_config c = plain(2);
    struct net_pool *p;
    MYSQL *db, *other;

    c.stop_timeout = 500 * CO_MSEC;
    p = pool_of(c);
    db = get(p);
    other = get(p);
    net_mysql_deadline(db, co_after(20 * CO_MSEC));
    is_stopped(db, ETIMEDOUT);
    CHECK(mysql_query(db, ENDLESS) != 0 || mysql_store_result(db) == NULL);
    CHECK(is_loss(mysql_errno(db)));
    none_runs(other);
    net_pool_put(p, db);
    net_pool_put(p, other);
    CHECK_EQ(stats_of(p).dropped, 1);
    is_clean(p);
    net_pool_free(p);
}

/* ---- In a transaction ------------------------------------------------------
 */

static int inserts_and_asks(MYSQL *db, void *arg)
{
    (void)arg;
    run_sql(db, "INSERT INTO halves VALUES (1)");
    return mysql_query(db, ENDLESS) != 0 || mysql_store_result(db) == NULL ? -1
                                                                           : 0;
}

static void is_stopped_inside(void *arg)
{
    CHECK_EQ(net_mysql_transaction(arg, inserts_and_asks, NULL), -1);
    CHECK_EQ(mysql_errno((MYSQL *)arg), ER_QUERY_INTERRUPTED);
}

static void cancel_when_running(co_fn *fn, MYSQL *db, MYSQL *other)
{
    struct co *c = co_spawn(fn, db, NULL);

    CHECK(c != NULL);
    while (running(other) == 0)
        nap(CO_MSEC);
    co_cancel(c);
    CHECK_EQ(co_join(c, CO_FOREVER), 0);
    CHECK_EQ(net_mysql_stopped(db), ECANCELED);
    none_runs(other);
}

static void in_transaction(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *db = get(p), *other = get(p);

    run_sql(other, "CREATE OR REPLACE TABLE halves (n INT) ENGINE=InnoDB");
    net_mysql_deadline(db, co_after(100 * CO_MSEC));
    is_stopped_inside(db);
    none_runs(other);
    CHECK_EQ(number(other, "SELECT COUNT(*) FROM halves"), 0);
    net_mysql_deadline(db, CO_FOREVER);
    if (in_coroutines) {
        cancel_when_running(is_stopped_inside, db, other);
        net_mysql_deadline(db, CO_FOREVER);
    }
    CHECK_EQ(number(db, "SELECT COUNT(*) FROM halves"), 0);
    CHECK_EQ(number(db, "SELECT @@in_transaction"), 0);

    run_sql(db, "INSERT INTO halves VALUES (1)"); /* is waited for */
    run_sql(other, "START TRANSACTION");
    run_sql(other, "UPDATE halves SET n = 2");
    net_mysql_deadline(db, co_after(100 * CO_MSEC));
    CHECK(mysql_query(db, "UPDATE halves SET n = 3") != 0);
    CHECK_EQ(mysql_errno(db), ER_QUERY_INTERRUPTED);
    net_pool_put(p, db);
    run_sql(other, "COMMIT");
    CHECK_EQ(number(other, "SELECT n FROM halves"), 2);
    net_pool_put(p, other);
    CHECK_EQ(stats_of(p).dropped, 0);
    is_clean(p);
    net_pool_free(p);
}

/* ---- In prepared statements ------------------------------------------------
 */

static void is_stopped_prepared(void *arg)
{
    MYSQL_STMT *stmt = net_mysql_prepare(arg, ENDLESS);

    CHECK(stmt != NULL);
    CHECK(mysql_stmt_execute(stmt) != 0 || mysql_stmt_store_result(stmt) != 0);
    CHECK_EQ(mysql_stmt_errno(stmt), ER_QUERY_INTERRUPTED);
}

/* Rows to no end, of which a thousand are taken. */
static void leaves_rows(void *arg)
{
    MYSQL_STMT *stmt = net_mysql_prepare(arg, many_rows());
    char row[1001];
    unsigned long len;
    MYSQL_BIND bind = { .buffer_type = MYSQL_TYPE_STRING,
                        .buffer = row,
                        .buffer_length = sizeof row,
                        .length = &len };

    CHECK(stmt != NULL);
    CHECK_EQ(mysql_stmt_execute(stmt), 0);
    CHECK_EQ(mysql_stmt_bind_result(stmt, &bind), 0);
    for (int i = 0; i < 1000; i++) {
        CHECK_EQ(mysql_stmt_fetch(stmt), 0);
        CHECK_EQ(len, 1000);
    }
}

static void prepared_statements(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *db = get(p), *other = get(p);
    int64_t begin;

    net_mysql_deadline(db, co_after(100 * CO_MSEC));
    is_stopped_prepared(db);
    none_runs(other);
    net_mysql_deadline(db, CO_FOREVER);
    if (in_coroutines) {
        cancel_when_running(is_stopped_prepared, db, other);
        net_mysql_deadline(db, CO_FOREVER);
    }
    CHECK_EQ(number(db, "SELECT 1"), 1);
    leaves_rows(db);
    begin = co_now();
    net_mysql_deadline(db, CO_NOWAIT);
    CHECK(mysql_stmt_free_result(net_mysql_prepare(db, "SELECT 1")) == 0);
    check_within(begin, 10 * CO_SECOND);
    net_mysql_deadline(db, CO_FOREVER);
    CHECK_EQ(number(db, "SELECT 1"), 1);
    leaves_rows(db);
    begin = co_now();
    net_pool_put(p, db); /* in its own time */
    check_within(begin, 10 * CO_SECOND);
    net_pool_put(p, other);
    is_clean(p);
    net_pool_free(p);
}

static void stop_cases(void)
{
    RUN(many_at_once);
    RUN(late_kill);
    RUN(early_kill);
    RUN(keeps_error);
    RUN(past_deadline);
    RUN(in_transaction);
    RUN(prepared_statements);
}

#endif
