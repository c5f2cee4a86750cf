/* mysql_faults_cases.h - a MySQL server that refuses, sends too much, or kills;
 * and deadlines in the middle of things.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_FAULTS_CASES_H
#define TESTS_MYSQL_FAULTS_CASES_H

#include "tests/mysql_kit.h"

/* A pool of root's, who may change the server. */
static struct net_pool *of_root(void)
{
    struct net_mysql_config c = plain(1);

    c.user = "root";
    c.password = NULL;
    return pool_of(c);
}

static void as_root(const char *sql)
{
    struct net_pool *p = of_root();
    MYSQL *db = get(p);

    run_sql(db, sql);
    net_pool_put(p, db);
    net_pool_free(p);
}

/* ---- Refused ---------------------------------------------------------------
 */

static void is_refused(struct net_pool *p, int err, const char *text)
{
    int64_t begin = co_now();

    CHECK(net_pool_get(p, SOON) == NULL);
    CHECK_EQ(errno, err);
    if (strstr(net_mysql_error(NULL), text) == NULL)
        fprintf(stderr, "    %s\n", net_mysql_error(NULL));
    CHECK(strstr(net_mysql_error(NULL), text) != NULL);
    check_within(begin, 20 * CO_SECOND);
}

static void refuses_account(struct net_mysql_config c, int err,
                            const char *text)
{
    struct net_pool *p = pool_of(c);

    is_refused(p, err, text);
    CHECK_EQ(stats_of(p).open, 0);
    CHECK_EQ(stats_of(p).open_failures, 1);
    net_pool_free(p);
}

static void accounts(void)
{
    struct net_mysql_config c = plain(1);
    struct net_pool *p;
    MYSQL *db;

    c.user = "root";
    c.password = NULL;
    c.database = "nowhere";
    refuses_account(c, EACCES, "1049 (42000) Unknown database 'nowhere'");
    c.user = "nobody here";
    refuses_account(c, EACCES, "1045 (28000) Access denied");
    as_root("CREATE OR REPLACE USER few@'%' IDENTIFIED BY 'few' "
            "WITH MAX_USER_CONNECTIONS 1");
    c = plain(2);
    c.user = c.password = "few";
    c.database = NULL;
    p = pool_of(c);
    db = get(p);
    is_refused(p, EBUSY, "1226 (42000)");
    CHECK_EQ(number(db, "SELECT 1"), 1);
    net_pool_put(p, db);
    CHECK(get(p) == db); /* nothing was lost by that */
    net_pool_put(p, db);
    net_pool_free(p);
    as_root("ALTER USER few@'%' ACCOUNT LOCK");
    refuses_account(c, EACCES, "4151 (HY000)");
}

static void puts_later(void *arg)
{
    void **all = arg;

    while (running(all[1]) == 0)
        ;
    nap(100 * CO_MSEC); /* the other one's time is up by then, or not */
    net_pool_drop(all[0], all[1]);
}

static void is_stopped_in_time(void *arg)
{
    net_mysql_deadline(arg, co_after(20 * CO_MSEC));
    is_stopped(arg, ETIMEDOUT);
}

/* The server has no room for the connection that is to stop a statement. */
static void too_many(void)
{
    struct net_pool *p = pool_of(plain(32));
    MYSQL *all[32];
    unsigned n = 0;
    struct part parts[2];
    void *last[2] = { p, NULL };

    as_root("SET GLOBAL max_connections = 10");
    while ((all[n] = net_pool_get(p, SOON)) != NULL)
        CHECK(++n < 32);
    CHECK_EQ(errno, EBUSY);
    CHECK(strstr(net_mysql_error(NULL), "1040 (08004)") != NULL);
    last[1] = all[n - 1];
    parts[0] = (struct part){ is_stopped_in_time, all[0] };
    parts[1] = (struct part){ puts_later, last };
    at_once(run_part, parts, sizeof *parts, 2);
    none_runs(all[0]);
    for (unsigned i = 0; i < n - 1; i++)
        net_pool_put(p, all[i]);
    as_root("SET GLOBAL max_connections = 100");
    is_clean(p);
    net_pool_free(p);
}

/* ---- Too much --------------------------------------------------------------
 */

static long resident(void)
{
    FILE *f = fopen("/proc/self/statm", "re");
    long size = 0, pages = 0;

    CHECK(f != NULL);
    CHECK_EQ(fscanf(f, "%ld %ld", &size, &pages), 2);
    CHECK_EQ(fclose(f), 0);
    return pages * sysconf(_SC_PAGESIZE);
}

/* The rows that were read, at most that many. */
static long read_rows(MYSQL_RES *rows, long most)
{
    MYSQL_ROW row;
    long n = 0;

    while (n < most && (row = mysql_fetch_row(rows)) != NULL) {
        CHECK_EQ(strlen(row[0]), 1000);
        n++;
    }
    return n;
}

static void streamed(void)
{
    long count = test_count(1000000), before; /* of 1,000 bytes */
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);
    MYSQL_RES *rows;
    int64_t begin;
    char sql[80];

    (void)snprintf(sql, sizeof sql,
                   "SELECT REPEAT('x', 1000) FROM seq_1_to_%ld", count);
    CHECK_EQ(number(db, "SELECT 1"), 1);
    before = resident();
    run_sql(db, sql);
    CHECK((rows = mysql_use_result(db)) != NULL);
    CHECK_EQ(read_rows(rows, count + 1), count);
    CHECK_EQ(mysql_errno(db), 0);
    mysql_free_result(rows);
    CHECK(resident() - before < 16 << 20);
    net_pool_put(p, db);
    CHECK_EQ(stats_of(p).dropped, 0);

    /* What is left half way costs no reading to its end. */
    db = get(p);
    run_sql(db, many_rows());
    CHECK((rows = mysql_use_result(db)) != NULL);
    CHECK_EQ(read_rows(rows, 100), 100);
    begin = co_now();
    net_mysql_deadline(db, CO_NOWAIT);
    mysql_free_result(rows);
    net_pool_put(p, db);
    check_within(begin, 10 * CO_SECOND);
    is_clean(p);
    net_pool_free(p);
}

