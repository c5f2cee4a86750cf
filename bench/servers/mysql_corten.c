/* mysql_corten.c - the client of MySQL on corten that is measured: a coroutine
 * for each request, and a pool of connections.
 *
 *     mysql_corten SOCKET select|sleep|user CONNECTIONS SCHEDULERS
 *                  REQUESTS MILLISECONDS
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/mysql_load.h"
#include "net/mysql.h"

enum { SCHEDULERS_MAX = 64 };

static struct load load;
static struct net_pool *pool;
static struct load_times times[SCHEDULERS_MAX];
static struct co_group requests;

static MYSQL_STMT *load_prepare(MYSQL *db, const char *sql)
{
    return net_mysql_prepare(db, sql);
}

static void request(void *arg)
{
    struct load_times *mine = arg;
    int64_t begun = co_now(), now;

    while (atomic_load_explicit(&load.phase, memory_order_relaxed) !=
           LOAD_DONE) {
        MYSQL *db = net_pool_get(pool, begun + 10 * CO_SECOND);

        if (db == NULL) {
            (void)fprintf(stderr, "mysql_corten: %s\n", net_mysql_error(NULL));
            atomic_fetch_add(&load.failed, 1);
            break;
        }
        net_mysql_deadline(db, begun + 10 * CO_SECOND);
        if (load.handler(db, load_key(mine)) < 0)
            atomic_fetch_add(&load.failed, 1);
        net_pool_put(pool, db);
        now = co_now();
        load_count(&load, mine, begun, now);
        begun = now;
    }
    co_group_done(&requests);
}

/* Holds all connections until all requests wait for one, which is when their
 * memory can be told. */
static int start(void)
{
    struct net_pool_stats stats = { .waiting = 0 };
    MYSQL **held = calloc(load.connections, sizeof(*held));
    int64_t before;

    if (held == NULL)
        return -1;
    for (unsigned i = 0; i < load.connections; i++) {
        held[i] = net_pool_get(pool, co_after(10 * CO_SECOND));
        if (held[i] == NULL)
            return -1;
    }
    before = load_memory();
    for (unsigned i = 0; i < load.requests; i++) {
        unsigned on = i % load.workers;
        struct co *c = co_spawn(request, &times[on],
                                &(struct co_attr){ .on = co_sched_at(on) });

        if (c == NULL)
            return -1;
        co_group_add(&requests, 1);
        co_detach(c);
    }
    while (stats.waiting < load.requests) {
        (void)co_sleep_until(co_after(CO_MSEC));
        net_pool_stats(pool, &stats);
    }
    load.bytes = load_memory() - before;
    for (unsigned i = 0; i < load.connections; i++)
        net_pool_put(pool, held[i]);
    free(held);
    return 0;
}

static void root(void *arg)
{
    (void)arg;
    if (start() < 0) {
        fprintf(stderr, "mysql_corten: %s\n", net_mysql_error(NULL));
        exit(1);
    }
    (void)co_sleep_until(co_after(LOAD_WARM_UP_MS * CO_MSEC));
    load_begin(&load);
    (void)co_sleep_until(co_after(load.duration));
    load_end(&load);
    (void)co_group_wait(&requests, CO_FOREVER);
    net_pool_free(pool);
}

int main(int argc, char **argv)
{
    struct net_mysql_config config = { .user = "root", .database = "corten" };

    if (load_parse(&load, argc, argv) < 0 || load.workers > SCHEDULERS_MAX)
        return 2;
    config.socket = load.socket;
    config.pool.max = load.connections;
    pool = net_mysql_pool(&config);
    if (pool == NULL ||
        co_run(root, NULL, &(struct co_config){ .schedulers = load.workers }) <
            0) {
        perror("mysql_corten");
        return 1;
    }
    return load_say(&load, times, load.workers);
}
