/* mysql_conn.h - what a MYSQL * of a pool has besides.
 *
 * Private to net/.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef NET_MYSQL_CONN_H
#define NET_MYSQL_CONN_H

#include "net/mysql.h"

/* The library has lists of its own. */
#undef list_push
#undef list_pop
#include "co/list.h"

/* A configuration without a URL; all strings are of the one block. */
struct mysql_settings {
    const char *host, *socket, *user, *password, *database, *tls_ca;
    unsigned port;
    int tls;
    bool by_name; /* the host has to be looked up */
};

/* 0, or -1 with errno; EINVAL has told mysql_tell(). */
int mysql_settings_make(struct mysql_settings *s,
                        const struct net_mysql_config *config);
void mysql_settings_free(struct mysql_settings *s);

struct mysql_pool { /* the ctx of a pool */
    struct mysql_settings settings;
    struct net_pool *killers; /* connections that stop others' statements */
    int64_t stop_timeout;
    bool of_killers; /* this pool is such a one */
};

struct mysql_statement {
    struct list link;
    MYSQL_STMT *stmt;
    char sql[];
};

struct mysql_conn {
    MYSQL mysql;
    MYSQL *db; /* it */
    struct mysql_pool *pool;
    int64_t deadline;
    int64_t stop_until;     /* 0: nothing was stopped */
    int stopped;            /* why: ETIMEDOUT, ECANCELED; 0 */
    bool killed;            /* a KILL may wait for the next statement */
    struct list statements; /* who was used last stands last */
    unsigned statement_count;
};

/* db is of a pool. */
struct mysql_conn *mysql_conn_of(MYSQL *db);

/* mysql_wait.c.  1: ready, 0: time is up, -1. */
int mysql_wait(struct mysql_conn *c, int fd, int events, int ms);

/* The library's callback while it connects, which the caller does until then;
 * NULL at the end. */
int mysql_wait_connecting(my_socket fd, my_bool is_read, int ms);
void mysql_connect_until(const int64_t *deadline);

/* mysql_socket.c: it is connected, and the runtime's from now on.  0, or -1. */
int mysql_socket_take(struct mysql_conn *c);
void mysql_forget_tls_errors(void);

/* mysql_error.c: what net_mysql_error(NULL) is to say. */
void mysql_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An error of db's that shall outlast further calls. */
struct mysql_failure {
    unsigned code;
    char state[SQLSTATE_LENGTH + 1];
    char text[MYSQL_ERRMSG_SIZE];
};
void mysql_failure_keep(struct mysql_failure *f, MYSQL *db);
void mysql_failure_restore(const struct mysql_failure *f, MYSQL *db);

/* mysql_prepare.c */
void mysql_statements_close(struct mysql_conn *c);
void mysql_statements_free_results(struct mysql_conn *c);

#endif
