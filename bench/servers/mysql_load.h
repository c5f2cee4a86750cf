/* mysql_load.h - what the clients of MySQL that are measured have in common:
 * the handlers, which are blocking code that knows a MYSQL * and nothing of who
 * runs it; what the command line asks for; what is said at the end.
 *
 * A client has a number of requests that are always under way, each of which
 * wants a connection of its pool, runs the handler on it, gives the connection
 * back and begins again.  Its time counts from when it began to want one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_SERVERS_MYSQL_LOAD_H
#define BENCH_SERVERS_MYSQL_LOAD_H

#include "bench/bench.h"
#include "bench/load/histogram.h"
#include "examples/users.h"
#include <mysql.h>
#include <stdatomic.h>

enum { LOAD_ROWS = 1000, LOAD_WARM_UP_MS = 150 };

/* 0, or -1 when the database failed. */
typedef int load_handler(MYSQL *db, unsigned key);

/* The first column of the one row that the statement gives. */
static inline int load_number(MYSQL *db, const char *sql, unsigned *n)
{
    MYSQL_RES *rows;
    MYSQL_ROW row;
    int result = -1;

    if (mysql_query(db, sql) != 0 || (rows = mysql_store_result(db)) == NULL)
        return -1;
    row = mysql_fetch_row(rows);
    if (row != NULL && row[0] != NULL) {
        *n = (unsigned)strtoul(row[0], NULL, 10);
        result = 0;
    }
    mysql_free_result(rows);
    return result;
}

static inline int load_select(MYSQL *db, unsigned key)
{
    char sql[80];
    unsigned n = 0;

    (void)snprintf(sql, sizeof sql, "SELECT value FROM numbers WHERE id = %u",
                   key);
    return load_number(db, sql, &n) < 0 || n != 3 * key ? -1 : 0;
}

static inline int load_sleep(MYSQL *db, unsigned key)
{
    unsigned n = 0;

    (void)key;
    return load_number(db, "SELECT SLEEP(0.001)", &n);
}

/* The statement of that text, which stays with the connection; of whoever
 * includes this. */
static MYSQL_STMT *load_prepare(MYSQL *db, const char *sql);

/* The handler of the example, and what it is for. */
static inline int load_user(MYSQL *db, unsigned key)
{
    struct users_call call = { .id = key, .prepare = load_prepare };
    int status = users_get(db, &call);
    char *text = status == 200 ? json_dumps(call.answer, JSON_COMPACT) : NULL;

    json_decref(call.answer);
    free(text);
    return text == NULL ? -1 : 0;
}

struct load {
    const char *name; /* the program's */
    const char *socket;
    load_handler *handler;
    unsigned connections;
    unsigned workers; /* threads, or schedulers */
    unsigned requests;
    int64_t duration;        /* of what is counted */
    _Atomic int phase;       /* of LOAD_* */
    _Atomic uint64_t failed; /* handlers that said -1 */
    int64_t begun, cpu;
    int64_t bytes; /* that the requests cost while they wait, or -1 */
};

enum { LOAD_WARM, LOAD_COUNTED, LOAD_DONE };

/* What one thread, or scheduler, counted. */
struct load_times {
    _Alignas(64) struct histogram times;
    unsigned random;
};

static inline unsigned load_key(struct load_times *t)
{
    t->random = t->random * 1664525 + 1013904223;
    return 1 + (t->random >> 8) % LOAD_ROWS;
}

static inline void load_count(struct load *load, struct load_times *t,
                              int64_t begun, int64_t now)
{
    if (atomic_load_explicit(&load->phase, memory_order_relaxed) ==
        LOAD_COUNTED)
        histogram_add(&t->times, now - begun, 1);
}

/* Between these two lies what is counted. */
static inline void load_begin(struct load *load)
{
    load->begun = bench_now_ns();
    load->cpu = bench_cpu_ns();
    atomic_store(&load->phase, LOAD_COUNTED);
}

static inline void load_end(struct load *load)
{
    load->cpu = bench_cpu_ns() - load->cpu;
    load->begun = bench_now_ns() - load->begun;
    atomic_store(&load->phase, LOAD_DONE);
}

static inline int load_parse(struct load *load, int argc, char **argv)
{
    *load = (struct load){ .name = argv[0], .bytes = -1 };
    if (argc != 7) {
        fprintf(stderr,
                "usage: %s SOCKET select|sleep|user CONNECTIONS WORKERS "
                "REQUESTS MILLISECONDS\n",
                argv[0]);
        return -1;
    }
    load->socket = argv[1];
    load->handler = strcmp(argv[2], "sleep") == 0  ? load_sleep
                    : strcmp(argv[2], "user") == 0 ? load_user
                                                   : load_select;
    load->connections = (unsigned)atoi(argv[3]);
    load->workers = (unsigned)atoi(argv[4]);
    load->requests = (unsigned)atoi(argv[5]);
    load->duration = atoi(argv[6]) * INT64_C(1000000);
    return 0;
}

/* Resident memory, summed up from the page tables; -1 when it is unknown. */
static inline int64_t load_memory(void)
{
    FILE *f = fopen("/proc/self/smaps_rollup", "re");
    char line[128];
    long kib = -1;

    while (f != NULL && kib < 0 && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Rss: %ld", &kib) != 1)
            kib = -1;
    if (f != NULL)
        (void)fclose(f);
    return kib < 0 ? -1 : kib * 1024;
}

/* The result, for mysql.c; the program's exit status. */
static inline int load_say(const struct load *load,
                           const struct load_times *times, unsigned count)
{
    static struct histogram all;

    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < HISTOGRAM_BUCKETS; k++)
            all.counts[k] += times[i].times.counts[k];
        all.total += times[i].times.total;
    }
    if (load->failed > 0 || all.total == 0) {
        fprintf(stderr, "%s: %lu of %lu queries failed\n", load->name,
                (unsigned long)load->failed, (unsigned long)all.total);
        return 1;
    }
    printf("queries %lu elapsed %ld cpu %ld p99 %.0f bytes %ld\n",
           (unsigned long)all.total, (long)load->begun, (long)load->cpu,
           histogram_quantile(&all, 0.99), (long)load->bytes);
    return 0;
}

#endif
