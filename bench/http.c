/* http.c - what an HTTP request costs: the corten server beside an epoll loop
 * by hand, nginx, and a pool of threads; and what a file costs, beside nginx.
 *
 *     http [--quick] [--json] [c64 | c512 | pipe16 | idle | file10k | file1m |
 *                              mix]...
 *
 * The client is wrk, on one thread, on a core of its own; the server has
 * another.  Servers take turns, each run with a process of its own that was
 * warmed up, and each goes first as often as the others: what counts is the
 * median over the rounds, and of the ratios the median over the same rounds.  A
 * server is idle when a run starts and when it ends, and its processor time is
 * that of all it did meanwhile, accepting and closing included.
 *
 * Files are in the page cache, and each was asked for once, and compared,
 * before a run begins.  All say the same about a file.
 *
 * Which side is busy all the time is said for people: a server that waits for
 * wrk polls more often, and pays more for a request.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "bench/http/files.h"
#include "bench/http/run.h"
#include "bench/load/load_hold.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define MSEC INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define ADDRESS "127.0.0.1:0"

enum { ROUNDS_MAX = 24, IDLE_CONNS = 8000, IDLE_FIRST = 256 };
enum { KIB = 1024, MIB = 1024 * 1024 };

struct plan {
    size_t rounds;
    int64_t duration; /* of one run */
    unsigned files;
};

struct http_case {
    const char *name;
    unsigned conns;
    unsigned depth;
    struct plan full;
    struct plan quick; /* all together take some 45 s */
    size_t file_min, file_max;
};

static const struct http_case cases[] = {
    { "c64", 64, 1, { 12, 2 * SECOND, 0 }, { 2, 200 * MSEC, 0 }, 0, 0 },
    { "c512", 512, 1, { 12, 2 * SECOND, 0 }, { 2, 200 * MSEC, 0 }, 0, 0 },
    { "pipe16", 64, 16, { 12, 2 * SECOND, 0 }, { 2, 200 * MSEC, 0 }, 0, 0 },
    { "file10k",
      64,
      1,
      { 12, 2 * SECOND, 1 },
      { 2, 200 * MSEC, 1 },
      10 * KIB,
      10 * KIB },
    { "file1m", 64, 1, { 12, 2 * SECOND, 1 }, { 2, 200 * MSEC, 1 }, MIB, MIB },
    { "mix",
      64,
      1,
      { 12, 2 * SECOND, 10000 },
      { 2, 200 * MSEC, 1000 },
      KIB,
      MIB },
};

/* corten stands first, and what it costs is put over the others' costs. */
static struct server greeters[] = {
    { "corten", { "servers/corten_http", "http", ADDRESS }, false },
    { "epoll", { "servers/epoll", "http", ADDRESS }, false },
    { "nginx", { "peers/nginx", "http", ADDRESS }, false },
    { "threads", { "servers/workers", "http", ADDRESS }, false },
};

/* nginx takes what it has open for unchanged for a minute; corten looks at the
 * file once for all requests of a turn.  With tcp_nopush nginx is the better at
 * small files, without at large ones. */
static struct server file_servers[] = {
    { "corten",
      { "../examples/serve", "--log=off", ADDRESS, RUN_FOLDER },
      false },
    { "nginx", { "peers/nginx", "files", ADDRESS, RUN_FOLDER }, false },
    { "nginx_parts", { "peers/nginx", "parts", ADDRESS, RUN_FOLDER }, false },
};

enum {
    GREETERS = sizeof greeters / sizeof greeters[0],
    FILE_SERVERS = sizeof file_servers / sizeof file_servers[0],
    SERVERS_MAX = GREETERS
};

static const struct {
    const char *name, *unit;
} reported[] = {
    [CPU_US] = { "cpu_us", "us" },
    [RPS] = { "rps", "1/s" },
    [P50_MS] = { "p50_ms", "ms" },
    [P99_MS] = { "p99_ms", "ms" },
};

/* ---- Figures ------------------------------------------------------------- */

static void report_server(const struct server *server, const char *what,
                          const char *figure, double *values, size_t n,
                          const char *unit)
{
    char name[64];

    (void)snprintf(name, sizeof name, "http.%s.%s.%s", server->name, what,
                   figure);
    bench_report_median(name, values, n, unit);
}

static int report_syscalls(const struct server *server, const struct load *load)
{
    double each;

    if (run_count(server, load, bench.quick ? 200 * MSEC : SECOND, &each) < 0)
        return -1;
    if (each >= 0)
        report_server(server, load->name, "syscalls", &each, 1, "calls");
    return 0;
}

static int report_load(const struct server *server, const struct load *load,
                       double values[FIGURES][ROUNDS_MAX], size_t n)
{
    for (size_t i = 0; i < sizeof reported / sizeof reported[0]; i++)
        report_server(server, load->name, reported[i].name, values[i], n,
                      reported[i].unit);
    if (report_syscalls(server, load) < 0)
        return -1;
    bench_note("%-28s server busy %.0f %% of the time, wrk %.0f %%", "",
               bench_median(values[BUSY], n),
               bench_median(values[WRK_BUSY], n));
    return 0;
}

static void report_ratio(const struct server *server, const struct load *load,
                         double *ratios, size_t n)
{
    char name[64];

    (void)snprintf(name, sizeof name, "http.ratio.%s.%s", server->name,
                   load->name);
    bench_report_median(name, ratios, n, "1");
}

