/* mysql_cases.h - the pool of MySQL connections against a MariaDB of our own.
 *
 * The same with the hooks and without them: mysql_test.c,
 * hook_mysql_pool_test.c.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_CASES_H
#define TESTS_MYSQL_CASES_H

#include "tests/mysql_kit.h"
#include <stdatomic.h>

/* ---- Connecting ------------------------------------------------------------
 */

static void works(struct net_mysql_config config, bool tls)
{
    struct net_pool *p = pool_of(config);
    MYSQL *db = get(p);

    CHECK_EQ(number(db, "SELECT 6 * 7"), 42);
    CHECK_EQ(number(db, "SELECT @@character_set_client = 'utf8mb4'"), 1);
    CHECK_EQ(mysql_get_ssl_cipher(db) != NULL, tls);
    net_pool_put(p, db);
    net_pool_free(p);
}

static void fails(struct net_mysql_config config, int err, const char *text)
{
    struct net_pool *p = pool_of(config);
    int64_t begin = co_now();

    /* Under valgrind, to read the certificates of all the world takes time. */
    CHECK(net_pool_get(p, co_after((under_valgrind() ? 15 : 2) * CO_SECOND)) ==
          NULL);
    CHECK_EQ(errno, err);
    if (strstr(net_mysql_error(NULL), text) == NULL)
        fprintf(stderr, "    %s\n", net_mysql_error(NULL));
    CHECK(strstr(net_mysql_error(NULL), text) != NULL);
    check_within(begin, 20 * CO_SECOND);
    net_pool_free(p);
}

static void connects(void)
{
    struct net_mysql_config c = plain(1);
    char url[300];

    works(c, false);
    (void)snprintf(url, sizeof url, "mysql://me:pass%%20word@127.0.0.1:%u/test",
                   c.port);
    works((struct net_mysql_config){ .url = url }, false);
    (void)snprintf(url, sizeof url, "mysql://me@localhost/test?socket=%s",
                   server_text("MYSQL_SOCKET"));
    works((struct net_mysql_config){ .url = url, .password = "pass word" },
          false);
    (void)snprintf(url, sizeof url, "mysql://me@localhost:%u/?tls=verify",
                   c.port);
    works((struct net_mysql_config){ .url = url,
                                     .password = "pass word",
                                     .tls_ca = server_text("MYSQL_CERT") },
          true);
    c.tls = NET_TLS_REQUIRED;
    works(c, true);
}

static void cannot_connect(void)
{
    struct net_mysql_config c = plain(1);

    c.password = "guessed";
    fails(c, EACCES, "1045 (28000) Access denied for user 'me'");
    c.password = NULL;
    fails(c, EACCES, "1045 (28000) Access denied for user 'me'");
    c = plain(1);
    c.database = "mysql";
    fails(c, EACCES, "1044 (42000) Access denied");
    c = plain(1);
    c.tls = NET_TLS_VERIFY; /* who signed it is not known */
    fails(c, EPROTO, "2026 (HY000) TLS/SSL error");
    c = plain(1);
    c.port = (unsigned)silent_port();
    fails(c, ETIMEDOUT, "20");
    c.port = 1;
    fails(c, ECONNREFUSED, "2002 (HY000)");
    c.host = NULL;
    c.socket = "/nonexistent";
    fails(c, ECONNREFUSED, "/nonexistent");
}

static void bad_configs(void)
{
    static const char *const urls[][2] = {
        { "http://x", "does not begin with mysql://, at \"http://x\"" },
        { "mysql://h:0/", "port from 1 to 65535, at \"0\"" },
        { "mysql://h:65536/", "port from 1 to 65535, at \"65536\"" },
        { "mysql://h:/", "port from 1 to 65535, at \"\"" },
        { "mysql://[::1", "no ] behind an IPv6 address" },
        { "mysql://[::1]x", "no ] behind an IPv6 address" },
        { "mysql://%zz/", "hexadecimal behind %, at \"%zz\"" },
        { "mysql://h/%00", "hexadecimal behind %, at \"%00\"" },
        { "mysql://h/d?tls=maybe", "off, required, verify, at \"maybe\"" },
        { "mysql://h/d?tls", "an option without =, at \"tls\"" },
        { "mysql://h/d?user=x", "none of socket, tls, tls-ca, at \"user\"" },
        { "http://me:secret@h/", "mysql://, at \"user:password\"" },
        { "mysql://me:%xxsecret@h/", "behind %, at \"user:password\"" },
        { "mysql://me:sec/ret@h/", "port from 1 to 65535, at \"\"" },
    };
    struct net_mysql_config c = { .tls = 4 };

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        c = (struct net_mysql_config){ .url = urls[i][0] };
        CHECK(net_mysql_pool(&c) == NULL);
        CHECK_EQ(errno, EINVAL);
        if (strstr(net_mysql_error(NULL), urls[i][1]) == NULL)
            fprintf(stderr, "    %s\n", net_mysql_error(NULL));
        CHECK(strstr(net_mysql_error(NULL), urls[i][1]) != NULL);
    }
    c = (struct net_mysql_config){ .pool = { .max = 1, .min = 2 } };
    CHECK(net_mysql_pool(&c) == NULL);
    CHECK_EQ(errno, EINVAL);
    CHECK(strstr(net_mysql_error(NULL), "pool options") != NULL);
}

