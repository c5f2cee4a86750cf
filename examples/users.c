/* users.c - an HTTP service over a pool of connections to MySQL.
 *
 *     users [ADDRESS]         127.0.0.1:8080 unless given
 *
 * The database is the one of the environment's MYSQL_URL, and the queries are
 * in users.h.  Without a connection in 200 ms, or when it is lost, the answer
 * is 503; when the database takes more than 2 s, the query is stopped there,
 * and the answer is 504.
 *
 * Needs libjansson-dev libmariadb-dev mariadb-server-core.
 *
 * Under: examples/mariadb.sh
 *
 * Try: curl --json '{"name":"Ada","email":"a@b.org"}' 127.0.0.1:8080/users
 *
 * Try: curl http://127.0.0.1:8080/users
 *
 * Try: curl http://127.0.0.1:8080/users/1
 *
 * SPDX-License-Identifier: MIT
 */
#include "examples/users.h"
#include "net/http.h"
#include "net/mysql.h"
#include <errmsg.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { BODY_MAX = 64 * 1024, CONNECTIONS = 16 };

/* ---- Between HTTP and the handlers -----------------------------------------
 */

/* The server went away, or is about to. */
static bool is_lost(MYSQL *db)
{
    unsigned code = mysql_errno(db);

    return code >= CR_MIN_ERROR || code == ER_SERVER_SHUTDOWN ||
           code == ER_CONNECTION_KILLED;
}

/* Runs a handler on a connection of the pool. */
static int ask(struct net_pool *pool, users_handler *handler,
               struct users_call *call)
{
    MYSQL *db = net_pool_get(pool, co_after(200 * CO_MSEC));
    int status;

    if (db == NULL)
        return 503;
    net_mysql_deadline(db, co_after(2 * CO_SECOND));
    status = handler(db, call);
    if (status == 0) {
        fprintf(stderr, "users: %s\n", net_mysql_error(db));
        status = is_lost(db) ? 503 : 500;
        if (net_mysql_stopped(db) == ETIMEDOUT)
            status = 504;
    }
    net_pool_put(pool, db);
    return status;
}

/* And sends what it says. */
static int serve(struct http_request *req, struct http_response *res,
                 users_handler *handler, struct users_call *call)
{
    int status = ask(req->app, handler, call);
    char *text = NULL;
    char path[40];

    if (status == 200 || status == 201) {
        text = json_dumps(call->answer, JSON_COMPACT);
        if (text == NULL)
            status = 500;
    }
    if (text != NULL) {
        http_set_header(res, "Content-Type", "application/json");
        http_text(res, text);
        http_text(res, "\n");
    }
    if (status == 201) {
        (void)snprintf(path, sizeof path, "/users/%ju", (uintmax_t)call->id);
        http_set_header(res, "Location", path);
    }
    free(text);
    json_decref(call->answer);
    json_decref(call->body);
    return status;
}

static bool to_id(const char *digits, uint64_t *id)
{
    char *end;

    errno = 0;
    *id = strtoull(digits, &end, 10);
    return *digits >= '0' && *digits <= '9' && *end == '\0' && errno == 0 &&
           *id <= INT64_MAX; /* JSON of the library ends there */
}

/* 0, or the status that says what is wrong with what was sent. */
static int read_json(struct http_request *req, struct http_response *res,
                     json_t **body)
{
    const char *type = http_header(req, "Content-Type");
    char *text = http_alloc(req, BODY_MAX + 1);
    json_error_t why;
    size_t len = 0;
    ssize_t n;

    if (type == NULL || strncasecmp(type, "application/json", 16) != 0)
        return 415;
    if (text == NULL)
        return 503;
    while ((n = http_body(req, text + len, BODY_MAX + 1 - len,
                          co_after(10 * CO_SECOND))) > 0)
        len += (size_t)n;
    if (n < 0)
        return errno == EMSGSIZE ? 413 : 400;
    *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
    if (*body != NULL)
        return 0;
    http_printf(res, "line %d: %s\n", why.line, why.text);
    return 400;
}

/* ---- Routes ----------------------------------------------------------------
 */

static int list(struct http_request *req, struct http_response *res)
{
    struct users_call call = { .prepare = net_mysql_prepare };

    if (*req->query != '\0' && (strncmp(req->query, "after=", 6) != 0 ||
                                !to_id(req->query + 6, &call.id)))
        return 400;
    return serve(req, res, users_list, &call);
}

static int get(struct http_request *req, struct http_response *res)
{
    struct users_call call = { .prepare = net_mysql_prepare };

    if (!to_id(http_param(req, "id"), &call.id))
        return 404;
    return serve(req, res, users_get, &call);
}

static int create(struct http_request *req, struct http_response *res)
{
    struct users_call call = { .prepare = net_mysql_prepare };
    int status = read_json(req, res, &call.body);

    return status != 0 ? status : serve(req, res, users_create, &call);
}

static const struct http_route routes[] = {
    { "GET", "/users", list, NULL, 0 },
    { "GET", "/users/:id", get, NULL, 0 },
    { "POST", "/users", create, NULL, BODY_MAX },
    { 0 },
};

/* ---- The program -----------------------------------------------------------
 */

struct program {
    const char *addr;
    int status;
};

static int make_table(struct net_pool *pool)
{
    MYSQL *db = net_pool_get(pool, co_after(10 * CO_SECOND));
    int failed;

    if (db == NULL) {
        fprintf(stderr, "users: %s\n", net_mysql_error(NULL));
        return -1;
    }
    failed = mysql_query(db, USERS_TABLE);
    if (failed)
        fprintf(stderr, "users: %s\n", net_mysql_error(db));
    net_pool_put(pool, db);
    return failed ? -1 : 0;
}

static int run(const char *addr, struct net_pool *pool)
{
    struct http_config config = { .routes = routes, .app = pool };
    struct net_listener *l = net_listen(addr, NULL);
    char bound[NET_ADDR_MAX];

    if (l != NULL && make_table(pool) < 0) {
        net_listener_close(l);
        return -1;
    }
    if (l != NULL) {
        net_listener_addr(l, bound, sizeof bound);
        printf("listening on %s\n", bound);
        fflush(stdout);
    }
    if (http_serve(l, &config) == 0)
        return 0;
    perror(addr);
    return -1;
}

static void root(void *arg)
{
    struct program *p = arg;
    struct net_mysql_config config = { .url = getenv("MYSQL_URL"),
                                       .pool = { .max = CONNECTIONS } };
    struct net_pool *pool = net_mysql_pool(&config);

    if (pool == NULL)
        fprintf(stderr, "users: %s\n", net_mysql_error(NULL));
    p->status = pool == NULL || run(p->addr, pool) < 0;
    net_pool_free(pool);
}

int main(int argc, char **argv)
{
    struct program p = { .addr = argc > 1 ? argv[1] : "127.0.0.1:8080" };

    return co_run(root, &p, NULL) < 0 || p.status;
}
