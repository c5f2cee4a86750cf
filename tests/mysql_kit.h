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
#include <errmsg.h>
#include <mysqld_error.h>

#define SOON co_after((under_valgrind() ? 300 : 30) * CO_SECOND)

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

/* The server answers before it has forgotten what it did. */
static inline void none_runs(MYSQL *db)
{
    int64_t begin = co_now();

    while (running(db) > 0)
        check_within(begin, 10 * CO_SECOND);
}

static inline void is_stopped(MYSQL *db, int why)
{
    /* The server may have begun with an answer that has rows. */
    CHECK(mysql_query(db, ENDLESS) != 0 || mysql_store_result(db) == NULL);
    CHECK_EQ(net_mysql_stopped(db), why);
    CHECK_EQ(mysql_errno(db), ER_QUERY_INTERRUPTED);
    CHECK(strstr(net_mysql_error(db), "1317 (70100)") != NULL);
}

static inline struct net_pool_stats stats_of(struct net_pool *p)
{
    struct net_pool_stats stats;

    net_pool_stats(p, &stats);
    return stats;
}

static inline void nap(int64_t ns)
{
    CHECK_EQ(co_sleep_until(co_after(ns)), 0);
}

/* What a lost connection says. */
static inline bool is_loss(unsigned code)
{
    return code == CR_SERVER_LOST || code == CR_SERVER_GONE_ERROR ||
           code == CR_SSL_CONNECTION_ERROR || code == ER_SERVER_SHUTDOWN ||
           code == ER_CONNECTION_KILLED;
}

/* Nobody has anything, nobody waits, and what the pool has is good. */
static inline void is_clean(struct net_pool *p)
{
    struct net_pool_stats s = stats_of(p);
    MYSQL *all[32];
    unsigned n = s.idle;

    CHECK_EQ(s.in_use, 0);
    CHECK_EQ(s.waiting, 0);
    CHECK_EQ(s.changing, 0);
    CHECK(n <= 32);
    for (unsigned i = 0; i < n; i++) {
        all[i] = get(p);
        CHECK_EQ(number(all[i], "SELECT 1"), 1);
    }
    for (unsigned i = 0; i < n; i++)
        net_pool_put(p, all[i]);
}

/* Different things for at_once(). */
struct part {
    co_fn *fn;
    void *arg;
};

static inline void run_part(void *arg)
{
    struct part *part = arg;

    part->fn(part->arg);
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

/* More than sockets hold.  Under valgrind the server is always ahead: nobody
 * waits, and finds that time is up, so all of them are read. */
__attribute__((unused)) static const char *many_rows(void)
{
    return under_valgrind()
               ? "SELECT REPEAT('x', 1000) FROM seq_1_to_20000"
               : "SELECT REPEAT('x', 1000) FROM seq_1_to_1000000000";
}

#endif