/* ---- At once ---------------------------------------------------------------
 */

static struct net_pool *shared;

static void sleeps_there(void *arg)
{
    MYSQL *db = get(shared);

    (void)arg;
    CHECK_EQ(number(db, "SELECT SLEEP(0.5)"), 0);
    net_pool_put(shared, db);
}

static void overlap(void)
{
    enum { MANY = 16 };
    int64_t begin = co_now();
    char none[MANY];

    shared = pool_of(plain(MANY));
    at_once(sleeps_there, none, 1, MANY);
    check_within(begin, MANY * CO_SECOND / 2);
    net_pool_free(shared);
}

/* ---- Deadlines -------------------------------------------------------------
 */

static void deadline(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *db = get(p), *other = get(p);
    unsigned long id = mysql_thread_id(db);
    struct net_pool_stats stats;
    int64_t begin = co_now();

    net_mysql_deadline(db, co_after(200 * CO_MSEC));
    is_stopped(db, ETIMEDOUT);
    check_within(begin, 10 * CO_SECOND);
    none_runs(other);
    net_pool_put(p, db);
    CHECK(get(p) == db); /* and it is as good as before */
    CHECK_EQ(net_mysql_stopped(db), 0);
    CHECK_EQ(number(db, "SELECT CONNECTION_ID()"), (long)id);
    net_pool_put(p, db);
    net_pool_put(p, other);
    net_pool_stats(p, &stats);
    CHECK_EQ(stats.opened, 2);
    CHECK_EQ(stats.dropped, 0);
    net_pool_free(p);
}

static void asks_endlessly(void *arg) { is_stopped(arg, ECANCELED); }

static void cancelled(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *db = get(p), *other = get(p);
    int64_t old;
    struct co *c;

    if (in_coroutines) {
        CHECK((c = co_spawn(asks_endlessly, db, NULL)) != NULL);
        while (running(other) == 0)
            CHECK_EQ(co_sleep_until(co_after(CO_MSEC)), 0);
        co_cancel(c);
        CHECK_EQ(co_join(c, CO_FOREVER), 0);
        none_runs(other);
        net_mysql_deadline(db, CO_FOREVER);
        old = co_limit_deadline(co_after(200 * CO_MSEC));
        is_stopped(db, ETIMEDOUT);
        co_restore_deadline(old);
        none_runs(other);
    }
    net_pool_put(p, db);
    net_pool_put(p, other);
    net_pool_free(p);
}

/* A KILL that comes late hits nobody else. */
static void just_in_time(void)
{
    struct net_pool *p = pool_of(plain(1));
    char sql[64];

    for (long i = test_count(100); i > 0; i--) {
        MYSQL *db = get(p);

        (void)snprintf(sql, sizeof sql, "SELECT BENCHMARK(%ld, MD5('x'))",
                       1000 * (i % 20));
        net_mysql_deadline(db, co_after((i % 7) * CO_MSEC / 2));
        if (mysql_query(db, sql) == 0)
            mysql_free_result(mysql_store_result(db));
        CHECK(mysql_errno(db) == 0 || mysql_errno(db) == ER_QUERY_INTERRUPTED);
        net_pool_put(p, db);
        db = get(p);
        CHECK_EQ(number(db, "SELECT 1"), 1);
        net_pool_put(p, db);
    }
    net_pool_free(p);
}

/* ---- What is put back ------------------------------------------------------
 */

static void put_back(void)
{
    struct net_pool *p = pool_of(plain(1));
    struct net_pool_stats stats;
    MYSQL *db = get(p);

    run_sql(db, "CREATE OR REPLACE TABLE kept (n INT) ENGINE=InnoDB");
    run_sql(db, "START TRANSACTION");
    run_sql(db, "INSERT INTO kept VALUES (1)");
    net_pool_put(p, db);
    CHECK(get(p) == db);
    CHECK_EQ(number(db, "SELECT COUNT(*) FROM kept"), 0);
    run_sql(db, "SELECT 1"); /* whose rows nobody takes */
    net_pool_put(p, db);
    net_pool_stats(p, &stats);
    CHECK_EQ(stats.dropped, 1);
    db = get(p);
    CHECK_EQ(number(db, "SELECT COUNT(*) FROM kept"), 0);
    net_pool_put(p, db);
    net_pool_free(p);
}

/* ---- Transactions ----------------------------------------------------------
 */

struct mover { /* moves one between rows, in an order of its own */
    int from, to;
    long moves;
};

static atomic_int tries;

