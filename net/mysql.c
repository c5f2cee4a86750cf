/* mysql.c - the pool's operations: opens, checks, resets and closes
 * connections.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/mysql.h"
#include "net/mysql_conn.h"
#include <errmsg.h>
#include <errno.h>
#include <fcntl.h>
#include <mysqld_error.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define STOP_TIMEOUT (5 * CO_SECOND)
#define CHECK_TIME (2 * CO_SECOND) /* of a ping, or a rollback */

bool co_hook_enabled(void) __attribute__((weak)); /* when it is linked */

struct mysql_conn *mysql_conn_of(MYSQL *db)
{
    return container_of(db, struct mysql_conn, mysql);
}

/* ---- Opening ---------------------------------------------------------------
 */

static int errno_of(unsigned code)
{
    switch (code) {
    case ER_ACCESS_DENIED_ERROR:
    case ER_DBACCESS_DENIED_ERROR:
    case ER_BAD_DB_ERROR:
    case ER_ACCESS_DENIED_NO_PASSWORD_ERROR:
    case ER_ACCOUNT_HAS_BEEN_LOCKED:
    case ER_HOST_NOT_PRIVILEGED:
    case ER_HOST_IS_BLOCKED:
        return EACCES;
    case ER_CON_COUNT_ERROR:
    case ER_TOO_MANY_USER_CONNECTIONS:
    case ER_USER_LIMIT_REACHED:
        return EBUSY;
    case CR_UNKNOWN_HOST:
        return EHOSTUNREACH;
    case CR_SSL_CONNECTION_ERROR:
        return EPROTO;
    case CR_CONNECTION_ERROR:
    case CR_CONN_HOST_ERROR:
        return ECONNREFUSED;
    case CR_OUT_OF_MEMORY:
        return ENOMEM;
    default:
        return EIO;
    }
}

static int set_tls(MYSQL *db, const struct mysql_settings *s)
{
    my_bool on = s->tls >= NET_TLS_REQUIRED, verify = s->tls == NET_TLS_VERIFY;

    if (s->tls_ca != NULL && on &&
        mysql_optionsv(db, MYSQL_OPT_SSL_CA, s->tls_ca) != 0)
        return -1;
    return mysql_optionsv(db, MYSQL_OPT_SSL_ENFORCE, &on) != 0 ||
                   mysql_optionsv(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT,
                                  &verify) != 0
               ? -1
               : 0;
}

/* Without a limit for connecting the library does so in blocking mode. */
static int set_options(struct mysql_conn *c, int64_t deadline)
{
    int64_t left = (deadline - co_now()) / CO_SECOND + 1;
    unsigned seconds = left < 1 ? 1 : left > 86400 ? 86400 : (unsigned)left;
    unsigned no = 0;
    MYSQL *db = c->db;

    return mysql_optionsv(db, MYSQL_OPT_CONNECT_TIMEOUT, &seconds) != 0 ||
                   mysql_optionsv(db, MYSQL_OPT_LOCAL_INFILE, &no) != 0 ||
                   mysql_optionsv(db, MYSQL_SET_CHARSET_NAME, "utf8mb4") != 0 ||
                   mysql_optionsv(db, MARIADB_OPT_IO_WAIT,
                                  mysql_wait_connecting) != 0 ||
                   set_tls(db, &c->pool->settings) < 0
               ? -1
               : 0;
}

static void connect_it(void *arg)
{
    struct mysql_conn *c = arg;
    const struct mysql_settings *s = &c->pool->settings;

    mysql_connect_until(&c->deadline);
    (void)mysql_real_connect(c->db, s->host, s->user, s->password, s->database,
                             s->port, s->socket, 0);
    mysql_connect_until(NULL);
    mysql_forget_tls_errors();
}

/* The library looks names up by itself, and TLS may begin while the socket is
 * still in blocking mode: without hooks these block. */
static void connect_somewhere(struct mysql_conn *c)
{
    const struct mysql_settings *s = &c->pool->settings;
    bool blocks = (s->by_name || s->tls >= NET_TLS_REQUIRED) &&
                  !(co_hook_enabled != NULL && co_hook_enabled());

    if (co_self() == NULL || !blocks)
        connect_it(c);
    else if (co_offload(connect_it, c) < 0)
        mysql_tell("the connection could not be made on a thread");
}

static void close_quickly(struct mysql_conn *c)
{
    mysql_close(c->db);
    mysql_statements_close(c);
    free(c);
}

/* The reason why it could not be opened, to errno. */
static void tell_failure(struct mysql_conn *c, int64_t deadline)
{
    unsigned code = mysql_errno(c->db);

    if (code != 0)
        mysql_tell("%u (%s) %s", code, mysql_sqlstate(c->db),
                   mysql_error(c->db));
    if (co_self() != NULL && co_cancelled())
        errno = ECANCELED;
    else if (co_now() >= deadline)
        errno = ETIMEDOUT;
    else
        errno = errno_of(code);
}

/* In blocking mode TLS would read past us. */
static bool is_usable(struct mysql_conn *c)
{
    int fd = mysql_get_socket(c->db);
    int flags;

    if (mysql_errno(c->db) != 0 || fd < 0)
        return false;
    c->deadline = CO_FOREVER;
    flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
        mysql_socket_take(c) == 0)
        return true;
    mysql_tell("socket %d cannot be used: %s", fd, strerror(errno));
    return false;
}

static void start_library(void) { (void)mysql_library_init(0, NULL, NULL); }

