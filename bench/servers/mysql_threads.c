/* mysql_threads.c - the same client as a pool of threads: a bounded queue of
 * requests under a mutex and a condition, and blocking calls of the unmodified
 * library.
 *
 * As good as this kind can be: a worker that finds work never sleeps, and wakes
 * nobody when all others are busy.  With as many connections as threads each
 * thread keeps one of its own; with fewer they are a pool, under a mutex and a
 * condition as well.
 *
 *     mysql_threads SOCKET select|sleep|user CONNECTIONS THREADS
 *                   REQUESTS MILLISECONDS
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/servers/mysql_load.h"
#include <pthread.h>
#include <unistd.h>

enum { THREADS_MAX = 256, STACK_BYTES = 256 * 1024 };

static struct load load;
static struct load_times times[THREADS_MAX];

/* ---- The queue of requests ------------------------------------------------
 */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled, emptied;
    int64_t *begun; /* a ring of when each request began to wait */
    unsigned size, first, count;
    unsigned asleep; /* workers */
    bool closed;
} queue = { .lock = PTHREAD_MUTEX_INITIALIZER,
            .filled = PTHREAD_COND_INITIALIZER,
            .emptied = PTHREAD_COND_INITIALIZER };

static void queue_push(int64_t begun)
{
    pthread_mutex_lock(&queue.lock);
    while (queue.count == queue.size)
        pthread_cond_wait(&queue.emptied, &queue.lock);
    queue.begun[(queue.first + queue.count++) % queue.size] = begun;
    if (queue.asleep > 0)
        pthread_cond_signal(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

/* False: there will be no more. */
static bool queue_pop(int64_t *begun)
{
    bool some;

    pthread_mutex_lock(&queue.lock);
    queue.asleep++;
    while (queue.count == 0 && !queue.closed)
        pthread_cond_wait(&queue.filled, &queue.lock);
    queue.asleep--;
    some = !queue.closed;
    if (some) {
        *begun = queue.begun[queue.first];
        queue.first = (queue.first + 1) % queue.size;
        if (queue.count-- == queue.size)
            pthread_cond_signal(&queue.emptied);
    }
    pthread_mutex_unlock(&queue.lock);
    return some;
}

static void queue_close(void)
{
    pthread_mutex_lock(&queue.lock);
    queue.closed = true;
    pthread_cond_broadcast(&queue.filled);
    pthread_mutex_unlock(&queue.lock);
}

/* ---- The connections -------------------------------------------------------
 */

struct connection {
    MYSQL mysql;
    MYSQL_STMT *statement; /* of one text only: more are not asked for */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t put;
    MYSQL **idle;
    unsigned count;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .put = PTHREAD_COND_INITIALIZER };

static MYSQL *pool_get(void)
{
    MYSQL *db;

    pthread_mutex_lock(&pool.lock);
    while (pool.count == 0)
        pthread_cond_wait(&pool.put, &pool.lock);
    db = pool.idle[--pool.count];
    pthread_mutex_unlock(&pool.lock);
    return db;
}

static void pool_put(MYSQL *db)
{
    pthread_mutex_lock(&pool.lock);
    pool.idle[pool.count++] = db;
    pthread_cond_signal(&pool.put);
    pthread_mutex_unlock(&pool.lock);
}

static int pool_open(void)
{
    pool.idle = calloc(load.connections, sizeof(*pool.idle));
    if (pool.idle == NULL)
        return -1;
    while (pool.count < load.connections) {
        struct connection *c = calloc(1, sizeof *c);
        MYSQL *db = c == NULL ? NULL : mysql_init(&c->mysql);

        if (db == NULL || mysql_real_connect(db, NULL, "root", NULL, "corten",
                                             0, load.socket, 0) == NULL)
            return -1;
        pool.idle[pool.count++] = db;
    }
    return 0;
}

static MYSQL_STMT *load_prepare(MYSQL *db, const char *sql)
{
    struct connection *c = (struct connection *)db;

    if (c->statement == NULL) {
        c->statement = mysql_stmt_init(db);
        if (mysql_stmt_prepare(c->statement, sql, strlen(sql)) != 0)
            return NULL;
    }
    return c->statement;
}

static void pool_close(void)
{
    while (pool.count > 0) {
        struct connection *c = (struct connection *)pool.idle[--pool.count];

        if (c->statement != NULL)
            (void)mysql_stmt_close(c->statement);
        mysql_close(&c->mysql);
        free(c);
    }
}

/* ---- The threads -----------------------------------------------------------
 */

static void *work(void *arg)
{
    struct load_times *mine = arg;
    bool own = load.connections >= load.workers;
    MYSQL *db = own ? pool_get() : NULL;
    int64_t begun, now;

    while (queue_pop(&begun)) {
        if (!own)
            db = pool_get();
        if (load.handler(db, load_key(mine)) < 0)
            atomic_fetch_add(&load.failed, 1);
        if (!own)
            pool_put(db);
        now = bench_now_ns();
        load_count(&load, mine, begun, now);
        queue_push(now); /* the same client asks again */
    }
    if (own)
        pool_put(db);
    return NULL;
}

static int run(void)
{
    pthread_t threads[THREADS_MAX];
    pthread_attr_t attr;

    queue.size = load.requests;
    queue.begun = calloc(queue.size, sizeof(*queue.begun));
    if (queue.begun == NULL || pool_open() < 0 ||
        pthread_attr_init(&attr) != 0 ||
        pthread_attr_setstacksize(&attr, STACK_BYTES) != 0)
        return -1;
    for (unsigned i = 0; i < load.requests; i++)
        queue_push(bench_now_ns());
    for (unsigned i = 0; i < load.workers; i++)
        if (pthread_create(&threads[i], &attr, work, &times[i]) != 0)
            return -1;
    (void)usleep(LOAD_WARM_UP_MS * 1000);
    load_begin(&load);
    (void)usleep((useconds_t)(load.duration / 1000));
    load_end(&load);
    queue_close();
    for (unsigned i = 0; i < load.workers; i++)
        (void)pthread_join(threads[i], NULL);
    pool_close();
    return 0;
}

int main(int argc, char **argv)
{
    if (load_parse(&load, argc, argv) < 0 || load.workers > THREADS_MAX)
        return 2;
    if (run() < 0) {
        perror("mysql_threads");
        return 1;
    }
    return load_say(&load, times, load.workers);
}
