/* mysql_prepare.c - the prepared statements of a connection.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct mysql_statement *find(struct mysql_conn *c, const char *sql)
{
    struct list *l = c->statements.next;

    for (; l != NULL && l != &c->statements; l = l->next) {
        struct mysql_statement *s =
            container_of(l, struct mysql_statement, link);

        if (strcmp(s->sql, sql) == 0)
            return s;
    }
    return NULL;
}

static void drop(struct mysql_conn *c, struct mysql_statement *s)
{
    list_remove(&s->link);
    c->statement_count--;
    (void)mysql_stmt_close(s->stmt);
    free(s);
}

static struct mysql_statement *oldest(struct mysql_conn *c)
{
    return container_of(c->statements.next, struct mysql_statement, link);
}

void mysql_statements_close(struct mysql_conn *c)
{
    while (c->statement_count > 0)
        drop(c, oldest(c));
}

/* Whether the library thinks that there are rows of it to be read. */
static bool expects_rows(const MYSQL_STMT *stmt)
{
    return stmt->state >= MYSQL_STMT_WAITING_USE_OR_STORE &&
           stmt->state <= MYSQL_STMT_USER_FETCHING && stmt->result.data == NULL;
}

/* Of a connection that has nothing to be read: when the server ends rows that
 * are left with an error, as after a KILL, the library goes on to wait for
 * more. */
static void expect_nothing(MYSQL_STMT *stmt)
{
    if (expects_rows(stmt))
        stmt->state = MYSQL_STMT_PREPARED;
}

/* Of the one whose rows were not all taken: for another one the library would
 * take them for its own, and wait for more. */
void mysql_statements_free_results(struct mysql_conn *c)
{
    struct list *l = c->statements.next;

    for (; l != NULL && l != &c->statements; l = l->next) {
        MYSQL_STMT *stmt = container_of(l, struct mysql_statement, link)->stmt;

        if (expects_rows(stmt) && c->db->status != MYSQL_STATUS_READY)
            (void)mysql_stmt_free_result(stmt);
        if (c->db->status == MYSQL_STATUS_READY)
            expect_nothing(stmt);
    }
}

/* Its error becomes that of its connection. */
static void close_failed(MYSQL *db, MYSQL_STMT *stmt)
{
    struct mysql_failure f = { .code = mysql_stmt_errno(stmt) };

    (void)snprintf(f.state, sizeof f.state, "%s", mysql_stmt_sqlstate(stmt));
    (void)snprintf(f.text, sizeof f.text, "%s", mysql_stmt_error(stmt));
    (void)mysql_stmt_close(stmt);
    mysql_failure_restore(&f, db);
}

static struct mysql_statement *make(MYSQL *db, const char *sql)
{
    size_t len = strlen(sql);
    struct mysql_statement *s = malloc(sizeof *s + len + 1);

    if (s == NULL)
        return NULL;
    s->stmt = mysql_stmt_init(db);
    if (s->stmt == NULL) {
        free(s);
        return NULL;
    }
    memcpy(s->sql, sql, len + 1);
    if (mysql_stmt_prepare(s->stmt, sql, len) == 0)
        return s;
    close_failed(db, s->stmt);
    free(s);
    return NULL;
}

MYSQL_STMT *net_mysql_prepare(MYSQL *db, const char *sql)
{
    struct mysql_conn *c = mysql_conn_of(db);
    struct mysql_statement *s = find(c, sql);

    if (db->status != MYSQL_STATUS_READY)
        mysql_statements_free_results(c);
    if (s != NULL) {
        list_remove(&s->link);
        if (db->status == MYSQL_STATUS_READY)
            expect_nothing(s->stmt);
        (void)mysql_stmt_free_result(s->stmt);
    } else {
        if (c->statement_count >= NET_MYSQL_STATEMENTS)
            drop(c, oldest(c));
        s = make(db, sql);
        if (s == NULL)
            return NULL;
        c->statement_count++;
    }
    list_push(&c->statements, &s->link);
    return s->stmt;
}
