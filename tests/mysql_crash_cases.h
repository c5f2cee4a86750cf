/* mysql_crash_cases.h - the server of a pool dies, comes back, or falls silent.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_CRASH_CASES_H
#define TESTS_MYSQL_CRASH_CASES_H

#include "tests/faults.h"
#include "tests/mysql_kit.h"
#include <stdatomic.h>

/* ---- Killed and started again ----------------------------------------------
 */

enum { WORKERS = 32 };

static struct net_pool *crashing;
static atomic_long answered, lost, refused;
static atomic_bool enough;

static void one_query(long n)
{
    MYSQL *db = net_pool_get(crashing, co_after(20 * CO_SECOND));
    MYSQL_RES *rows;
    char sql[40];

    if (db == NULL) {
        if (errno != ECONNREFUSED && errno != EIO)
            fprintf(stderr, "    get: %s\n", net_mysql_error(NULL));
        CHECK(errno == ECONNREFUSED || errno == EIO);
        CHECK(strstr(net_mysql_error(NULL), "20") != NULL);
        atomic_fetch_add(&refused, 1);
        nap(CO_MSEC);
        return;
    }
    (void)snprintf(sql, sizeof sql, "SELECT %ld", n);
    if (mysql_query(db, sql) == 0 && (rows = mysql_store_result(db)) != NULL) {
        CHECK_EQ(atol(mysql_fetch_row(rows)[0]), n);
        mysql_free_result(rows);
        atomic_fetch_add(&answered, 1);
    } else {
        CHECK(is_loss(mysql_errno(db)));
        atomic_fetch_add(&lost, 1);
    }
    net_pool_put(crashing, db);
}

static void crashes(void)
{
    int64_t slowest = 0;

    for (long i = test_count(20); i >= 0; i--) {
        long until = atomic_load(&answered) + 1 + random() % 100;
        int64_t begin = co_now();

        while (atomic_load(&answered) < until)
            nap(CO_MSEC / 10);
        if (co_now() - begin > slowest)
            slowest = co_now() - begin;
        check_within(begin, 20 * CO_SECOND);
        if (i == 0)
            break;
        servers("kill mariadb");
        nap(random() % (5 * CO_MSEC));
        servers("start mariadb");
    }
    fprintf(stderr, "    %ld answered, %ld lost, %ld refused, back in %d ms\n",
            answered, lost, refused, (int)(slowest / CO_MSEC));
    atomic_store(&enough, true);
}

static void works_or_crashes(void *first)
{
    if (*(bool *)first)
        crashes();
    else
        for (long n = 0; !atomic_load(&enough); n++)
            one_query(n);
}

static void killed_and_started(void)
{
    bool first[WORKERS + 1] = { true };

    crashing = pool_of(plain(16));
    atomic_store(&answered, 0);
    atomic_store(&lost, 0);
    atomic_store(&refused, 0);
    atomic_store(&enough, false);
    at_once(works_or_crashes, first, sizeof *first, WORKERS + 1);
    is_clean(crashing);
    net_pool_free(crashing);
}

/* The library has closed the socket of the one that was lost, and the next one
 * gets its number: they have nothing to do with each other. */
static void number_used_again(void)
{
    struct net_pool *p = pool_of(plain(2));
    MYSQL *old = get(p), *fresh;
    int fd = mysql_get_socket(old);

    servers("kill mariadb");
    CHECK(mysql_query(old, "DO 0") != 0);
    CHECK(is_loss(mysql_errno(old)));
    net_mysql_deadline(old, CO_NOWAIT);
    servers("start mariadb");
    fresh = get(p);
    CHECK_EQ(mysql_get_socket(fresh), fd);
    net_pool_put(p, old);
    net_mysql_deadline(fresh, co_after(100 * CO_MSEC));
    is_stopped(fresh, ETIMEDOUT); /* by the table, which still has it */
    net_pool_put(p, fresh);
    CHECK_EQ(stats_of(p).dropped, 1);
    is_clean(p);
    net_pool_free(p);
}

/* The connection that is kept for stopping others is from before the crash. */
static void stops_after_restart(void)
{
    struct net_pool *p = pool_of(plain(1));
    MYSQL *db;

    for (int i = 0; i < 2; i++) {
        db = get(p);
        net_mysql_deadline(db, co_after(100 * CO_MSEC));
        is_stopped(db, ETIMEDOUT);
        none_runs(db);
        if (i == 0) {
            servers("kill mariadb");
            servers("start mariadb");
            CHECK(mysql_query(db, "DO 0") != 0);
        }
        net_pool_put(p, db);
    }
    is_clean(p);
    net_pool_free(p);
}

/* ---- Silent ----------------------------------------------------------------
 */

static void get_from_silent(void *arg)
{
    struct net_mysql_config c = plain(1);
    struct net_pool *p = pool_of(c);
    int64_t begin = co_now();

    (void)arg;
    CHECK(net_pool_get(p, co_after(200 * CO_MSEC)) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    CHECK(strstr(net_mysql_error(NULL), "20") != NULL);
    check_within(begin, 2 * CO_SECOND);
    CHECK_EQ(stats_of(p).open, 0);
    net_pool_free(p);
}

/* An idle connection is asked first whether it is alive. */
static void check_silent(void *arg)
{
    struct net_pool *p = arg;
    int64_t begin = co_now();

    CHECK(net_pool_get(p, co_after(200 * CO_MSEC)) == NULL);
    CHECK_EQ(errno, ETIMEDOUT);
    /* A thread has no limit that it could give the check. */
    check_within(begin, (in_coroutines ? 2 : 20) * CO_SECOND);
    CHECK_EQ(stats_of(p).dead, 1);
}

static void ask_silent(void *arg)
{
    MYSQL *db = arg;
    int64_t begin = co_now();

    net_mysql_deadline(db, co_after(200 * CO_MSEC));
    CHECK(mysql_query(db, "SELECT 1") != 0);
    CHECK_EQ(mysql_errno(db), CR_SERVER_LOST);
    CHECK_EQ(net_mysql_stopped(db), ETIMEDOUT);
    CHECK(strstr(net_mysql_error(db), "2013 (HY000)") != NULL);
    check_within(begin, 5 * CO_SECOND);
}

static void silent(void)
{
    struct net_mysql_config c = plain(1);
    struct net_pool *checks, *asks;
    struct part parts[3];
    MYSQL *db;

    c.stop_timeout = 300 * CO_MSEC;
    asks = pool_of(c);
    c.pool.check_after = 1;
    checks = pool_of(c);
    db = get(checks);
    net_pool_put(checks, db);
    db = get(asks);
    servers("freeze mariadb");
    parts[0] = (struct part){ ask_silent, db };
    parts[1] = (struct part){ get_from_silent, NULL };
    parts[2] = (struct part){ check_silent, checks };
    at_once(run_part, parts, sizeof *parts, 3);
    net_pool_put(asks, db);
    CHECK_EQ(stats_of(asks).open, 0);
    servers("thaw mariadb");
    net_pool_put(asks, get(asks));
    net_pool_put(checks, get(checks));
    is_clean(asks);
    is_clean(checks);
    net_pool_free(asks);
    net_pool_free(checks);
}

static void crash_cases(void)
{
    RUN(killed_and_started);
    RUN(number_used_again);
    RUN(stops_after_restart);
    RUN(silent);
}

#endif
