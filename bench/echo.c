/* echo.c - what a 64-byte echo costs: the corten server beside a hand-written
 * epoll loop.
 *
 *     echo [--quick] [--json] [c1 | c64 | c1000 | c8000 | pipe16 | idle]...
 *
 * The machine's speed moves by two within minutes, so the servers take turns,
 * each run with a process of its own on one core, the load on another, and what
 * counts is the median over pairs of neighbouring runs.  A server is idle when
 * a run starts and when it ends: its processor time and the requests are then
 * those of exactly the same work.
 *
 * In a closed loop the slower side of the two is busy all the time.  Where that
 * is the load, fewer requests are ready at a time for the server than it could
 * have taken, and the run says so.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "bench/load/child.h"
#include "bench/load/load_echo.h"
#include "bench/load/syscalls.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define MSEC INT64_C(1000000)
#define SECOND INT64_C(1000000000)

enum { PAIRS_MAX = 21, IDLE_CONNS = 8000, IDLE_FIRST = 256 };

struct plan {
    size_t pairs;
    int64_t duration; /* of one run */
};

struct echo_case {
    const char *name;
    unsigned conns;
    unsigned depth;
    struct plan full;
    struct plan quick; /* all together take some 20 s */
};

static const struct echo_case cases[] = {
    { "c1", 1, 1, { 21, 3 * SECOND }, { 3, 200 * MSEC } },
    { "c64", 64, 1, { 21, 3 * SECOND }, { 5, SECOND } },
    { "c1000", 1000, 1, { 21, 3 * SECOND }, { 3, 200 * MSEC } },
    { "c8000", 8000, 1, { 21, 3 * SECOND }, { 3, 200 * MSEC } },
    { "pipe16", 64, 16, { 21, 3 * SECOND }, { 3, 200 * MSEC } },
};

enum { CORTEN, EPOLL, SERVERS };

static const char *const server_names[SERVERS] = { "corten", "epoll" };

/* What the runs of one server in one case gave, each in the order of runs. */
struct figures {
    double cpu_us[PAIRS_MAX];
    double rps[PAIRS_MAX];
    double p99_us[PAIRS_MAX];
    double busy[PAIRS_MAX];      /* the server's share of its core */
    double load_busy[PAIRS_MAX]; /* the load's */
};

static struct {
    bool json;
    bool quick;
    int cores[2];       /* the server's, the load's */
    char dir[PATH_MAX]; /* where the server programs are */
} options;

static void report_server(int server, const char *what, const char *figure,
                          double *values, size_t n, const char *unit)
{
    char name[64];

    (void)snprintf(name, sizeof name, "echo.%s.%s.%s", server_names[server],
                   what, figure);
    bench_report_median(name, values, n, unit);
}

static int fail(int server, const char *what)
{
    fprintf(stderr, "echo: %s server, %s: %s\n", server_names[server], what,
            strerror(errno));
    return -1;
}

static int start_server(struct child *c, int server, char *option)
{
    char path[PATH_MAX + 64];
    char kind[] = "echo", addr[] = "127.0.0.1:0", mode[] = "--mode";
    char *argv[] = { path,   kind, addr, option == NULL ? NULL : mode,
                     option, NULL };

    (void)snprintf(path, sizeof path, "%s/servers/%s", options.dir,
                   server_names[server]);
    if (child_start(c, argv, options.cores[0]) < 0)
        return fail(server, "start");
    return 0;
}

/* Until the server has gone to sleep after its last reply: a clock that is not
 * running is exact, a running one lags by up to a tick. */
static void settle(void)
{
    static const struct timespec t = { .tv_nsec = 2 * MSEC };

    (void)nanosleep(&t, NULL);
}

/* One server with a case's connections on it, all of them used. */
struct bed {
    struct child child;
    struct load *load;
};

static int bed_open(struct bed *b, int server, const struct echo_case *c)
{
    struct load_result warm;

    if (start_server(&b->child, server, NULL) < 0)
        return -1;
    b->load = load_open(&b->child.addr, c->conns, c->depth);
    if (b->load != NULL && load_run(b->load, 100 * MSEC, &warm) == 0) {
        settle();
        return 0;
    }
    (void)fail(server, b->load == NULL ? "connect" : "warm up");
    load_close(b->load);
    (void)child_stop(&b->child);
    return -1;
}

static int bed_close(struct bed *b, int server)
{
    load_close(b->load);
    if (child_stop(&b->child) == 0)
        return 0;
    fprintf(stderr, "echo: the %s server ended badly\n", server_names[server]);
    return -1;
}

/* The run number i of a server. */
static int measure(int server, const struct echo_case *c, int64_t duration,
                   struct figures *f, size_t i)
{
    struct load_result r;
    struct bed b;
    int64_t cpu;
    int result;

    if (bed_open(&b, server, c) < 0)
        return -1;
    cpu = child_cpu(&b.child);
    result = load_run(b.load, duration, &r);
    settle();
    cpu = child_cpu(&b.child) - cpu;
    if (result < 0)
        (void)fail(server, c->name);
    if (bed_close(&b, server) < 0 || result < 0)
        return -1;
    f->cpu_us[i] = (double)cpu / 1e3 / (double)r.requests;
    f->rps[i] = (double)r.requests * 1e9 / (double)r.elapsed;
    f->p99_us[i] = r.p99_us;
    f->busy[i] = 100.0 * (double)cpu / (double)r.elapsed;
    f->load_busy[i] = 100.0 * (double)r.cpu / (double)r.elapsed;
    return 0;
}

