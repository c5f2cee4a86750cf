/* run.c - see run.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bench/http/run.h"
#include "bench/http/files.h"
#include "bench/load/load_hold.h"
#include "bench/load/load_wrk.h"
#include "bench/load/syscalls.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MSEC INT64_C(1000000)
#define WARM_UP (100 * MSEC)

enum { TRIES = 3, WORDS = 8 };

static const char *programs; /* the folder of this one */
static char script[PATH_MAX];
static int server_core;

void run_open(const char *dir, int core)
{
    programs = dir;
    server_core = core;
    (void)snprintf(script, sizeof script, "%s/wrk.lua", dir);
}

int run_failed(const struct server *server, const char *what)
{
    fprintf(stderr, "http: %s server, %s: %s\n", server->name, what,
            strerror(errno));
    return -1;
}

void run_settle(void)
{
    static const struct timespec t = { .tv_nsec = 20 * MSEC };

    (void)nanosleep(&t, NULL);
}

/* ---- A server ------------------------------------------------------------ */

/* Is it the answer that all servers give? */
static int check_greeting(const struct server *server, const struct child *c)
{
    static const char begin[] = "HTTP/1.1 200 OK\r\n";
    static const char end[] = "\r\n\r\nhello, corten\n";
    char answer[1024];
    size_t len;
    int fd;

    if (hold_one(&c->addr, &fd, answer, sizeof answer) < 0)
        return run_failed(server, "the first request");
    hold_close(&fd, 1);
    len = strlen(answer);
    if (strncmp(answer, begin, sizeof begin - 1) == 0 &&
        strstr(answer, "\r\nDate: ") != NULL &&
        strstr(answer, "\r\nContent-Type: text/plain; charset=utf-8\r\n") !=
            NULL &&
        len > sizeof end && strcmp(answer + len - (sizeof end - 1), end) == 0)
        return 0;
    fprintf(stderr, "http: the %s server answers:\n%s\n", server->name, answer);
    return -1;
}

int run_start(struct child *c, const struct server *server,
              const struct load *load)
{
    char path[PATH_MAX], words[WORDS][64];
    char *argv[WORDS + 1] = { path };
    int checked;

    (void)snprintf(path, sizeof path, "%s/%s", programs, server->words[0]);
    for (int i = 1; i < WORDS && server->words[i] != NULL; i++) {
        bool folder = strcmp(server->words[i], RUN_FOLDER) == 0;

        argv[i] = words[i];
        (void)snprintf(words[i], sizeof words[i], "%s",
                       folder ? load->files->folder : server->words[i]);
    }
    if (child_start(c, argv, server_core) < 0)
        return run_failed(server, "start");
    if (load->files == NULL)
        checked = check_greeting(server, c);
    else if ((checked = files_check(load->files, &c->addr)) < 0)
        (void)run_failed(server, "the files");
    if (checked == 0)
        return 0;
    (void)child_stop(c);
    return -1;
}

int run_stop(struct child *c, const struct server *server)
{
    if (child_stop(c) == 0)
        return 0;
    fprintf(stderr, "http: the %s server ended badly\n", server->name);
    return -1;
}

/* ---- Runs ---------------------------------------------------------------- */

static int ask(const struct load *load, const struct child *child,
               int64_t duration, struct wrk_result *r)
{
    struct wrk wrk = { .script = script,
                       .conns = load->conns,
                       .depth = load->depth,
                       .files = load->files != NULL ? load->files->count : 0 };
    int result = wrk_run(&wrk, &child->addr, duration, r);

    run_settle();
    if (result == 0 && r->requests == 0 && duration > WARM_UP) {
        errno = ETIMEDOUT;
        return -1;
    }
    return result;
}

int run_measure(const struct server *server, const struct load *load,
                int64_t duration, double values[FIGURES])
{
    struct wrk_result r;
    struct child child;
    int64_t cpu = 0;
    int result = -1;

    if (run_start(&child, server, load) < 0)
        return -1;
    (void)ask(load, &child, WARM_UP, &r); /* what fails here fails again */
    /* A run of minutes should not end because one of hundreds of wrks did. */
    for (int try = 0; try < TRIES && result < 0; try++) {
        cpu = child_cpu(&child);
        result = ask(load, &child, duration, &r);
        cpu = child_cpu(&child) - cpu;
    }
    if (result < 0)
        (void)run_failed(server, load->name);
    if (run_stop(&child, server) < 0 || result < 0)
        return -1;
    values[CPU_US] = (double)cpu / 1e3 / (double)r.requests;
    values[RPS] = (double)r.requests * 1e9 / (double)r.elapsed;
    values[P50_MS] = r.p50_ms;
    values[P99_MS] = r.p99_ms;
    values[BUSY] = 100.0 * (double)cpu / (double)r.elapsed;
    values[WRK_BUSY] = 100.0 * (double)r.cpu / (double)r.elapsed;
    return 0;
}

int run_count(const struct server *server, const struct load *load,
              int64_t duration, double *calls)
{
    struct syscalls counter;
    struct wrk_result r;
    struct child child;
    int result = 0;

    if (run_start(&child, server, load) < 0)
        return -1;
    *calls = -1;
    if (syscalls_open(&counter, &child.pid, 1) == 0) {
        result = ask(load, &child, duration, &r);
        *calls = (double)syscalls_close(&counter);
    } else {
        fprintf(stderr, "http: no system call counts: %s\n", strerror(errno));
    }
    if (result < 0)
        (void)run_failed(server, load->name);
    if (run_stop(&child, server) < 0 || result < 0)
        return -1;
    if (*calls >= 0)
        *calls /= (double)r.requests;
    return 0;
}
