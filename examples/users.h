/* users.h - what users.c asks of its database: list, get, create.
 *
 * These handlers are blocking code as one writes it for a thread: they call the
 * client library, know JSON, and nothing of who runs them or of HTTP but the
 * status.  In users.c a coroutine runs them; bench/servers/mysql_threads.c has
 * the same functions on a pool of threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXAMPLES_USERS_H
#define EXAMPLES_USERS_H

#include <jansson.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <stdint.h>
#include <string.h>

#define USERS_TABLE                                                            \
    "CREATE TABLE IF NOT EXISTS users ("                                       \
    "id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, "                          \
    "name VARCHAR(100) NOT NULL, "                                             \
    "email VARCHAR(200) NOT NULL UNIQUE) "                                     \
    "CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"

enum { USERS_PAGE = 100 };

struct users_call {
    uint64_t id;    /* of the path; to list, of the one before the first */
    json_t *body;   /* what was sent, or NULL */
    json_t *answer; /* out: what to send, or NULL */

    /* The statement for that text, kept from call to call. */
    MYSQL_STMT *(*prepare)(MYSQL *db, const char *sql);
};

/* The status of HTTP, or 0 when the database failed: mysql_errno(db). */
typedef int users_handler(MYSQL *db, struct users_call *call);

/* ---- Columns ---------------------------------------------------------------
 */

struct users_text { /* more than the columns can hold */
    char bytes[800];
    unsigned long len;
};

static inline MYSQL_BIND users_text(struct users_text *t)
{
    return (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
                         .buffer = t->bytes,
                         .buffer_length = sizeof t->bytes,
                         .length = &t->len };
}

static inline MYSQL_BIND users_string(const char *s)
{
    return (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_STRING,
                         .buffer = (void *)s,
                         .buffer_length = strlen(s) };
}

static inline MYSQL_BIND users_number(uint64_t *n)
{
    return (MYSQL_BIND){ .buffer_type = MYSQL_TYPE_LONGLONG,
                         .buffer = n,
                         .is_unsigned = 1 };
}

static inline json_t *users_json(uint64_t id, const struct users_text *name,
                                 const struct users_text *email)
{
    return json_pack("{s:I, s:s%, s:s%}", "id", (json_int_t)id, "name",
                     name->bytes, (size_t)name->len, "email", email->bytes,
                     (size_t)email->len);
}

/* ---- Handlers --------------------------------------------------------------
 */

/* GET /users/:id */
static inline int users_get(MYSQL *db, struct users_call *call)
{
    MYSQL_STMT *get =
        call->prepare(db, "SELECT name, email FROM users WHERE id = ?");
    struct users_text name, email;
    MYSQL_BIND in[] = { users_number(&call->id) };
    MYSQL_BIND out[] = { users_text(&name), users_text(&email) };
    int end;

    if (get == NULL || mysql_stmt_bind_param(get, in) != 0 ||
        mysql_stmt_execute(get) != 0 || mysql_stmt_bind_result(get, out) != 0)
        return 0;
    end = mysql_stmt_fetch(get);
    if (end == 0)
        call->answer = users_json(call->id, &name, &email);
    mysql_stmt_free_result(get);
    return end == MYSQL_NO_DATA ? 404 : end == 0 ? 200 : 0;
}

/* GET /users?after=ID */
static inline int users_list(MYSQL *db, struct users_call *call)
{
    MYSQL_STMT *list = call->prepare(
        db, "SELECT id, name, email FROM users WHERE id > ? ORDER BY id "
            "LIMIT 100");
    struct users_text name, email;
    uint64_t id;
    MYSQL_BIND in[] = { users_number(&call->id) };
    MYSQL_BIND out[] = { users_number(&id), users_text(&name),
                         users_text(&email) };
    int end;

    if (list == NULL || mysql_stmt_bind_param(list, in) != 0 ||
        mysql_stmt_execute(list) != 0 || mysql_stmt_bind_result(list, out) != 0)
        return 0;
    call->answer = json_array();
    while ((end = mysql_stmt_fetch(list)) == 0)
        json_array_append_new(call->answer, users_json(id, &name, &email));
    mysql_stmt_free_result(list);
    return end == MYSQL_NO_DATA ? 200 : 0;
}

/* POST /users */
static inline int users_create(MYSQL *db, struct users_call *call)
{
    const char *name, *email;
    MYSQL_STMT *create;

    if (json_unpack(call->body, "{s:s, s:s !}", "name", &name, "email",
                    &email) < 0 ||
        *name == '\0' || *email == '\0')
        return 400;
    create = call->prepare(db, "INSERT INTO users (name, email) VALUES (?, ?)");
    if (create == NULL ||
        mysql_stmt_bind_param(
            create, (MYSQL_BIND[]){ users_string(name), users_string(email) }))
        return 0;
    if (mysql_stmt_execute(create) == 0) {
        call->id = mysql_stmt_insert_id(create);
        call->answer = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)call->id,
                                 "name", name, "email", email);
        return 201;
    }
    switch (mysql_stmt_errno(create)) {
    case ER_DUP_ENTRY:
        return 409;
    case ER_DATA_TOO_LONG:
        return 400;
    default:
        return 0;
    }
}

#endif