/* In a run of its own, which counting slows down. */
static int measure_syscalls(int server, const struct echo_case *c)
{
    struct syscalls counter;
    struct load_result r;
    struct bed b;
    int64_t calls = -1;
    int result = -1;

    if (bed_open(&b, server, c) < 0)
        return -1;
    if (syscalls_open(&counter, &b.child.pid, 1) == 0) {
        result = load_run(b.load, 300 * MSEC, &r);
        if (result < 0)
            (void)fail(server, c->name);
        calls = syscalls_close(&counter);
    } else {
        fprintf(stderr, "echo: no system call counts: %s\n", strerror(errno));
        result = 0;
    }
    if (bed_close(&b, server) < 0 || result < 0)
        return -1;
    if (calls >= 0) {
        double each = (double)calls / (double)r.requests;

        report_server(server, c->name, "syscalls", &each, 1, "calls");
    }
    return 0;
}

/* The share of its core that each side had; complains when the server's was not
 * nearly all. */
static void report_load(int server, const struct echo_case *c,
                        struct figures *f, size_t n)
{
    double busy = bench_median(f->busy, n);
    double load_busy = bench_median(f->load_busy, n);

    bench_note("%-28s server busy %.0f %% of the time, load %.0f %%", "", busy,
               load_busy);
    if (c->conns < 64 || busy > 95)
        return;
    if (load_busy > 95)
        fprintf(stderr,
                "echo: %s, %s: the load was saturated, not the server (%.0f "
                "%% busy)\n",
                server_names[server], c->name, busy);
    else if (busy < 85 && load_busy < 85)
        fprintf(stderr,
                "echo: %s, %s: neither side was busy all the time (%.0f and "
                "%.0f %%): other programs had the cores\n",
                server_names[server], c->name, busy, load_busy);
}

static int run_case(const struct echo_case *c)
{
    const struct plan *p = bench.quick ? &c->quick : &c->full;
    struct figures figures[SERVERS];
    double ratios[PAIRS_MAX];
    char name[64];
    int server;
    size_t i;

    for (i = 0; i < p->pairs; i++) {
        /* Each goes first in turn, so that a slow drift favours neither. */
        int first = (int)(i % SERVERS);

        if (measure(first, c, p->duration, &figures[first], i) < 0 ||
            measure(!first, c, p->duration, &figures[!first], i) < 0)
            return -1;
        ratios[i] = figures[CORTEN].cpu_us[i] / figures[EPOLL].cpu_us[i];
    }
    for (server = 0; server < SERVERS; server++) {
        struct figures *f = &figures[server];

        report_server(server, c->name, "cpu_us", f->cpu_us, p->pairs, "us");
        report_server(server, c->name, "rps", f->rps, p->pairs, "1/s");
        report_server(server, c->name, "p99_us", f->p99_us, p->pairs, "us");
        if (measure_syscalls(server, c) < 0)
            return -1;
        report_load(server, c, f, p->pairs);
    }
    (void)snprintf(name, sizeof name, "echo.ratio.%s", c->name);
    bench_report_median(name, ratios, p->pairs, "1");
    return 0;
}

/* Memory of a connection that has echoed once and is silent since.  The first
 * few pay for what all share. */
static int run_idle(const char *kind, char *option)
{
    struct load_result r;
    struct load *first = NULL;
    struct load *rest = NULL;
    struct child child;
    char name[64];
    double each = -1;

    if (start_server(&child, CORTEN, option) < 0)
        return -1;
    first = load_open(&child.addr, IDLE_FIRST, 1);
    if (first != NULL && load_run(first, 0, &r) == 0) {
        int64_t before = child_rss(&child);

        rest = load_open(&child.addr, IDLE_CONNS, 1);
        if (rest != NULL && load_run(rest, 0, &r) == 0) {
            settle();
            each = (double)(child_rss(&child) - before) / IDLE_CONNS;
        }
    }
    if (each < 0)
        (void)fail(CORTEN, "idle");
    load_close(rest);
    load_close(first);
    if (child_stop(&child) < 0 || each < 0)
        return -1;
    (void)snprintf(name, sizeof name, "echo.idle.%s", kind);
    bench_report_median(name, &each, 1, "bytes");
    return 0;
}

/* Two cores that this process may use, and as many fds as it may have. */
static int prepare(void)
{
    struct rlimit limit;
    cpu_set_t set;
    int found = 0;
    int i;
    ssize_t n;
    char *slash;

    n = readlink("/proc/self/exe", options.dir, sizeof options.dir - 1);
    if (n < 0 || sched_getaffinity(0, sizeof set, &set) < 0 ||
        getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    options.dir[n] = '\0';
    slash = strrchr(options.dir, '/');
    if (slash != NULL)
        *slash = '\0';
    for (i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            options.cores[found++] = i;
    if (found < 2) {
        fprintf(stderr, "echo: one core only, shared by server and load\n");
        options.cores[1] = options.cores[0];
    }
    /* Inherited by the servers. */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    return child_pin_self(options.cores[1]);
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
    size_t i;

    /* Options first, as bench_open() reads them; then the names of cases. */
    while (words < argc && argv[words][0] == '-')
        words++;
    bench_open(words, argv);
    if (prepare() < 0)
        bench_die("echo");
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (wanted(argv + words, cases[i].name) && run_case(&cases[i]) < 0)
            return 1;
    if (wanted(argv + words, "idle") &&
        (run_idle("pooled", NULL) < 0 || run_idle("stack", "stack") < 0))
        return 1;
    return 0;
}
