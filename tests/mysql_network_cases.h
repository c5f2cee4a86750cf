/* mysql_network_cases.h - a network that stalls, cuts, slows or resets, each
 * way and at each stage, between a pool of MySQL connections and its server.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_MYSQL_NETWORK_CASES_H
#define TESTS_MYSQL_NETWORK_CASES_H

#include "tests/faults.h"
#include "tests/mysql_kit.h"

enum stage { CONNECTING, ASKING, FETCHING };

struct fault {
    enum stage stage;
    const char *rule;
    bool tls;
    bool harmless; /* all may come all the same */
};

/* A greeting has about 100 bytes, its answer about as many; the rows 8 MiB,
 * which is more than what buffers between hold. */
static const struct fault faults[] = {
    { CONNECTING, "down stall", false, false },
    { CONNECTING, "down stall after 20", false, false },
    { CONNECTING, "up stall", false, false },
    { CONNECTING, "up stall after 20", false, false },
    { CONNECTING, "down cut", false, false },
    { CONNECTING, "down cut after 50", false, false },
    { CONNECTING, "up cut", false, false },
    { CONNECTING, "up cut after 20", false, false },
    { CONNECTING, "down reset", false, false },
    { CONNECTING, "down reset after 110", false, false },
    { CONNECTING, "up reset after 20", false, false },
    { CONNECTING, "both reset", false, false },
    { CONNECTING, "down slow 1", false, false },
    { CONNECTING, "up slow 1", false, false },
    { CONNECTING, "down stall after 500", true, false },
    { CONNECTING, "down cut after 500", true, false },
    { CONNECTING, "up reset after 150", true, false },
    { CONNECTING, "down reset after 500", true, false },
    { ASKING, "down stall", false, false },
    { ASKING, "down stall after 9", false, false },
    { ASKING, "up stall", false, false },
    { ASKING, "up stall after 3", false, false },
    { ASKING, "down cut", false, false },
    { ASKING, "down cut after 9", false, false },
    { ASKING, "up cut", false, false },
    { ASKING, "up cut after 3", false, false },
    { ASKING, "down reset", false, false },
    { ASKING, "down reset after 9", false, false },
    { ASKING, "up reset", false, false },
    { ASKING, "both reset", false, false },
    { ASKING, "down slow 1", false, false },
    { ASKING, "up slow 1", false, false },
    { ASKING, "down stall after 9", true, false },
    { ASKING, "down cut after 9", true, false },
    { ASKING, "both reset", true, false },
    { FETCHING, "down stall after 300000", false, false },
    { FETCHING, "up stall", false, true },
    { FETCHING, "down cut after 300000", false, false },
    { FETCHING, "up cut", false, true },
    { FETCHING, "down reset after 300000", false, false },
    { FETCHING, "up reset", false, false },
    { FETCHING, "down slow 100000", false, false },
    { FETCHING, "down cut after 300000", true, false },
};

enum {
    FAULTS = sizeof faults / sizeof *faults,
    ROWS = 8192, /* of 1 KiB */
};

#define LIMIT (500 * CO_MSEC)

/* 0 when all rows came, or mysql_errno(). */
static unsigned fetch_rows(MYSQL *db, int port, const char *rule)
{
    MYSQL_RES *rows;
    unsigned code;
    long n = 0;

    if (mysql_query(db, "SELECT REPEAT('x', 1024) FROM seq_1_to_8192") != 0)
        return mysql_errno(db);
    CHECK((rows = mysql_use_result(db)) != NULL);
    relay(port, rule);
    while (mysql_fetch_row(rows) != NULL)
        n++;
    code = mysql_errno(db);
    CHECK((n == ROWS) == (code == 0));
    mysql_free_result(rows);
    return code;
}

static unsigned fail_to_connect(struct net_pool *p)
{
    static const int reasons[] = { ETIMEDOUT, EIO, EPROTO, ECONNREFUSED };
    bool known = false;
    int err;

    CHECK(net_pool_get(p, co_after(LIMIT)) == NULL);
    err = errno;
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        known = known || err == reasons[i];
    if (!known)
        fprintf(stderr, "    %s: %s\n", strerror(err), net_mysql_error(NULL));
    CHECK(known);
    CHECK(strstr(net_mysql_error(NULL), "20") != NULL);
    return CR_SERVER_LOST;
}

