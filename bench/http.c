/* http.c - what an HTTP request costs: the corten server beside an epoll loop
 * by hand, nginx, and a pool of threads.
 *
 *     http [--quick] [--json] [c64 | c512 | pipe16 | idle]...
 *
 * The client is wrk, on one thread, on a core of its own; the server has
 * another.  Servers take turns, each run with a process of its own that was
 * warmed up, and each goes first as often as the others: what counts is the
 * median over the rounds, and of the ratios the median over the same rounds.  A
 * server is idle when a run starts and when it ends, and its processor time is
 * that of all it did meanwhile, accepting and closing included.
 *
 * Which side is busy all the time is said for people: a server that waits for
 * wrk polls more often, and pays more for a request.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "bench/load/child.h"
#include "bench/load/load_hold.h"
#include "bench/load/load_wrk.h"
#include "bench/load/syscalls.h"
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#define MSEC INT64_C(1000000)
#define SECOND INT64_C(1000000000)
#define WARM_UP (100 * MSEC)

enum { ROUNDS_MAX = 24, IDLE_CONNS = 8000, IDLE_FIRST = 256, TRIES = 3 };

struct plan {
    size_t rounds;
    int64_t duration; /* of one run */
};

struct http_case {
    const char *name;
    unsigned conns;
    unsigned depth;
    struct plan full;
    struct plan quick; /* all together take some 25 s */
};

static const struct http_case cases[] = {
    { "c64", 64, 1, { 12, 2 * SECOND }, { 2, 200 * MSEC } },
    { "c512", 512, 1, { 12, 2 * SECOND }, { 2, 200 * MSEC } },
    { "pipe16", 64, 16, { 12, 2 * SECOND }, { 2, 200 * MSEC } },
};

enum { CORTEN, EPOLL, NGINX, THREADS, SERVERS };

static const char *const server_names[SERVERS] = { "corten", "epoll", "nginx",
                                                   "threads" };

static const char *const programs[SERVERS] = { "corten_http", "epoll",
                                               "../peers/nginx", "workers" };

/* What the runs of one server in one case gave, each in the order of runs. */
struct figures {
    double cpu_us[ROUNDS_MAX];
    double rps[ROUNDS_MAX];
    double p50_ms[ROUNDS_MAX];
    double p99_ms[ROUNDS_MAX];
    double busy[ROUNDS_MAX];     /* the server's share of its core */
    double wrk_busy[ROUNDS_MAX]; /* wrk's */
};

static struct {
    int cores[2];            /* the server's, wrk's */
    char dir[PATH_MAX - 64]; /* where this program is */
    char script[PATH_MAX];   /* wrk.lua */
    bool left_out[SERVERS];
} options;

/* ---- Figures ------------------------------------------------------------- */

static void report_server(int server, const char *what, const char *figure,
                          double *values, size_t n, const char *unit)
{
    char name[64];

    (void)snprintf(name, sizeof name, "http.%s.%s.%s", server_names[server],
                   what, figure);
    bench_report_median(name, values, n, unit);
}

static int fail(int server, const char *what)
{
    fprintf(stderr, "http: %s server, %s: %s\n", server_names[server], what,
            strerror(errno));
    return -1;
}

/* ---- A server ------------------------------------------------------------ */

/* Until it has gone to sleep after its last work: a clock that is not running
 * is exact, a running one lags by up to a tick. */
static void settle(void)
{
    static const struct timespec t = { .tv_nsec = 20 * MSEC };

    (void)nanosleep(&t, NULL);
}

/* Is it the answer that all servers give? */
static int check_answer(int server, const struct child *c)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\n";
    static const char end[] = "\r\n\r\nhello, corten\n";
    char answer[1024];
    size_t len;
    int fd;

    if (hold_one(&c->addr, &fd, answer, sizeof answer) < 0)
        return fail(server, "the first request");
    hold_close(&fd, 1);
    len = strlen(answer);
    if (strncmp(answer, begin, sizeof begin - 1) == 0 &&
        strstr(answer, "\r\nDate: ") != NULL &&
        strstr(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n") !=
            NULL &&
        len > sizeof end && strcmp(answer + len - (sizeof end - 1), end) == 0)
        return 0;
    fprintf(stderr, "http: the %s server answers:\n%s\n", server_names[server],
            answer);
    return -1;
}

