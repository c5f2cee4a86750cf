/* mysql.c - what a query costs its client: coroutines on a pool of connections
 * beside threads with blocking calls.
 *
 *     mysql [--quick] [--json] [select | sleep | user]...
 *
 * 1,000 requests are always under way in the client: each wants a connection of
 * the pool, asks, gives it back and begins again.  What is asked is a row by
 * its key, SELECT SLEEP(0.001), or the handler GET /users/:id of
 * examples/users.h, with a prepared statement and JSON.  The database is a
 * private MariaDB, over a unix socket, on a core of its own; the client has the
 * other, but for corten2, which is two schedulers on both.  threads has as many
 * threads as connections, threads8 has 8.
 *
 * Clients take turns, each run is a process of its own that was warmed up, and
 * each goes first as often as the others: what counts is the median over the
 * rounds, and of the ratios the median over the same rounds.  The processor
 * time is the client's alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/bench.h"
#include "bench/load/child.h"
#include "examples/users.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mysql.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 9, REQUESTS = 1000, ROWS = 1000 };

static const unsigned pools[] = { 4, 16, 64 };

static const struct {
    const char *name;
    const char *prefix; /* of its figures */
    bool one_pool;      /* with 16 connections alone */
} cases[] = {
    { "select", "", false },
    { "sleep", "sleep_", false },
    { "user", "user_", true },
};

/* workers of 0: as many as connections */
static const struct {
    const char *name, *program;
    unsigned workers;
    bool both_cores;
} servers[] = {
    { "corten", "mysql_corten", 1, false },
    { "corten2", "mysql_corten", 2, true },
    { "threads", "mysql_threads", 0, false },
    { "threads8", "mysql_threads", 8, false },
};

enum { CORTEN, CORTEN2, THREADS, THREADS8, SERVERS };

struct figures { /* of one client with one pool, in the order of runs */
    double cpu_us[ROUNDS_MAX];
    double qps[ROUNDS_MAX];
    double p99_ms[ROUNDS_MAX];
    double busy[ROUNDS_MAX];
    double bytes[ROUNDS_MAX];
};

static struct {
    int cores[2]; /* the client's, the database's */
    cpu_set_t both;
    char dir[PATH_MAX - 64]; /* where this program is */
    const char *socket;
    size_t rounds;
    const char *run_ms;
} options;

/* ---- A run --------------------------------------------------------------- */

/* In the new process; never returns. */
static void become(int server, const char *what, unsigned pool, int out)
{
    char path[PATH_MAX], connections[16], workers[16], requests[16];
    unsigned n = servers[server].workers;
    char *argv[] = {
        path,     (char *)options.socket, (char *)what, connections, workers,
        requests, (char *)options.run_ms, NULL
    };

    (void)snprintf(path, sizeof path, "%s/servers/%s", options.dir,
                   servers[server].program);
    (void)snprintf(connections, sizeof connections, "%u", pool);
    (void)snprintf(workers, sizeof workers, "%u", n == 0 ? pool : n);
    (void)snprintf(requests, sizeof requests, "%u", REQUESTS);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 &&
        (servers[server].both_cores
             ? sched_setaffinity(0, sizeof options.both, &options.both)
             : child_pin_self(options.cores[0])) == 0 &&
        dup2(out, STDOUT_FILENO) >= 0)
        (void)execv(path, argv);
    perror(path);
    _exit(127);
}

/* The run number i of a client. */
static int measure(int server, const char *what, unsigned pool,
                   struct figures *f, size_t i)
{
    unsigned long queries = 0;
    double elapsed, cpu, p99, bytes;
    int fds[2], status = -1;
    FILE *out;
    pid_t pid;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid == 0)
        become(server, what, pool, fds[1]);
    (void)close(fds[1]);
    out = fdopen(fds[0], "r");
    if (pid > 0 && out != NULL &&
        fscanf(out, "queries %lu elapsed %lf cpu %lf p99 %lf bytes %lf",
               &queries, &elapsed, &cpu, &p99, &bytes) != 5)
        queries = 0;
    if (out != NULL)
        (void)fclose(out);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (queries == 0 || status != 0) {
        fprintf(stderr, "mysql: %s, %s with %u connections failed\n",
                servers[server].name, what, pool);
        return -1;
    }
    f->cpu_us[i] = cpu / 1e3 / (double)queries;
    f->qps[i] = (double)queries * 1e9 / elapsed;
    f->p99_ms[i] = p99 / 1e6;
    f->busy[i] = 100 * cpu / elapsed;
    f->bytes[i] = bytes;
    return 0;
}

/* ---- Figures ------------------------------------------------------------- */

static void report(const char *who, unsigned pool, const char *prefix,
                   const char *figure, double *values, const char *unit)
{
    char name[128];

    (void)snprintf(name, sizeof name, "mysql.%s.%u.%s%s", who, pool, prefix,
                   figure);
    bench_report_median(name, values, options.rounds, unit);
}

static void report_ratio(const char *who, unsigned pool, const char *prefix,
                         const char *figure, const double *ours,
                         const double *theirs)
{
    double ratios[ROUNDS_MAX];
    char name[64];

    for (size_t i = 0; i < options.rounds; i++)
        ratios[i] = ours[i] / theirs[i];
    (void)snprintf(name, sizeof name, "ratio.%s", who);
    report(name, pool, prefix, figure, ratios, "1");
}