/* Rows that nobody freed: the connection is closed, and nobody else's. */
static void left_behind(void)
{
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db = get(p);
    unsigned long id = mysql_thread_id(db);
    int64_t begin;

    run_sql(db, many_rows());
    begin = co_now();
    net_pool_put(p, db);
    check_within(begin, 10 * CO_SECOND);
    CHECK_EQ(stats_of(p).dropped, 1);
    db = get(p);
    CHECK(mysql_thread_id(db) != id);
    net_pool_put(p, db);
    is_clean(p);
    net_pool_free(p);
}

/* ---- Killed ----------------------------------------------------------------
 */

static void asks(void *db)
{
    CHECK(mysql_query(db, ENDLESS) != 0 || mysql_store_result(db) == NULL);
}

static void kill_it(void *arg)
{
    void **all = arg; /* the victim, another one, what to say */
    char sql[64];

    while (running(all[1]) == 0)
        ;
    (void)snprintf(sql, sizeof sql, "%s %lu", (char *)all[2],
                   mysql_thread_id(all[0]));
    run_sql(all[1], sql);
}

static void killed(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *db = get(p), *other = get(p);
    void *all[] = { db, other, "KILL QUERY" };
    struct part parts[] = { { asks, db }, { kill_it, all } };

    at_once(run_part, parts, sizeof *parts, 2);
    CHECK_EQ(mysql_errno(db), ER_QUERY_INTERRUPTED);
    CHECK_EQ(net_mysql_stopped(db), 0);
    CHECK_EQ(number(db, "SELECT 1"), 1);
    all[2] = "KILL CONNECTION";
    at_once(run_part, parts, sizeof *parts, 2);
    CHECK(is_loss(mysql_errno(db)));
    CHECK_EQ(net_mysql_stopped(db), 0);
    net_pool_put(p, db);
    CHECK_EQ(stats_of(p).dropped, 1);
    none_runs(other);
    net_pool_put(p, other);
    is_clean(p);
    net_pool_free(p);
}

/* ---- Certificates ----------------------------------------------------------
 */

static void copy_file(const char *from, const char *to)
{
    char bytes[65536];
    FILE *f = fopen(from, "re");
    size_t n;

    CHECK(f != NULL);
    n = fread(bytes, 1, sizeof bytes, f);
    CHECK(n > 0 && feof(f));
    CHECK_EQ(fclose(f), 0);
    CHECK((f = fopen(to, "we")) != NULL);
    CHECK_EQ(fwrite(bytes, 1, n, f), n);
    CHECK_EQ(fclose(f), 0);
}

/* A file beside the server's certificate. */
static const char *beside(const char *name)
{
    static char paths[4][300];
    static unsigned last;
    char *path = paths[last++ % 4];
    const char *cert = server_text("MYSQL_CERT");

    (void)snprintf(path, 300, "%.*s/%s", (int)(strrchr(cert, '/') - cert), cert,
                   name);
    return path;
}

static void is_secure(struct net_mysql_config c, bool tls)
{
    struct net_pool *p = pool_of(c);
    MYSQL *db = get(p);

    CHECK_EQ(number(db, "SELECT 6 * 7"), 42);
    CHECK_EQ(mysql_get_ssl_cipher(db) != NULL, tls);
    net_pool_put(p, db);
    net_pool_free(p);
}

static void certificates(void)
{
    struct net_mysql_config c = plain(1);

    /* Not the same as 127.0.0.1 to anybody but the resolver. */
    c.host = "127.1";
    refuses_account(c, EPROTO, "self-signed certificate");
    c.tls_ca = server_text("MYSQL_CERT");
    refuses_account(c, EPROTO, "server certificate failed");
    c.tls = NET_TLS_REQUIRED;
    is_secure(c, true);
    c.tls = NET_TLS_OFF;
    is_secure(c, false);
    c = plain(1);
    c.tls = NET_TLS_VERIFY;
    c.tls_ca = server_text("MYSQL_CERT");
    is_secure(c, true);
    c.tls_ca = beside("old.pem"); /* somebody else's */
    refuses_account(c, EPROTO, "self-signed certificate");
    c.tls_ca = "/nonexistent";
    refuses_account(c, EPROTO, "2026 (HY000)");

    copy_file(beside("cert.pem"), beside("cert.kept"));
    copy_file(beside("key.pem"), beside("key.kept"));
    copy_file(beside("old.pem"), beside("cert.pem"));
    copy_file(beside("old_key.pem"), beside("key.pem"));
    as_root("FLUSH SSL");
    c.tls_ca = beside("old.pem");
    refuses_account(c, EPROTO, "certificate has expired");
    copy_file(beside("cert.kept"), beside("cert.pem"));
    copy_file(beside("key.kept"), beside("key.pem"));
    as_root("FLUSH SSL");
    c.tls_ca = server_text("MYSQL_CERT");
    is_secure(c, true);
}

static void faults_cases(void)
{
    RUN(accounts);
    RUN(too_many);
    RUN(streamed);
    RUN(left_behind);
    RUN(killed);
    RUN(certificates);
}

#endif
