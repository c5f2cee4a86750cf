/* hook_pq_test.c - libpq in coroutines, against a PostgreSQL of our own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <libpq-fe.h>

struct client {
    int number; /* even: TCP, odd: a unix socket */
    PGconn *db;
};

static PGconn *connected(int number)
{
    char info[300];
    PGconn *db;

    (void)snprintf(info, sizeof info,
                   "host=%s port=%d user=test dbname=postgres",
                   number % 2 == 0 ? "127.0.0.1" : server_text("PQ_SOCKET"),
                   server_port("PQ_PORT"));
    db = PQconnectdb(info);
    if (PQstatus(db) != CONNECTION_OK)
        fprintf(stderr, "    %s", PQerrorMessage(db));
    CHECK_EQ(PQstatus(db), CONNECTION_OK);
    return db;
}

static PGresult *answer(PGconn *db, const char *query)
{
    PGresult *r = PQexec(db, query);

    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fprintf(stderr, "    %s: %s", query, PQerrorMessage(db));
    CHECK_EQ(PQresultStatus(r), PGRES_TUPLES_OK);
    return r;
}

static void asks(void *arg)
{
    int number = ((struct client *)arg)->number;
    PGconn *db = connected(number);
    char query[100];
    PGresult *r;

    for (int i = 0; i < 10; i++) {
        (void)snprintf(query, sizeof query, "SELECT %d * 10 + %d", number, i);
        r = answer(db, query);
        CHECK_EQ(atoi(PQgetvalue(r, 0, 0)), number * 10 + i);
        PQclear(r);
    }
    r = answer(db, "SELECT repeat('x', 1000000)");
    CHECK_EQ(PQgetlength(r, 0, 0), 1000000);
    CHECK_EQ(strspn(PQgetvalue(r, 0, 0), "x"), 1000000);
    PQclear(r);
    r = answer(db, "SELECT * FROM generate_series(0, 9999)");
    CHECK_EQ(PQntuples(r), 10000);
    for (int i = 0; i < 10000; i++)
        CHECK_EQ(atoi(PQgetvalue(r, i, 0)), i);
    PQclear(r);
    PQfinish(db);
}

static void many_at_once(void)
{
    struct client clients[10] = { 0 };

    for (int i = 0; i < 10; i++)
        clients[i].number = i;
    at_once(asks, clients, sizeof *clients, 10);
}

static void sleeps(void *arg)
{
    PGconn *db = ((struct client *)arg)->db;

    PQclear(answer(db, "SELECT pg_sleep(1)"));
}

static void queries_overlap(void)
{
    struct client clients[12] = { 0 };
    int64_t begin;

    for (int i = 0; i < 12; i++)
        clients[i].db = connected(i);
    begin = co_now();
    at_once(sleeps, clients, sizeof *clients, 12);
    CHECK(co_now() - begin >= CO_SECOND);
    check_within(begin, 10 * CO_SECOND); /* one by one: 12 s */
    for (int i = 0; i < 12; i++)
        PQfinish(clients[i].db);
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

static bool says_why(PGconn *db)
{
    int err = co_cancelled() ? ECANCELED : ETIMEDOUT;

    return strstr(PQerrorMessage(db), strerror(err)) != NULL;
}

static void query_fails(void *arg)
{
    struct client *c = arg;
    PGresult *r = PQexec(c->db, "SELECT pg_sleep(100)");

    CHECK_EQ(PQresultStatus(r), PGRES_FATAL_ERROR);
    CHECK(says_why(c->db));
    PQclear(r);
}

static void connect_fails(void *arg)
{
    char info[100];
    PGconn *db;

    (void)snprintf(info, sizeof info, "host=127.0.0.1 port=%d user=test",
                   *(int *)arg);
    db = PQconnectdb(info);
    CHECK_EQ(PQstatus(db), CONNECTION_BAD);
    CHECK(says_why(db));
    PQfinish(db);
}

static void limit_and_cancel(void)
{
    struct client clients[4];
    struct ending endings[6];
    int port = silent_port();

    for (int i = 0; i < 6; i++) {
        endings[i] = (struct ending){ connect_fails, &port, i % 2 != 0 };
        if (i >= 4)
            continue;
        clients[i].db = connected(i / 2);
        endings[i].fn = query_fails;
        endings[i].arg = &clients[i];
    }
    at_once(ends_in_time, endings, sizeof *endings, 6);
    for (int i = 0; i < 4; i++)
        PQfinish(clients[i].db);
}

static void tests(void)
{
    RUN(many_at_once);
    RUN(queries_overlap);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

int main(void) { return run_clients(tests); }