static int start_server(struct child *c, int server)
{
    char path[PATH_MAX], kind[] = "http", addr[] = "127.0.0.1:0";
    char *argv[] = { path, kind, addr, NULL };

    (void)snprintf(path, sizeof path, "%s/servers/%s", options.dir,
                   programs[server]);
    if (child_start(c, argv, options.cores[0]) < 0)
        return fail(server, "start");
    if (check_answer(server, c) == 0)
        return 0;
    (void)child_stop(c);
    return -1;
}

static int stop_server(struct child *c, int server)
{
    if (child_stop(c) == 0)
        return 0;
    fprintf(stderr, "http: the %s server ended badly\n", server_names[server]);
    return -1;
}

/* ---- Runs ---------------------------------------------------------------- */

static int load(const struct http_case *c, const struct child *child,
                int64_t duration, struct wrk_result *r)
{
    struct wrk wrk = { .script = options.script,
                       .conns = c->conns,
                       .depth = c->depth };
    int result = wrk_run(&wrk, &child->addr, duration, r);

    settle();
    if (result == 0 && r->requests == 0 && duration > WARM_UP) {
        errno = ETIMEDOUT;
        return -1;
    }
    return result;
}

/* The run number i of a server. */
static int measure(int server, const struct http_case *c, int64_t duration,
                   struct figures *f, size_t i)
{
    struct wrk_result r;
    struct child child;
    int64_t cpu = 0;
    int result = -1;

    if (start_server(&child, server) < 0)
        return -1;
    (void)load(c, &child, WARM_UP, &r); /* what fails here fails again */
    /* A run of minutes should not end because one of hundreds of wrks did. */
    for (int try = 0; try < TRIES && result < 0; try++) {
        cpu = child_cpu(&child);
        result = load(c, &child, duration, &r);
        cpu = child_cpu(&child) - cpu;
    }
    if (result < 0)
        (void)fail(server, c->name);
    if (stop_server(&child, server) < 0 || result < 0)
        return -1;
    f->cpu_us[i] = (double)cpu / 1e3 / (double)r.requests;
    f->rps[i] = (double)r.requests * 1e9 / (double)r.elapsed;
    f->p50_ms[i] = r.p50_ms;
    f->p99_ms[i] = r.p99_ms;
    f->busy[i] = 100.0 * (double)cpu / (double)r.elapsed;
    f->wrk_busy[i] = 100.0 * (double)r.cpu / (double)r.elapsed;
    return 0;
}

/* In a run of its own, which counting slows down. */
static int measure_syscalls(int server, const struct http_case *c)
{
    struct syscalls counter;
    struct wrk_result r;
    struct child child;
    int64_t calls = -1;
    int result = 0;

    if (start_server(&child, server) < 0)
        return -1;
    if (syscalls_open(&counter, &child.pid, 1) == 0) {
        result = load(c, &child, bench.quick ? 200 * MSEC : SECOND, &r);
        calls = syscalls_close(&counter);
    } else {
        fprintf(stderr, "http: no system call counts: %s\n", strerror(errno));
    }
    if (result < 0)
        (void)fail(server, c->name);
    if (stop_server(&child, server) < 0 || result < 0)
        return -1;
    if (calls >= 0) {
        double each = (double)calls / (double)r.requests;

        report_server(server, c->name, "syscalls", &each, 1, "calls");
    }
    return 0;
}