/* ---- Cases --------------------------------------------------------------- */

static int run_load(const struct server *servers, size_t count,
                    const struct load *load, const struct plan *p)
{
    static double values[SERVERS_MAX][FIGURES][ROUNDS_MAX];
    double ratios[SERVERS_MAX][ROUNDS_MAX], one[FIGURES];
    size_t s;

    for (size_t i = 0; i < p->rounds; i++) {
        /* Each goes first in turn, so that a slow drift favours none. */
        for (size_t k = 0; k < count; k++) {
            s = (k + i) % count;
            if (servers[s].left_out)
                continue;
            if (run_measure(&servers[s], load, p->duration, one) < 0)
                return -1;
            for (size_t f = 0; f < FIGURES; f++)
                values[s][f][i] = one[f];
        }
        for (s = 0; s < count; s++)
            ratios[s][i] = values[0][CPU_US][i] / values[s][CPU_US][i];
    }
    for (s = 0; s < count; s++)
        if (!servers[s].left_out &&
            report_load(&servers[s], load, values[s], p->rounds) < 0)
            return -1;
    for (s = 1; s < count; s++)
        if (!servers[s].left_out)
            report_ratio(&servers[s], load, ratios[s], p->rounds);
    return 0;
}

static int run_case(const struct http_case *c)
{
    const struct plan *p = bench.quick ? &c->quick : &c->full;
    struct load load = { .name = c->name,
                         .conns = c->conns,
                         .depth = c->depth };
    struct files files = { .count = p->files,
                           .min = c->file_min,
                           .max = c->file_max };
    int result;

    if (p->files == 0)
        return run_load(greeters, GREETERS, &load, p);
    if (file_servers[0].left_out)
        return 0;
    if (files_open(&files) < 0) {
        fprintf(stderr, "http: no files: %s\n", strerror(errno));
        return -1;
    }
    load.files = &files;
    result = run_load(file_servers, FILE_SERVERS, &load, p);
    files_close(&files);
    return result;
}

/* Memory of a connection that has had its answer and is silent since.  The
 * first few pay for what all share. */
static int run_idle(const struct server *server)
{
    static int first[IDLE_FIRST], rest[IDLE_CONNS];
    static const struct load load = { .name = "idle" };
    unsigned conns = bench.quick ? IDLE_CONNS / 4 : IDLE_CONNS;
    struct child child;
    char name[64];
    double each = -1;

    if (run_start(&child, server, &load) < 0)
        return -1;
    if (hold_open(&child.addr, first, IDLE_FIRST) == 0) {
        int64_t before = child_rss(&child);

        if (hold_open(&child.addr, rest, conns) == 0) {
            run_settle();
            each = (double)(child_rss(&child) - before) / conns;
            hold_close(rest, conns);
        }
        hold_close(first, IDLE_FIRST);
    }
    if (each < 0)
        (void)run_failed(server, "idle");
    if (run_stop(&child, server) < 0 || each < 0)
        return -1;
    (void)snprintf(name, sizeof name, "http.idle.%s.bytes", server->name);
    bench_report_median(name, &each, 1, "bytes");
    return 0;
}

/* ---- The program --------------------------------------------------------- */

/* What is not installed, or was not built. */
static void leave_out(struct server *servers, size_t count, const char *name,
                      const char *needs)
{
    if (access(needs, X_OK) == 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (strcmp(servers[i].name, name) == 0)
            servers[i].left_out = true;
    fprintf(stderr, "http: %s is left out: there is no %s\n", name, needs);
}

/* Two cores that this process may use, and as many fds as it may have. */
static int prepare(void)
{
    static char dir[PATH_MAX - 64];
    struct rlimit limit;
    char path[PATH_MAX];
    int cores[2], found = 0;
    cpu_set_t set;
    ssize_t n;

    n = readlink("/proc/self/exe", dir, sizeof dir - 1);
    if (n < 0 || sched_getaffinity(0, sizeof set, &set) < 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    *strrchr(dir, '/') = '\0';
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            cores[found++] = i;
    if (found < 2) {
        fprintf(stderr, "http: one core only, shared by server and wrk\n");
        cores[1] = cores[0];
    }
    /* Inherited by the servers. */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    leave_out(greeters, GREETERS, "nginx", "/usr/sbin/nginx");
    leave_out(file_servers, FILE_SERVERS, "nginx", "/usr/sbin/nginx");
    leave_out(file_servers, FILE_SERVERS, "nginx_parts", "/usr/sbin/nginx");
    (void)snprintf(path, sizeof path, "%s/%s", dir, file_servers[0].words[0]);
    leave_out(file_servers, FILE_SERVERS, "corten", path);
    run_open(dir, cores[0]);
    return child_pin_self(cores[1]);
}

/* Is the case among the names, or are there none? */
static bool wanted(char **names, const char *name)
{
    size_t i;

    for (i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return names[0] == NULL;
}

int main(int argc, char **argv)
{
    int words = 1;

    /* Options first, as bench_open() reads them; then the names of cases. */
    while (words < argc && argv[words][0] == '-')
        words++;
    bench_open(words, argv);
    if (prepare() < 0)
        bench_die("http");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (wanted(argv + words, cases[i].name) && run_case(&cases[i]) < 0)
            return 1;
    for (size_t i = 0; i < GREETERS; i++)
        if (wanted(argv + words, "idle") && !greeters[i].left_out &&
            run_idle(&greeters[i]) < 0)
            return 1;
    return 0;
}