static int move_one(MYSQL *db, void *arg)
{
    struct mover *m = arg;
    char sql[80];

    atomic_fetch_add(&tries, 1);
    (void)snprintf(sql, sizeof sql, "UPDATE money SET n = n - 1 WHERE id = %d",
                   m->from);
    if (mysql_query(db, sql) != 0)
        return -1;
    if (number(db, "SELECT SLEEP(0.002)") != 0)
        return -1;
    (void)snprintf(sql, sizeof sql, "UPDATE money SET n = n + 1 WHERE id = %d",
                   m->to);
    return mysql_query(db, sql) == 0 ? 0 : -1;
}

static void moves(void *arg)
{
    struct mover *m = arg;

    for (long i = 0; i < m->moves; i++) {
        MYSQL *db = get(shared);
        int r = net_mysql_transaction(db, move_one, m);

        if (r != 0)
            fprintf(stderr, "    %s\n", net_mysql_error(db));
        CHECK_EQ(r, 0);
        net_pool_put(shared, db);
    }
}

static int refuses(MYSQL *db, void *arg)
{
    run_sql(db, "UPDATE money SET n = 0");
    return *(int *)arg;
}

static int is_wrong(MYSQL *db, void *arg)
{
    (void)arg;
    return mysql_query(db, "no such statement");
}

static void transactions(void)
{
    long each = test_count(50);
    struct mover movers[] = {
        { 1, 2, each }, { 2, 1, each }, { 1, 2, each }, { 2, 1, each }
    };
    int seven = 7;
    MYSQL *db;

    shared = pool_of(plain(4));
    db = get(shared);
    run_sql(db, "CREATE OR REPLACE TABLE money (id INT PRIMARY KEY, n INT) "
                "ENGINE=InnoDB");
    run_sql(db, "INSERT INTO money VALUES (1, 100), (2, 100)");
    net_pool_put(shared, db);
    atomic_store(&tries, 0);
    at_once(moves, movers, sizeof *movers, 4);
    db = get(shared);
    CHECK_EQ(number(db, "SELECT n FROM money WHERE id = 1"), 100);
    CHECK_EQ(number(db, "SELECT SUM(n) FROM money"), 200);
    fprintf(stderr, "    %d tries of %ld transactions\n", tries, 4 * each);
    CHECK_EQ(net_mysql_transaction(db, refuses, &seven), 7);
    CHECK_EQ(number(db, "SELECT SUM(n) FROM money"), 200);
    CHECK(net_mysql_transaction(db, is_wrong, NULL) != 0);
    CHECK(strstr(net_mysql_error(db), "1064 (42000)") != NULL);
    net_pool_put(shared, db);
    net_pool_free(shared);
}

/* ---- Prepared --------------------------------------------------------------
 */

static int add_one(MYSQL_STMT *stmt, int in)
{
    int out = 0;
    MYSQL_BIND param = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &in };
    MYSQL_BIND result = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &out };

    CHECK(stmt != NULL);
    CHECK_EQ(mysql_stmt_bind_param(stmt, &param), 0);
    CHECK_EQ(mysql_stmt_execute(stmt), 0);
    CHECK_EQ(mysql_stmt_bind_result(stmt, &result), 0);
    CHECK_EQ(mysql_stmt_fetch(stmt), 0);
    return out;
}

static void prepared(void)
{
    static const char sql[] = "SELECT ? + 1";
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);
    MYSQL_STMT *stmt = net_mysql_prepare(db, sql);
    char other[40];

    CHECK_EQ(add_one(stmt, 1), 2);
    net_pool_put(p, db);
    CHECK(get(p) == db);
    CHECK(net_mysql_prepare(db, sql) == stmt);
    CHECK_EQ(add_one(stmt, 2), 3);
    CHECK(net_mysql_prepare(db, "SELECT FROM") == NULL);
    CHECK(strstr(net_mysql_error(db), "1064 (42000)") != NULL);
    for (int i = 0; i < 2 * NET_MYSQL_STATEMENTS; i++) {
        (void)snprintf(other, sizeof other, "SELECT ? + 1 /* %d */", i);
        CHECK_EQ(add_one(net_mysql_prepare(db, other), i), i + 1);
    }
    CHECK(net_mysql_prepare(db, sql) != NULL); /* takes what add_one() left */
    CHECK_EQ(number(db, "SELECT variable_value FROM information_schema."
                        "global_status WHERE variable_name = "
                        "'Prepared_stmt_count'"),
             NET_MYSQL_STATEMENTS);
    CHECK_EQ(add_one(net_mysql_prepare(db, sql), 3), 4);
    net_pool_put(p, db);
    net_pool_free(p);
}

static void mysql_cases(void)
{
    RUN(bad_configs);
    RUN(connects);
    RUN(cannot_connect);
    RUN(overlap);
    RUN(deadline);
    RUN(cancelled);
    RUN(just_in_time);
    RUN(put_back);
    RUN(transactions);
    RUN(prepared);
}

#endif