static int report_case(const struct http_case *c, struct figures *figures,
                       size_t n)
{
    for (int server = 0; server < SERVERS; server++) {
        struct figures *f = &figures[server];

        if (options.left_out[server])
            continue;
        report_server(server, c->name, "cpu_us", f->cpu_us, n, "us");
        report_server(server, c->name, "rps", f->rps, n, "1/s");
        report_server(server, c->name, "p50_ms", f->p50_ms, n, "ms");
        report_server(server, c->name, "p99_ms", f->p99_ms, n, "ms");
        if (measure_syscalls(server, c) < 0)
            return -1;
        bench_note("%-28s server busy %.0f %% of the time, wrk %.0f %%", "",
                   bench_median(f->busy, n), bench_median(f->wrk_busy, n));
    }
    return 0;
}

static int run_case(const struct http_case *c)
{
    static struct figures figures[SERVERS];
    const struct plan *p = bench.quick ? &c->quick : &c->full;
    double ratios[SERVERS][ROUNDS_MAX];
    char name[64];
    int server;

    for (size_t i = 0; i < p->rounds; i++) {
        /* Each goes first in turn, so that a slow drift favours none. */
        for (int k = 0; k < SERVERS; k++) {
            server = (k + (int)i) % SERVERS;
            if (!options.left_out[server] &&
                measure(server, c, p->duration, &figures[server], i) < 0)
                return -1;
        }
        for (server = 0; server < SERVERS; server++)
            ratios[server][i] =
                figures[CORTEN].cpu_us[i] / figures[server].cpu_us[i];
    }
    if (report_case(c, figures, p->rounds) < 0)
        return -1;
    for (server = EPOLL; server < SERVERS; server++) {
        if (options.left_out[server])
            continue;
        (void)snprintf(name, sizeof name, "http.ratio.%s.%s",
                       server_names[server], c->name);
        bench_report_median(name, ratios[server], p->rounds, "1");
    }
    return 0;
}

/* Memory of a connection that has had its answer and is silent since.  The
 * first few pay for what all share. */
static int run_idle(int server)
{
    static int first[IDLE_FIRST], rest[IDLE_CONNS];
    unsigned conns = bench.quick ? IDLE_CONNS / 4 : IDLE_CONNS;
    struct child child;
    char name[64];
    double each = -1;

    if (start_server(&child, server) < 0)
        return -1;
    if (hold_open(&child.addr, first, IDLE_FIRST) == 0) {
        int64_t before = child_rss(&child);

        if (hold_open(&child.addr, rest, conns) == 0) {
            settle();
            each = (double)(child_rss(&child) - before) / conns;
            hold_close(rest, conns);
        }
        hold_close(first, IDLE_FIRST);
    }
    if (each < 0)
        (void)fail(server, "idle");
    if (stop_server(&child, server) < 0 || each < 0)
        return -1;
    (void)snprintf(name, sizeof name, "http.idle.%s.bytes",
                   server_names[server]);
    bench_report_median(name, &each, 1, "bytes");
    return 0;
}

/* ---- The program --------------------------------------------------------- */

/* Two cores that this process may use, and as many fds as it may have. */
static int prepare(void)
{
    struct rlimit limit;
    cpu_set_t set;
    int found = 0;
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
    (void)snprintf(options.script, sizeof options.script, "%s/wrk.lua",
                   options.dir);
    for (int i = 0; i < CPU_SETSIZE && found < 2; i++)
        if (CPU_ISSET(i, &set))
            options.cores[found++] = i;
    if (found < 2) {
        fprintf(stderr, "http: one core only, shared by server and wrk\n");
        options.cores[1] = options.cores[0];
    }
    /* Inherited by the servers. */
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    if (access("/usr/sbin/nginx", X_OK) < 0) {
        fprintf(stderr, "http: nginx is left out: it is not installed\n");
        options.left_out[NGINX] = true;
    }
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

    /* Options first, as bench_open() reads them; then the names of cases. */
    while (words < argc && argv[words][0] == '-')
        words++;
    bench_open(words, argv);
    if (prepare() < 0)
        bench_die("http");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (wanted(argv + words, cases[i].name) && run_case(&cases[i]) < 0)
            return 1;
    for (int server = 0; server < SERVERS; server++)
        if (wanted(argv + words, "idle") && !options.left_out[server] &&
            run_idle(server) < 0)
            return 1;
    return 0;
}
