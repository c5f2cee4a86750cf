/* redis.c - commands to one Redis over one connection: one at a time, shared by
 * many coroutines, and redis-benchmark.
 *
 *     redis [--quick] [--json]
 *
 * redis.single: a coroutine asks, and asks again when it has the reply.
 * redis.pipelined: 1,000 coroutines do so, by net_redis_ask().
 * redis.benchmark: redis-benchmark -c 1 -P 1000.
 *
 * All ask GET of one small value.  The server has a core of its own, and
 * whoever asks has the other; they take turns, and what counts is the median
 * over the rounds, of the ratios that over the same rounds.  Of the corten side
 * the processor time is said, too, and the system calls, counted in a run of
 * their own.
 *
 * Of a shared command's time about a fifth each goes into making the command,
 * handing out replies (hiredis's parser and its two allocations), and waiting
 * and waking; two system calls serve about a hundred commands.  The asker's
 * caches matter: other programs on its core can double what a command costs,
 * redis-benchmark's loop hardly, so the ratio needs a quiet machine.
 *
 * SPDX-License-Identifier: MIT
 */
#include "net/redis.h"
#include "bench/bench.h"
#include "bench/load/child.h"
#include "bench/load/load_redis.h"
#include "bench/load/syscalls.h"
#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#define GET "GET %s", "bench:value"

enum { ASKERS = 1000, ROUNDS_MAX = 21 };

enum { SINGLE, PIPELINED, BENCHMARK, KINDS };

static const char *const kind_names[KINDS] = { "single", "pipelined",
                                               "benchmark" };

struct figures {
    double qps[ROUNDS_MAX];
    double cpu_us[ROUNDS_MAX];
    double busy[ROUNDS_MAX]; /* the server's share of its core */
};

static struct {
    struct child server;
    struct net_pool *pool;
    struct net_redis *shared;
    long commands[KINDS]; /* of a round */
    size_t rounds;
} bed;

static void check(redisReply *reply)
{
    if (reply == NULL)
        bench_die("redis: GET");
    if (reply->type != REDIS_REPLY_STRING || strcmp(reply->str, "xyz") != 0) {
        fprintf(stderr, "redis: a wrong reply\n");
        exit(1);
    }
    freeReplyObject(reply);
}

/* ---- Those who ask ---------------------------------------------------------
 */

static void ask_single(long n)
{
    redisContext *c = net_pool_get(bed.pool, CO_FOREVER);

    if (c == NULL)
        bench_die("redis: connect");
    while (n-- > 0)
        check(net_redis_command(c, CO_FOREVER, GET));
    net_pool_put(bed.pool, c);
}

static void asks(void *arg)
{
    for (long n = *(long *)arg; n > 0; n--)
        check(net_redis_ask(bed.shared, CO_FOREVER, GET));
}

static void ask_pipelined(long n)
{
    struct co_group group = { 0 };
    long each = n / ASKERS;

    for (int i = 0; i < ASKERS; i++)
        if (co_group_go(&group, asks, &each) < 0)
            bench_die("redis: spawn");
    if (co_group_wait(&group, CO_FOREVER) < 0)
        bench_die("redis: wait");
}

static void run_benchmark(long n, struct figures *f, size_t round)
{
    const struct redis_load load = { n, ASKERS, "GET", "bench:value" };
    struct redis_result r;

    if (redis_load_run(&load, &bed.server, &r) < 0)
        bench_die("redis-benchmark");
    f->qps[round] = r.qps;
    f->cpu_us[round] = (double)r.cpu / 1e3 / (double)n;
}

/* ---- Rounds ----------------------------------------------------------------
 */

/* The clock of a process that sleeps is exact. */
static int64_t server_cpu(void)
{
    static const struct timespec t = { .tv_nsec = 2000000 };

    (void)nanosleep(&t, NULL);
    return child_cpu(&bed.server);
}

static void measure(int kind, struct figures *f, size_t round)
{
    long n = bed.commands[kind];
    int64_t there = server_cpu();
    int64_t begin = bench_now_ns(), cpu = bench_cpu_ns(), took;

    if (kind == BENCHMARK) {
        run_benchmark(n, f, round);
        took = (int64_t)((double)n * 1e9 / f->qps[round]);
    } else {
        (kind == SINGLE ? ask_single : ask_pipelined)(n);
        took = bench_now_ns() - begin;
        f->qps[round] = (double)n * 1e9 / (double)took;
        f->cpu_us[round] = (double)(bench_cpu_ns() - cpu) / 1e3 / (double)n;
    }
    there = server_cpu() - there;
    f->busy[round] = 100.0 * (double)there / (double)took;
}