static int run_case(size_t c, unsigned pool)
{
    static struct figures figures[SERVERS];
    const char *prefix = cases[c].prefix;

    for (size_t i = 0; i < options.rounds; i++)
        for (size_t k = 0; k < SERVERS; k++) {
            size_t server = (k + i) % SERVERS;

            if (measure((int)server, cases[c].name, pool, &figures[server], i) <
                0)
                return -1;
        }
    /* Before the reports, which sort. */
    for (int k = THREADS; k <= THREADS8; k++) {
        const struct figures *f = &figures[CORTEN], *g = &figures[k];

        report_ratio(servers[k].name, pool, prefix, "cpu", f->cpu_us,
                     g->cpu_us);
        report_ratio(servers[k].name, pool, prefix, "qps", f->qps, g->qps);
        report_ratio(servers[k].name, pool, prefix, "p99", f->p99_ms,
                     g->p99_ms);
    }
    for (int k = 0; k < SERVERS; k++) {
        struct figures *f = &figures[k];

        report(servers[k].name, pool, prefix, "cpu_us", f->cpu_us, "us");
        report(servers[k].name, pool, prefix, "qps", f->qps, "1/s");
        report(servers[k].name, pool, prefix, "p99_ms", f->p99_ms, "ms");
        bench_note("%-28s busy %.0f %% of the time", "",
                   bench_median(f->busy, options.rounds));
    }
    if (c == 0 && pool == pools[0])
        bench_report_median("mysql.corten.waiting_1000.bytes",
                            figures[CORTEN].bytes, options.rounds, "bytes");
    return 0;
}

/* ---- The program --------------------------------------------------------- */

/* All over again, under the script that starts a MariaDB and says where. */
static void restart_beside_mariadb(char **argv)
{
    char script[PATH_MAX], self[PATH_MAX];
    char *args[16] = { "sh", script, self, "" };
    size_t n = 4;

    (void)snprintf(script, sizeof script, "%s/mariadb.sh", options.dir);
    (void)snprintf(self, sizeof self, "%s/mysql", options.dir);
    for (size_t i = 1; argv[i] != NULL && n < 15; i++)
        args[n++] = argv[i];
    if (child_pin_self(options.cores[1]) == 0 &&
        setenv("BENCH_MYSQL", "beside", 1) == 0)
        (void)execvp(args[0], args);
    bench_die("mysql");
}

static int prepare(void)
{
    int found = 0;
    ssize_t n;
    char *slash;

    n = readlink("/proc/self/exe", options.dir, sizeof options.dir - 1);
    CPU_ZERO(&options.both);
    for (int i = 0; i < CPU_SETSIZE; i++)
        CPU_SET(i, &options.both);
    if (n < 0 || sched_setaffinity(0, sizeof options.both, &options.both) < 0 ||
        sched_getaffinity(0, sizeof options.both, &options.both) < 0)
        return -1;
    options.dir[n] = '\0';
    slash = strrchr(options.dir, '/');
    if (slash != NULL)
        *slash = '\0';
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &options.both) && found < 2)
            options.cores[found++] = i;
        else
            CPU_CLR(i, &options.both);
    if (found < 2) {
        fprintf(stderr, "mysql: one core only, shared with the database\n");
        options.cores[1] = options.cores[0];
    }
    options.rounds = bench.quick ? 2 : ROUNDS_MAX;
    options.run_ms = bench.quick ? "200" : "1000";
    return 0;
}

static int make_tables(void)
{
    static const char *const statements[] = {
        "CREATE TABLE numbers (id INT UNSIGNED PRIMARY KEY, "
        "value INT UNSIGNED NOT NULL)",
        "INSERT INTO numbers SELECT seq, 3 * seq FROM seq_1_to_1000",
        USERS_TABLE,
        "INSERT INTO users SELECT seq, CONCAT('User ', seq), "
        "CONCAT(seq, '@example.org') FROM seq_1_to_1000",
    };
    MYSQL *db = mysql_init(NULL);

    if (db == NULL)
        return -1;
    if (mysql_real_connect(db, NULL, "root", NULL, "corten", 0, options.socket,
                           0) == NULL)
        goto failed;
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++)
        if (mysql_query(db, statements[i]) != 0)
            goto failed;
    mysql_close(db);
    return 0;
failed:
    fprintf(stderr, "mysql: %s\n", mysql_error(db));
    mysql_close(db);
    return -1;
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
    const char *url = getenv("MYSQL_URL");
    int words = 1;

    /* Options first, as bench_open() reads them; then the names of cases. */
    while (words < argc && argv[words][0] == '-')
        words++;
    bench_open(words, argv);
    if (prepare() < 0)
        bench_die("mysql");
    if (getenv("BENCH_MYSQL") == NULL || url == NULL)
        restart_beside_mariadb(argv);
    options.socket = strstr(url, "socket=");
    if (options.socket == NULL)
        bench_die("MYSQL_URL");
    options.socket += strlen("socket=");
    if (make_tables() < 0)
        return 1;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (size_t p = 0; p < sizeof pools / sizeof *pools; p++)
            if (wanted(argv + words, cases[c].name) &&
                (pools[p] == 16 || !cases[c].one_pool) &&
                run_case(c, pools[p]) < 0)
                return 1;
    return 0;
}
