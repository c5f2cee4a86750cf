/* mysql_error.c - what failed, in words.
 *
 * What a connection says is the library's.  What happens before there is one
 * is remembered for the coroutine that it happened to, or for the thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql_conn.h"
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEXT_MAX = 600 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int key = -1;
static __thread char of_thread[TEXT_MAX];

static void make_key(void) { key = co_key_create(free); }

/* The caller's text; that of its thread when there is no memory for one. */
static char *text(void)
{
    char *own;

    (void)pthread_once(&once, make_key);
    if (co_self() == NULL || key < 0)
        return of_thread;
    own = co_key_get(key);
    if (own != NULL)
        return own;
    own = calloc(1, TEXT_MAX);
    if (own != NULL && co_key_set(key, own) == 0)
        return own;
    free(own);
    return of_thread;
}

void mysql_tell(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text(), TEXT_MAX, format, args);
    va_end(args);
}

void mysql_failure_keep(struct mysql_failure *f, MYSQL *db)
{
    f->code = mysql_errno(db);
    (void)snprintf(f->state, sizeof f->state, "%s", mysql_sqlstate(db));
    (void)snprintf(f->text, sizeof f->text, "%s", mysql_error(db));
}

void mysql_failure_restore(const struct mysql_failure *f, MYSQL *db)
{
    db->net.last_errno = f->code;
    (void)snprintf(db->net.sqlstate, sizeof db->net.sqlstate, "%s", f->state);
    (void)snprintf(db->net.last_error, sizeof db->net.last_error, "%s",
                   f->text);
}

const char *net_mysql_error(MYSQL *db)
{
    if (db == NULL)
        return text();
    if (mysql_errno(db) == 0)
        return "no error";
    mysql_tell("%u (%s) %s", mysql_errno(db), mysql_sqlstate(db),
               mysql_error(db));
    return text();
}