static void report_syscalls(int kind)
{
    long n = bed.commands[kind];
    struct syscalls counter;
    pid_t self = getpid();
    char name[64];
    int64_t calls;

    if (syscalls_open(&counter, &self, 1) < 0) {
        bench_note("no system call counts: %s", strerror(errno));
        return;
    }
    (kind == SINGLE ? ask_single : ask_pipelined)(n);
    calls = syscalls_close(&counter);
    (void)snprintf(name, sizeof name, "redis.%s.syscalls", kind_names[kind]);
    if (calls >= 0)
        bench_report(name, (double)calls / (double)n, "calls", n);
}

static void report(int kind, struct figures *f)
{
    char name[64];

    (void)snprintf(name, sizeof name, "redis.%s.qps", kind_names[kind]);
    bench_report_median(name, f->qps, bed.rounds, "1/s");
    (void)snprintf(name, sizeof name, "redis.%s.cpu_us", kind_names[kind]);
    bench_report_median(name, f->cpu_us, bed.rounds, "us");
    bench_note("%-28s the server was busy %.0f %% of the time", "",
               bench_median(f->busy, bed.rounds));
    if (kind != BENCHMARK)
        report_syscalls(kind);
}

static void run_rounds(void)
{
    static struct figures figures[KINDS];
    double over_single[ROUNDS_MAX], of_benchmark[ROUNDS_MAX];

    for (size_t i = 0; i < bed.rounds; i++) {
        for (int k = 0; k < KINDS; k++) {
            int kind = (k + (int)i) % KINDS; /* each goes first in turn */

            measure(kind, &figures[kind], i);
        }
        over_single[i] = figures[PIPELINED].qps[i] / figures[SINGLE].qps[i];
        of_benchmark[i] = figures[PIPELINED].qps[i] / figures[BENCHMARK].qps[i];
    }
    for (int kind = 0; kind < KINDS; kind++)
        report(kind, &figures[kind]);
    bench_report_median("redis.ratio.single", over_single, bed.rounds, "1");
    bench_report_median("redis.ratio.benchmark", of_benchmark, bed.rounds, "1");
}

static void root(void *arg)
{
    char addr[32];
    struct net_redis_config config = { .addr = addr, .pool = { .max = 1 } };

    (void)arg;
    (void)snprintf(addr, sizeof addr, "127.0.0.1:%u",
                   ntohs(bed.server.addr.sin_port));
    bed.pool = net_redis_pool(&config);
    bed.shared = net_redis_new(&config);
    if (bed.pool == NULL || bed.shared == NULL)
        bench_die("redis");
    freeReplyObject(net_redis_ask(bed.shared, CO_FOREVER, "SET %s %s",
                                  "bench:value", "xyz"));
    ask_single(1000); /* warm */
    ask_pipelined(10L * ASKERS);
    run_rounds();
    net_redis_free(bed.shared);
    net_pool_free(bed.pool);
}

/* Two cores that this process may use; the second one becomes its own. */
static int server_core(void)
{
    cpu_set_t set;
    int cores[2], found = 0;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        bench_die("sched_getaffinity");
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            cores[found++] = i;
    if (found < 2) {
        fprintf(stderr, "redis: one core only, shared with the server\n");
        cores[1] = cores[0];
    }
    if (child_pin_self(cores[1]) < 0)
        bench_die("pin");
    return cores[0];
}

int main(int argc, char **argv)
{
    int core;

    bench_open(argc, argv);
    bed.rounds = bench.quick ? 3 : ROUNDS_MAX;
    bed.commands[SINGLE] = bench.quick ? 5000 : 20000;
    bed.commands[PIPELINED] = bench.quick ? 200L * ASKERS : 500L * ASKERS;
    bed.commands[BENCHMARK] = bed.commands[PIPELINED];
    core = server_core();
    if (redis_start(&bed.server, core) < 0) {
        fprintf(stderr, "redis: left out, no redis-server: %s\n",
                strerror(errno));
        return errno == ENOENT ? 0 : 1;
    }
    if (co_run(root, NULL, &(struct co_config){ .schedulers = 1 }) < 0)
        bench_die("co_run");
    return child_stop(&bed.server) < 0;
}
