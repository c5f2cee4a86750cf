/* hook_mysql_test.c - libmariadb in coroutines, against a MariaDB of our own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/clients.h"
#include <mysql.h>

enum how { TCP, UNIX, TLS };

struct client {
    enum how how;
    unsigned read_timeout; /* in seconds, 0: none */
    int number;
    const char *query;
    MYSQL *db;
};

static MYSQL *prepared(const struct client *c)
{
    MYSQL *db = mysql_init(NULL);
    my_bool yes = 1;

    CHECK(db != NULL);
    if (c->read_timeout > 0)
        CHECK_EQ(mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &c->read_timeout),
                 0);
    if (c->how == TLS) {
        CHECK_EQ(mysql_options(db, MYSQL_OPT_SSL_CA, server_text("MYSQL_CERT")),
                 0);
        CHECK_EQ(mysql_options(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes), 0);
    }
    return db;
}

/* The time-out for reading holds for this, too; on a busy machine it may take
 * several tries. */
static MYSQL *connected(const struct client *c)
{
    const char *path = c->how == UNIX ? server_text("MYSQL_SOCKET") : NULL;
    const char *host = c->how == UNIX ? NULL : "127.0.0.1";
    unsigned port = (unsigned)server_port("MYSQL_PORT");
    MYSQL *db = prepared(c);
    int tries = c->read_timeout > 0 ? 20 : 1;

    while (mysql_real_connect(db, host, "test", NULL, NULL, port, path, 0) ==
           NULL) {
        if (--tries == 0)
            fprintf(stderr, "    %s\n", mysql_error(db));
        CHECK(tries > 0);
        mysql_close(db);
        db = prepared(c);
    }
    CHECK_EQ(mysql_get_ssl_cipher(db) != NULL, c->how == TLS);
    return db;
}

/* The only field of the only row, to be freed. */
static char *answer(MYSQL *db, const char *query, unsigned long *len)
{
    MYSQL_RES *res;
    MYSQL_ROW row;
    char *text;

    if (mysql_query(db, query) != 0) {
        fprintf(stderr, "    %s: %s\n", query, mysql_error(db));
        CHECK(false);
    }
    res = mysql_store_result(db);
    CHECK(res != NULL);
    row = mysql_fetch_row(res);
    CHECK(row != NULL);
    *len = mysql_fetch_lengths(res)[0];
    text = strndup(row[0], *len);
    CHECK(text != NULL);
    CHECK(mysql_fetch_row(res) == NULL);
    mysql_free_result(res);
    return text;
}

static void asks(void *arg)
{
    struct client *c = arg;
    MYSQL *db = connected(c);
    char query[100], want[100], *got;
    unsigned long len;

    for (int i = 0; i < 5; i++) {
        (void)snprintf(query, sizeof query, "SELECT %d * 10 + %d", c->number,
                       i);
        (void)snprintf(want, sizeof want, "%d", c->number * 10 + i);
        got = answer(db, query, &len);
        CHECK_EQ(strcmp(got, want), 0);
        free(got);
    }
    got = answer(db, "SELECT REPEAT('x', 1000000)", &len);
    CHECK_EQ(len, 1000000);
    CHECK_EQ(strspn(got, "x"), 1000000);
    free(got);
    mysql_close(db);
}

static void all_transports(void)
{
    struct client clients[15] = { 0 };

    for (int i = 0; i < 15; i++) {
        clients[i].how = (enum how)(i % 3);
        clients[i].number = i;
    }
    at_once(asks, clients, sizeof *clients, 15);
}

static void sleeps(const struct client *c)
{
    unsigned long len;
    char *got = answer(c->db, "SELECT SLEEP(2)", &len);

    CHECK_EQ(strcmp(got, "0"), 0);
    free(got);
}

/* "Lost connection to server during query", or "TLS/SSL error: Connection timed
 * out". */
static void check_lost(const struct client *c)
{
    CHECK(mysql_query(c->db, "SELECT SLEEP(100)") != 0);
    CHECK_EQ(mysql_errno(c->db), c->how == TLS ? 2026 : 2013);
}

static void fails_in_time(const struct client *c)
{
    int64_t begin = co_now();

    check_lost(c);
    CHECK(co_now() - begin > CO_SECOND / 10); /* signals shorten it */
    check_within(begin, 10 * CO_SECOND);
}

static void sleeps_or_fails(void *arg)
{
    const struct client *c = arg;

    (c->read_timeout > 0 ? fails_in_time : sleeps)(c);
}

static int64_t time_to_sleep(void)
{
    struct client clients[] = {
        { .how = TCP },
        { .how = UNIX },
        { .how = TCP, .read_timeout = 1 },
        { .how = TLS, .read_timeout = 1 },
    };
    int64_t begin, took;

    for (int i = 0; i < 4; i++)
        clients[i].db = connected(&clients[i]);
    begin = co_now();
    at_once(sleeps_or_fails, clients, sizeof *clients, 4);
    took = co_now() - begin;
    CHECK(took >= 2 * CO_SECOND);
    for (int i = 0; i < 4; i++)
        mysql_close(clients[i].db);
    return took;
}

/* One after the other, they would need 4 seconds.  A busy machine is given
 * three tries. */
static void queries_overlap(void)
{
    int tries = 1;

    while (time_to_sleep() >= 3500 * CO_MSEC)
        CHECK(++tries <= 3);
}

/* ---- The limit of a coroutine ---------------------------------------------
 */

static void query_fails(void *arg) { check_lost(arg); }

static void connect_fails(void *arg)
{
    MYSQL *db = mysql_init(NULL);

    CHECK(db != NULL);
    CHECK(mysql_real_connect(db, "127.0.0.1", "test", NULL, NULL,
                             *(unsigned *)arg, NULL, 0) == NULL);
    CHECK(mysql_errno(db) != 0);
    mysql_close(db);
}

static void limit_and_cancel(void)
{
    struct client clients[6] = { 0 };
    struct ending endings[8];
    unsigned port = (unsigned)silent_port();

    for (int i = 0; i < 8; i++) {
        endings[i] = (struct ending){ connect_fails, &port, i % 2 != 0 };
        if (i >= 6)
            continue;
        clients[i].how = (enum how)(i / 2);
        clients[i].db = connected(&clients[i]);
        endings[i].fn = query_fails;
        endings[i].arg = &clients[i];
    }
    at_once(ends_in_time, endings, sizeof *endings, 8);
    for (int i = 0; i < 6; i++)
        mysql_close(clients[i].db);
}

static void tests(void)
{
    RUN(all_transports);
    RUN(queries_overlap);
    if (in_coroutines)
        RUN(limit_and_cancel);
}

int main(void)
{
    int status;

    CHECK_EQ(mysql_library_init(0, NULL, NULL), 0);
    status = run_clients(tests);
    mysql_library_end();
    return status;
}