static void *open_conn(void *ctx, int64_t deadline)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct mysql_conn *c = calloc(1, sizeof *c);
    int64_t old = 0;
    int err;

    (void)pthread_once(&once, start_library);
    if (c == NULL || (c->db = mysql_init(&c->mysql)) == NULL) {
        free(c);
        mysql_tell("out of memory");
        errno = ENOMEM;
        return NULL;
    }
    c->pool = ctx;
    c->deadline = deadline;
    if (co_self() != NULL)
        old = co_limit_deadline(deadline);
    if (set_options(c, deadline) == 0)
        connect_somewhere(c);
    if (co_self() != NULL)
        co_restore_deadline(old);
    if (is_usable(c))
        return c->db;
    tell_failure(c, deadline);
    err = errno;
    close_quickly(c);
    errno = err;
    return NULL;
}

/* ---- The other operations --------------------------------------------------
 */

/* Clean-up has a time of its own, whatever became of the caller's; who does not
 * answer in it is not worth a KILL. */
static bool hold(struct mysql_conn *c)
{
    c->deadline = c->stop_until = co_after(CHECK_TIME);
    return co_self() != NULL && co_hold_cancel(true);
}

static void let_go(bool held)
{
    if (co_self() != NULL)
        (void)co_hold_cancel(held);
}

static void close_conn(void *ctx, void *item)
{
    struct mysql_conn *c = mysql_conn_of(item);
    bool held = hold(c);

    (void)ctx;
    close_quickly(c);
    let_go(held);
}

/* The getter's own time goes on, and there is nothing to be stopped. */
static bool is_alive(void *ctx, void *item)
{
    struct mysql_conn *c = mysql_conn_of(item);
    bool alive;

    (void)ctx;
    c->deadline = co_after(CHECK_TIME);
    c->stop_until = CO_NOWAIT + 1;
    alive = mysql_ping(item) == 0;
    net_mysql_deadline(item, CO_FOREVER);
    return alive;
}

static bool is_lost(MYSQL *db)
{
    unsigned code = mysql_errno(db);

    return code == CR_SERVER_GONE_ERROR || code == CR_SERVER_LOST ||
           code == CR_COMMANDS_OUT_OF_SYNC || code == CR_MALFORMED_PACKET ||
           code == CR_SSL_CONNECTION_ERROR || code == ER_SERVER_SHUTDOWN ||
           code == ER_CONNECTION_KILLED || mysql_get_socket(db) < 0;
}

/* A KILL that came behind the end of its statement would hit the next one. */
static bool absorb_kill(struct mysql_conn *c)
{
    if (!c->killed)
        return true;
    if (mysql_query(c->db, "DO 0") != 0 &&
        mysql_errno(c->db) != ER_QUERY_INTERRUPTED)
        return false;
    c->killed = false;
    return true;
}

static bool is_idle(MYSQL *db)
{
    return db->status == MYSQL_STATUS_READY && !mysql_more_results(db);
}

static bool reset_conn(void *ctx, void *item)
{
    MYSQL *db = item;
    struct mysql_conn *c = mysql_conn_of(db);
    bool held, good;

    (void)ctx;
    if (is_lost(db))
        return false;
    held = hold(c);
    if (db->status != MYSQL_STATUS_READY)
        mysql_statements_free_results(c);
    good = !is_lost(db) && is_idle(db) && absorb_kill(c) &&
           (!(db->server_status & SERVER_STATUS_IN_TRANS) ||
            mysql_rollback(db) == 0);
    let_go(held);
    net_mysql_deadline(db, CO_FOREVER);
    return good;
}

static void release(void *ctx)
{
    struct mysql_pool *p = ctx;

    net_pool_free(p->killers);
    mysql_settings_free(&p->settings);
    free(p);
}

/* ---- Public ----------------------------------------------------------------
 */

static const struct net_pool_ops ops = { open_conn, close_conn, is_alive,
                                         reset_conn, release };

static struct net_pool *make(const struct net_mysql_config *config,
                             const struct net_pool_options *options,
                             bool with_killers)
{
    static const struct net_pool_options few = { .max = 2,
                                                 .idle_max = 60 * CO_SECOND };
    struct mysql_pool *ctx = calloc(1, sizeof *ctx);
    struct net_pool *pool = NULL;
    int err;

    if (ctx == NULL)
        return NULL;
    if (mysql_settings_make(&ctx->settings, config) < 0) {
        err = errno;
        free(ctx);
        errno = err;
        return NULL;
    }
    ctx->stop_timeout =
        config->stop_timeout == 0 ? STOP_TIMEOUT : config->stop_timeout;
    if (!with_killers || (ctx->killers = make(config, &few, false)) != NULL)
        pool = net_pool_new(&ops, ctx, options);
    if (pool != NULL)
        return pool;
    err = errno;
    release(ctx);
    if (err == EINVAL)
        mysql_tell("mysql config: pool options are out of range");
    errno = err;
    return NULL;
}

struct net_pool *net_mysql_pool(const struct net_mysql_config *config)
{
    return make(config, &config->pool, true);
}

void net_mysql_deadline(MYSQL *db, int64_t deadline)
{
    struct mysql_conn *c = mysql_conn_of(db);

    if (c->killed && !is_lost(db) && is_idle(db)) {
        struct mysql_failure f;
        bool held = hold(c);

        mysql_failure_keep(&f, db);
        if (absorb_kill(c))
            mysql_failure_restore(&f, db);
        let_go(held);
    }
    c->deadline = deadline;
    c->stop_until = 0;
    c->stopped = 0;
}

int net_mysql_stopped(MYSQL *db) { return mysql_conn_of(db)->stopped; }