static unsigned fail_with(struct net_pool *p, MYSQL *db, const struct fault *f,
                          int port)
{
    if (f->stage == CONNECTING) {
        relay(port, f->rule);
        return fail_to_connect(p);
    }
    net_mysql_deadline(db, co_after(LIMIT));
    if (f->stage == FETCHING)
        return fetch_rows(db, port, f->rule);
    relay(port, f->rule);
    if (mysql_query(db, "SELECT REPEAT('x', 200)") == 0)
        CHECK(mysql_store_result(db) == NULL);
    return mysql_errno(db);
}

static void suffer(void *arg)
{
    const struct fault *f = arg;
    struct net_mysql_config c = plain(2);
    struct net_pool *p;
    MYSQL *db = NULL;
    int64_t begin;
    unsigned code;

    c.port = (unsigned)relay_to(server_port("MYSQL_PORT"));
    c.stop_timeout = LIMIT;
    if (f->tls)
        c.tls = NET_TLS_REQUIRED;
    p = pool_of(c);
    if (f->stage != CONNECTING)
        db = get(p);
    begin = co_now();
    code = fail_with(p, db, f, (int)c.port);
    check_within(begin, 20 * CO_SECOND);
    if (!(is_loss(code) || code == ER_QUERY_INTERRUPTED ||
          (code == 0 && f->harmless)))
        fprintf(stderr, "    \"%s\": %u\n", f->rule, code);
    CHECK(is_loss(code) || code == ER_QUERY_INTERRUPTED ||
          (code == 0 && f->harmless));
    if (code == 0)
        net_pool_drop(p, db); /* the relay is going to close it */
    else if (db != NULL)
        net_pool_put(p, db);
    CHECK_EQ(stats_of(p).open, 0);
    relay((int)c.port, "both go");
    db = get(p);
    CHECK_EQ(number(db, "SELECT 6 * 7"), 42);
    net_pool_put(p, db);
    is_clean(p);
    net_pool_free(p);
}

/* Under valgrind, where one connection with TLS takes seconds, a few of them.
 */
static void network(void)
{
    struct fault all[FAULTS];
    int n = 0;

    for (int i = 0; i < FAULTS; i += under_valgrind() ? 13 : 1)
        all[n++] = faults[i];
    at_once(suffer, all, sizeof *all, n);
}

/* A slow network is no fault as long as there is time. */
static void slow_is_fine(void)
{
    struct net_mysql_config c = plain(1);
    struct net_pool *p;
    MYSQL *db;

    c.port = (unsigned)relay_to(server_port("MYSQL_PORT"));
    relay((int)c.port, "both slow 5000");
    c.tls = NET_TLS_REQUIRED;
    p = pool_of(c);
    db = get(p);
    CHECK_EQ(number(db, "SELECT 6 * 7"), 42);
    net_pool_put(p, db);
    is_clean(p);
    net_pool_free(p);
}

/* What is closed while nothing can be sent does not hold up the closing. */
static void close_stalled(void)
{
    struct net_mysql_config c = plain(1);
    size_t size = 8 << 20;
    struct net_pool *p;
    char *sql = malloc(size + 20);
    int64_t begin;
    MYSQL *db;

    CHECK(sql != NULL);
    (void)sprintf(sql, "SELECT 1 /* ");
    memset(sql + 12, 'x', size);
    memcpy(sql + 12 + size, "*/", 3);
    c.port = (unsigned)relay_to(server_port("MYSQL_PORT"));
    c.stop_timeout = 200 * CO_MSEC;
    p = pool_of(c);
    db = get(p);
    relay((int)c.port, "up stall");
    begin = co_now();
    net_mysql_deadline(db, co_after(100 * CO_MSEC));
    CHECK(mysql_query(db, sql) != 0);
    CHECK(is_loss(mysql_errno(db)));
    net_pool_put(p, db);
    check_within(begin, 5 * CO_SECOND);
    CHECK_EQ(stats_of(p).open, 0);
    relay((int)c.port, "both go");
    net_pool_free(p);
    free(sql);
}

static void network_cases(void)
{
    RUN(network);
    RUN(slow_is_fine);
    RUN(close_stalled);
}

#endif
